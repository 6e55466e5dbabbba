"""One document of a command: printed, or written to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import click
from rich.console import Console

from rules_harness.harness.cli.options import OutputPath
from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import UsageError
from rules_harness.harness.files import open_private

TERMINAL: Final = "terminal"
_FILE_WIDTH: Final = 140
"""Columns of what is made for a terminal and goes to a file."""

Command = TypeVar("Command", bound=Callable[..., Any])


def document_options(*formats: str) -> Callable[[Command], Command]:
    """The options that say how a document is told, as ``form``, and where it goes, as ``out``."""
    chosen = click.Choice((TERMINAL, *formats))
    form = click.option("--format", "form", type=chosen, default=TERMINAL, show_default=True, help="How it is told.")
    where = click.option("--out", type=OutputPath(), metavar="FILE", help="Write it there instead of printing it.")
    return lambda function: form(where(function))


def tell(output: Output, out: Path | None, show: Callable[[Console], None], text: Callable[[], str] | None) -> None:
    """Print a document, or write it to ``out``: ``text`` makes it, or else ``show`` puts it on a console.

    Raises `UsageError` where it cannot be written.
    """
    if out is None and text is None:
        show(output.console())
    elif out is None and text is not None:
        output.print(text().rstrip("\n"))
    elif out is not None:
        with _written(out) as file:
            if text is None:
                show(Console(file=file, width=_FILE_WIDTH))
            else:
                file.write(text())
        output.say(f"wrote {out}")


@contextmanager
def _written(path: Path) -> Iterator[IO[str]]:
    try:
        with TextIOWrapper(open_private(path), encoding="utf-8", errors="backslashreplace") as file:
            yield file
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}; give a file that can be written with --out"
        ) from error
