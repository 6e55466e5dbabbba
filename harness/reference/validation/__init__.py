"""Complete validation of a body by the contract, written by hand."""

from rules_harness.harness.reference.validation.body import Configuration, configuration

__all__ = ["Configuration", "configuration"]
