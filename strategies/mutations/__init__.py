"""Every way to break one place of a body once: by name, enumerable and drawable."""

from strategies.mutations.plans import Mutation, apply, catalogue, mutated
from strategies.mutations.recursion import Recursion, recursions

__all__ = ["Mutation", "Recursion", "apply", "catalogue", "mutated", "recursions"]
