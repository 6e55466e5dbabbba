"""Options that several commands have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from rules_harness.openapi.contract import load
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
    """The options that replace the packaged contract, as ``contract``; ``None`` where none of them is given."""

    @functools.wraps(function)
    def command(*words: Any, contract: Path | None, overlays: tuple[Path, ...], **given: Any) -> Any:
        given["contract"] = load(contract, overlays) if contract or overlays else None
        return function(*words, **given)

    options = (
        click.option(
            "--contract",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Another contract than the packaged one.",
        ),
        click.option(
            "--overlay",
            "overlays",
            type=click.Path(path_type=Path),
            multiple=True,
            metavar="FILE",
            help="An OpenAPI Overlay (1.0), applied to the contract; several in their order.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return cast(Command, command)


def report_names(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """The formats in values such as ``html,sarif``; a click callback."""
    names = tuple(name.strip() for value in values for name in value.split(",") if name.strip())
    for name in names:
        if name not in FORMATS:
            raise click.BadParameter(f"{name!r} is not a format; there are {', '.join(FORMATS)}.", ctx, parameter)
    return names
