from tests.cli.conftest import reference, running, shell, whole_profile

__all__ = ["reference", "running", "shell", "whole_profile"]
