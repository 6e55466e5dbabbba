"""Asks before anything is done because a journal says so: whoever wrote it need not be whoever reads it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import UsageError
from rules_harness.harness.journal import PROFILE
from rules_harness.harness.session.opening import Chosen
from rules_harness.harness.session.recorded import EMBEDDED, header_of
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


def recorded_target(output: Output, run: Path, *, is_own: bool) -> Chosen:
    """The target of a RUN that goes on: the profile that was named when it began, read anew from the disk.

    The journal gives no more than the name of that file: hosts, keys, hooks and rules are what the file says, and a
    person agrees to it.  Raises `UsageError` where nobody does, and where there is no such file.
    """
    header = header_of(run)
    name = header.options.get(PROFILE)
    if header.options.get(EMBEDDED):
        return Chosen()
    if not isinstance(name, str) or not Path(name).is_file():
        where = f"with the profile {name}, which is not there" if name else "without a profile"
        raise UsageError(f"{run} began {line(where)}; name the target with --target FILE")
    demand = f"go on with your profile {name}: with the target, keys, rules and hooks that this file names"
    consent(output, run, [demand], is_own=is_own)
    return Chosen(Path(name))
