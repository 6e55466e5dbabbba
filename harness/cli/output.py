"""What a command prints: results to stdout, progress and errors to stderr, and keys nowhere."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console

    from rules_harness.harness.target.cleaning import Cleaner
    from rules_harness.harness.target.secrets import Keyring

PROGRAM: Final = "rules-harness"
_LAST_STANDARD: Final = 2
"""The descriptor of stderr."""
_LOG_WIDTH: Final = 140
"""Columns where there is no terminal and the environment does not say."""
_WORKFLOW_COMMAND: Final = re.compile(r"^[^\S\n]*:(?=:[A-Za-z])|##(?=[A-Za-z]*\[)", re.MULTILINE)
"""What the log of a CI job is read for: text of a target's or a journal's must not give orders to a runner."""
_HELD_APART: Final = "\\g<0>\u200b"
"""The same to whoever reads it, and no command any more."""


class Output:
    """Prints text, cleaned of every key that the command has read so far.

    A reader that goes away (``| head``) silences the output and ends nothing, and so does a device that is full, or
    none at all: rules are still to be put back.  Text of others is inert: it moves no cursor, turns no line round, and
    is no command to whoever reads the log.
    """

    def __init__(self) -> None:
        self._cleaner: Cleaner | None = None
        self.problem = ""
        """Why not everything was shown, if so."""
        self._results = _Stream(_open(sys.stdout), self)
        self._remarks = _Stream(_open(sys.stderr), self)
        self.plain = bool(os.environ.get("NO_COLOR"))
        """No colour and no other escape sequence (no-color.org)."""
        self.quiet = False
        """No tables and no remarks, but what came of it and what was written."""

    def guard(self, keyring: Keyring) -> Cleaner:
        """From now on keep these keys out of what is printed; returns what does it."""
        from rules_harness.harness.target.cleaning import Cleaner  # noqa: PLC0415 - commands that read no key need none

        self._cleaner = Cleaner(keyring)
        return self._cleaner

    @property
    def cleaner(self) -> Cleaner:
        """What keeps the keys out that `guard` was given."""
        assert self._cleaner is not None
        return self._cleaner

    def clean(self, text: str) -> str:
        """The text without keys."""
        return text if self._cleaner is None else self._cleaner.clean_text(text)

    def print(self, text: str = "") -> None:
        """Print a result."""
        self._results.write(_visible(text) + "\n")

    def detail(self, text: str) -> None:
        """Print a part of a result that its last line sums up."""
        if not self.quiet:
            self.print(text)

    def print_commands(self, text: str) -> None:
        """Print a result that consists of workflow commands, which a CI system is to obey; what they say is escaped."""
        self._results.write_commands(text + "\n")

    def say(self, text: str) -> None:
        """Print a remark that is not a result."""
        self._remarks.write(_visible(text) + "\n")

    def error(self, text: str) -> None:
        """Print what ended the command."""
        self.say(f"{PROGRAM}: {text}")

    def console(self, *, remarks: bool = False) -> Console:
        """What prints tables and colours, as results or as remarks."""
        from rich.console import Console  # noqa: PLC0415 - help needs none

        stream = self._remarks if remarks else self._results
        width = None if stream.isatty() or os.environ.get("COLUMNS") else _LOG_WIDTH
        if self.plain:
            return Console(file=cast(IO[str], stream), width=width, force_terminal=False, color_system=None)
        return Console(file=cast(IO[str], stream), width=width)


def _open(stream: TextIO | None) -> TextIO:
    """A standard stream, or nowhere: Python has none where the shell closed it (``>&-``)."""
    return stream if stream is not None else Path(os.devnull).open("w", encoding="utf-8")


class _Stream(io.TextIOBase):
    """One of the standard streams, with what is written to it cleaned."""

    def __init__(self, stream: TextIO, output: Output) -> None:
        self._stream = stream
        self._output = output

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding or "utf-8"

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        self._put(_WORKFLOW_COMMAND.sub(_HELD_APART, self._output.clean(text)))
        return len(text)

    def write_commands(self, text: str) -> None:
        """Write what a CI system is to obey."""
        self._put(self._output.clean(text))

    def _put(self, text: str) -> None:
        printable = text.encode(self.encoding, "backslashreplace").decode(self.encoding)
        try:
            self._stream.write(printable)
            self._stream.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            if not isinstance(error, BrokenPipeError):
                self._output.problem = f"what was to be shown could not be written: {error.strerror}"


def occupy_standard_descriptors() -> None:
    """Keep what is opened later from taking the place of a standard stream that the shell closed."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _LAST_STANDARD:
        pass
    os.close(descriptor)


def _visible(text: str) -> str:
    from rules_harness.reports.text import visible  # noqa: PLC0415 - help needs none

    return visible(text, block=True)
