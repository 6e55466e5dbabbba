"""How a command ends: exit codes, and the errors that lead to them."""

from __future__ import annotations

from typing import Final

CONFORMS: Final = 0
VIOLATED: Final = 1
USAGE: Final = 2
NOT_JUDGED: Final = 3
INTERRUPTED: Final = 130


class HarnessError(Exception):
    """Ends a command with ``exit_code``; the message says what is wrong, where, and what to do about it."""

    exit_code: int = NOT_JUDGED


class UsageError(HarnessError):
    """The command line, the profile or the environment is wrong."""

    exit_code = USAGE


class Unreachable(HarnessError):
    """The target, or something it needs, did not answer, so that nothing could be judged."""
