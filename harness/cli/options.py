"""Options that several commands have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import click

from rules_harness.harness.errors import UsageError
from rules_harness.harness.judging.judge import EXCLUDED, selected
from rules_harness.harness.session.opening import Chosen
from rules_harness.harness.session.selecting import patterns_of
from rules_harness.openapi.contract import Contract, load
from rules_harness.reports.formats import FORMATS

_POSITIVE: Final = click.FloatRange(min=0, min_open=True)

Command = TypeVar("Command", bound=Callable[..., Any])


def target_options(function: Command) -> Command:
    """The options that name a target; `chosen` makes a `session.opening.Chosen` of what they give."""
    options = (
        click.option("--target", type=click.Path(path_type=Path), metavar="FILE", help="The target's profile."),
        click.option("--base-url", metavar="URL", help="Instead of a profile: where the API is, …"),
        click.option("--key-env", metavar="NAME", help="… the environment variable that holds a key, …"),
        click.option("--rule", "rules", multiple=True, metavar="ID", help="… a rule that may be overwritten, …"),
        click.option(
            "--header",
            "headers",
            multiple=True,
            callback=_headers,
            metavar="'NAME: VALUE'",
            help="… a further header, …",
        ),
        click.option("--rate", type=_POSITIVE, metavar="N", help="… requests per second, …"),
        click.option("--timeout", type=_POSITIVE, metavar="SECONDS", help="… how long to wait for an answer, …"),
        click.option(
            "--ca-bundle", type=click.Path(path_type=Path), metavar="FILE", help="… and the authorities to trust."
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def chosen(given: dict[str, Any]) -> Chosen:
    """The target that options name; takes what `target_options` gave out of ``given``."""
    return Chosen(**{name: given.pop(name) for name in Chosen.__struct_fields__})


def _headers(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for value in values:
        name, colon, text = value.partition(":")
        if not colon or not name.strip():
            raise click.BadParameter(f"{value!r} is not a header; write it as 'Name: value'.", ctx, parameter)
        pairs.append((name.strip(), text.strip()))
    return tuple(pairs)


def selection_options(function: Command) -> Command:
    """The options that say what is judged; `selection` makes patterns of what they give."""
    select = click.option(
        "--select",
        multiple=True,
        metavar="PATTERN,…",
        help="Only these requirements: a family such as status, an id, or a pattern such as 'status.*'.",
    )
    exclude = click.option("--exclude", multiple=True, metavar="PATTERN,…", help="Not these; named in the same ways.")
    return select(exclude(function))


def selection(given: dict[str, Any], contract: Contract) -> tuple[str, ...]:
    """The patterns of a run; takes what `selection_options` gave out of ``given``.

    Raises `UsageError`, with what is close to it, where one matches no requirement, or nothing is left.
    """
    wanted = tuple(patterns_of("--select", given.pop("select"), contract))
    excluded = tuple(patterns_of("--exclude", given.pop("exclude"), contract))
    patterns = (*wanted, *(EXCLUDED + pattern for pattern in excluded))
    if not any(selected(requirement, patterns) for requirement in contract.requirements):
        raise UsageError("--exclude leaves nothing of what --select names; see `rules-harness list requirements`")
    return patterns


class OutputPath(click.Path):
    """A file or folder to write to; an empty name, as a variable that is not set leaves it, is none."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("is empty; name a file or folder (a variable may not be set).", param, ctx)
        return super().convert(value, param, ctx)


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


def contract_words() -> list[str]:
    """What gave the current command its contract, for another command; nothing where it is the packaged one."""
    given = click.get_current_context().params
    words = ["--contract", str(given["contract"])] if given.get("contract") else []
    return words + [word for overlay in given.get("overlays", ()) for word in ("--overlay", str(overlay))]


def report_names(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """The formats in values such as ``html,sarif``; a click callback."""
    names = tuple(name.strip() for value in values for name in value.split(",") if name.strip())
    for name in names:
        if name not in FORMATS:
            raise click.BadParameter(f"{name!r} is not a format; there are {', '.join(FORMATS)}.", ctx, parameter)
    return names
