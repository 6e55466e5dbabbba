"""The harness: it sends requests to a target, records what came of them, and judges."""
