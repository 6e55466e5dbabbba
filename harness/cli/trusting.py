"""Asks before anything is done because a journal says so: whoever wrote it need not be whoever reads it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import UsageError
from rules_harness.reports.text import line

Command = TypeVar("Command", bound=Callable[..., Any])

_REMEDY = "give your own profile with --target FILE, or --trust-journal where the journal is your own"


def trust_option(function: Command) -> Command:
    """The option that says that a journal is the caller's own."""
    return click.option(
        "--trust-journal", "is_own", is_flag=True, help="The journal is your own: do without asking what it asks for."
    )(function)


def consent(output: Output, run: Path, demands: Iterable[str], *, is_own: bool) -> bool:
    """Show what a journal asks for and have a person agree; whether the journal is known to be their own.

    Raises `UsageError` where nobody agrees, or nobody can be asked.
    """
    wanted = [line(demand) for demand in demands]
    if is_own or not wanted:
        return is_own
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()):
        raise UsageError(f"{run} asks to {'; to '.join(wanted)}. Nothing was sent: {_REMEDY}")
    output.say("\n  ".join([f"{run} asks to", *wanted]))
    if not click.confirm("Is the journal your own, and shall that be done?", err=True):
        raise UsageError(f"nothing was sent: {_REMEDY}")
    return True
