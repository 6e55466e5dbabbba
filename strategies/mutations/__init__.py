"""Every way to break one place of a body once: by name, enumerable and drawable."""

from rules_harness.strategies.mutations.plans import Mutation, apply, catalogue, circumstances, mutated, settings
from rules_harness.strategies.mutations.recursion import Recursion, recursions

__all__ = ["Mutation", "Recursion", "apply", "catalogue", "circumstances", "mutated", "recursions", "settings"]
