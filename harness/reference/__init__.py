"""The embedded target: a real HTTP server that implements the contract with its own logic.

It imports nothing of the rest of the harness, so that no oracle is judged by itself. It runs in its own process
(`python -m rules_harness.harness.reference`), keeps everything in memory, and can be told to break one promise
(`faults`) or to take another allowed reading (`variants`).
"""
