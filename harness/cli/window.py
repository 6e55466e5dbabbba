"""`rules-harness window`: the 24 hours of a key, judged in two halves a day apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import click

from rules_harness.harness import journal as journals
from rules_harness.harness.cli import progress
from rules_harness.harness.cli.ending import leave
from rules_harness.harness.cli.options import OutputPath, contract_option
from rules_harness.harness.cli.output import Output
from rules_harness.harness.gate import Gate
from rules_harness.harness.journal import Journal
from rules_harness.harness.scenarios.planner import Shared
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.session.folder import make_room
from rules_harness.harness.session.opening import Chosen, check_production, opened
from rules_harness.harness.session.session import Settings
from rules_harness.harness.session.signals import interruptible
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.window import check_own, plant_scenario, planted_in, side_of, verify_scenario
from rules_harness.openapi.contract import Contract, load

PLANTED = Path("out/window")
VERIFIED = Path("out/window-verified")


@click.group(short_help="Judge the 24 hours of a key in two halves, a day apart.")
def command() -> None:
    """For targets whose clock cannot be moved: plant a key today, verify tomorrow what became of it."""


def _options(function: Callable[..., int]) -> Callable[..., int]:
    target = click.option(
        "--target", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The profile."
    )
    return target(contract_option(function))


@command.command(short_help="Send the first half, and store it.")
@_options
@click.option("--out", type=OutputPath(), default=PLANTED, show_default=True, metavar="DIR")
@click.pass_obj
def plant(output: Output, target: Path, contract: Contract | None, out: Path) -> int:
    """Send an update with a new key and its replay; DIR keeps what was answered."""
    return _run(output, target, contract, out, plant_scenario())


@command.command(short_help="Send the second half, and judge it.")
@_options
@click.option("--planted", type=click.Path(path_type=Path), default=PLANTED, show_default=True, metavar="RUN")
@click.option("--out", type=OutputPath(), default=VERIFIED, show_default=True, metavar="DIR")
@click.pass_obj
def verify(output: Output, target: Path, contract: Contract | None, planted: Path, out: Path) -> int:
    """Send the planted request again, and judge the answer: within 24 hours the original, beyond them either."""
    first_half = journals.read(planted)
    window = timedelta(seconds=(contract or load()).names.key_window_seconds)
    half = planted_in(first_half)
    side = side_of(first_half, datetime.now(UTC), window)
    check = partial(check_own, half, first_half.header.base_url)
    return _run(output, target, contract, out, verify_scenario(half, side), check)


def _run(
    output: Output,
    target: Path,
    own_contract: Contract | None,
    out: Path,
    scenario: Scenario,
    check: Callable[[Profile], None] = lambda profile: None,
) -> int:
    contract = own_contract or load()
    with opened(Chosen(target=target), contract) as opened_target:
        check_production(opened_target.profile, contract)
        check(opened_target.profile)
        make_room(out)
        settings = Settings(now=datetime.now(UTC).replace(microsecond=0), select=scenario.requirements)
        journal = Journal(out, clean=output.guard(opened_target.keyring).clean_text)

        def only(contract: Contract, shared: Shared, select: tuple[str, ...]) -> list[Scenario]:
            return [scenario]

        with progress.shown(output, quiet=output.quiet) as bar:
            gate = Gate(contract, opened_target, journal, settings, bar, scenarios=only)
            with interruptible(gate):
                outcome = gate.run()
        return leave(gate, outcome, output, quiet=output.quiet)
