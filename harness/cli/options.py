"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from rules_harness.reports.formats import FORMATS

Command = TypeVar("Command", bound=Callable[..., Any])


def target_options(function: Command) -> Command:
    """The options that name a target; what they give makes a `session.opening.Chosen`."""
    options = (
        click.option("--target", type=click.Path(path_type=Path), metavar="FILE", help="The target's profile."),
        click.option("--base-url", metavar="URL", help="Instead of a profile: where the API is, …"),
        click.option("--key-env", metavar="NAME", help="… the environment variable that holds a key, …"),
        click.option("--rule", "rules", multiple=True, metavar="ID", help="… and a rule that may be overwritten."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def contract_option(function: Command) -> Command:
    """The option that replaces the packaged contract."""
    return click.option(
        "--contract", type=click.Path(path_type=Path), metavar="FILE", help="Another contract than the packaged one."
    )(function)


def report_names(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """The formats in values such as ``html,sarif``; a click callback."""
    names = tuple(name.strip() for value in values for name in value.split(",") if name.strip())
    for name in names:
        if name not in FORMATS:
            raise click.BadParameter(f"{name!r} is not a format; there are {', '.join(FORMATS)}.", ctx, parameter)
    return names
