"""How a command ends: exit codes, and the errors that lead to them."""

from __future__ import annotations

from typing import Final

CONFORMS: Final = 0
VIOLATED: Final = 1
USAGE: Final = 2
NOT_JUDGED: Final = 3
INTERRUPTED: Final = 130

DEBUG: Final = "RULES_HARNESS_DEBUG"
"""The environment variable that makes an internal error show its traceback."""


class HarnessError(Exception):
    """Ends a command with ``exit_code``; the message says what is wrong, where, and what to do about it."""

    exit_code: int = NOT_JUDGED


class UsageError(HarnessError):
    """The command line, the profile or the environment is wrong."""

    exit_code = USAGE


class Unreachable(HarnessError):
    """The target, or something it needs, did not answer, so that nothing could be judged."""


def internal_error(error: BaseException) -> str:
    """What is said of an exception that nobody foresaw."""
    return (
        f"internal error ({type(error).__name__}: {error}). This is a defect of the harness, not of the target; what "
        f"was recorded until then is kept. Run it again with {DEBUG}=1 for the traceback, and report it."
    )
