"""`rules-harness check`: the conformance run."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from rules_harness.harness.cli import progress
from rules_harness.harness.cli.ending import leave
from rules_harness.harness.cli.leaving import leave_findings
from rules_harness.harness.cli.options import (
    OutputPath,
    chosen,
    contract_option,
    report_names,
    selection,
    selection_options,
    target_options,
)
from rules_harness.harness.cli.output import Output
from rules_harness.harness.cli.rehearsed import rehearsal_text
from rules_harness.harness.gate import Gate
from rules_harness.harness.journal import Journal
from rules_harness.harness.session.folder import make_room
from rules_harness.harness.session.opening import Chosen, Opened, check_now, check_production, opened
from rules_harness.harness.session.recorded import EMBEDDED, OWN_CONTRACT
from rules_harness.harness.session.reporting import ALWAYS
from rules_harness.harness.session.session import Settings
from rules_harness.harness.session.signals import interruptible
from rules_harness.openapi.contract import Contract, load
from rules_harness.reports.baseline import Baseline
from rules_harness.reports.baseline import load as load_baseline
from rules_harness.reports.formats import FORMATS

LAST_YEAR: Final = 9000
"""The last year to count dates from: some that are sent lie centuries ahead, and none may pass 9999."""


class CheckOptions(msgspec.Struct, frozen=True):
    """The command line; see the help text of each option."""

    chosen: Chosen
    contract: Contract | None
    out: Path
    reports: tuple[str, ...]
    select: tuple[str, ...]
    fail_on: str
    requests: int | None
    max_failures: int | None
    baseline: Path | None
    seed: int
    now: datetime
    dry_run: bool
    quiet: bool

    def settings(self, target: Opened) -> Settings:
        """What the run is given, with what its journal must know of the command line."""
        return Settings(
            seed=self.seed,
            now=self.now,
            select=self.select,
            fail_on=self.fail_on,
            requests=self.requests or target.profile.gate.requests,
            max_failures=self.max_failures,
            smaller=True,
            options=self.chosen.recorded | {EMBEDDED: target.embedded, OWN_CONTRACT: self.contract is not None},
        )


def _moment(ctx: click.Context, parameter: click.Parameter, value: str | None) -> datetime:
    """An aware time, UTC, to the second; the present one where none is given."""
    try:
        moment = datetime.now(UTC) if value is None else datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a time such as 2026-01-31T12:00:00Z.", ctx, parameter) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if aware.year > LAST_YEAR:
        raise click.BadParameter(f"{value} leaves no room for dates ahead; give one until {LAST_YEAR}.", ctx, parameter)
    return aware.astimezone(UTC).replace(microsecond=0)


@click.command(short_help="Judge a target by the contract.")
@target_options
@contract_option
@click.option(
    "--out",
    type=OutputPath(),
    default="out",
    show_default=True,
    metavar="DIR",
    help="Where the journal and the reports go.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    callback=report_names,
    metavar="NAME,…",
    help=f"Further reports: {', '.join(name for name in FORMATS if name not in ALWAYS)}.",
)
@selection_options
@click.option(
    "--fail-on",
    type=click.Choice(("must", "should")),
    default="must",
    show_default=True,
    help="The lowest level that fails the gate.",
)
@click.option(
    "--requests",
    type=click.IntRange(min=1),
    metavar="N",
    help="A short run: about so many, the most telling first. The report says what was left out.",
)
@click.option(
    "--max-failures",
    type=click.IntRange(min=1),
    metavar="N",
    help="End the run at so many findings; the most telling is sent first.",
)
@click.option("--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Findings that are accepted.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Decides what is drawn.")
@click.option("--now", callback=_moment, metavar="T", help="What dates ahead are counted from; by default the present.")
@click.option("--dry-run", is_flag=True, help="Send nothing; say what would be sent.")
@click.option(
    "--quiet", is_flag=True, help="No progress, no tables: what is broken, the verdict, and the files written."
)
@click.pass_obj
def command(output: Output, /, **given: Any) -> int:
    """Judge a target by the contract, and say what does not hold.

    Without --target and --base-url the embedded target is started and judged. The journal, junit.xml and summary.json
    are written to DIR.
    """
    contract = given["contract"] or load()
    options = CheckOptions(chosen=chosen(given), select=selection(given, contract), **given)
    with opened(options.chosen, contract) as target:
        check_production(target.profile, contract)
        check_now(target.profile, options.now)
        if options.dry_run:
            output.guard(target.keyring)
            output.print(rehearsal_text(contract, target.profile, target.keyring, options.settings(target)))
            return 0
        baseline = None if options.baseline is None else load_baseline(options.baseline, datetime.now(UTC))
        make_room(options.out)
        return _judged(options, contract, target, baseline, output)


def _judged(
    options: CheckOptions, contract: Contract, target: Opened, baseline: Baseline | None, output: Output
) -> int:
    """Run, report, and return the exit code."""
    journal = Journal(options.out, clean=output.guard(target.keyring).clean_text)
    with progress.shown(output, quiet=options.quiet) as bar:
        accepted = () if baseline is None else baseline.accepted
        gate = Gate(contract, target, journal, options.settings(target), bar, accepted=accepted)
        with interruptible(gate):
            outcome = gate.run()
    return leave(
        gate,
        outcome,
        output,
        reports=options.reports,
        baseline=baseline,
        quiet=options.quiet,
        further=partial(leave_findings, options.out),
    )
