"""`rules-harness check`: the conformance run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from rules_harness.harness.cli import progress
from rules_harness.harness.cli.interrupts import interruptible
from rules_harness.harness.cli.output import Output
from rules_harness.harness.cli.rehearsed import rehearsal_text
from rules_harness.harness.cli.results import ALWAYS, cleaned, report_names, report_of, write_reports
from rules_harness.harness.cli.runs import EMBEDDED, OWN_CONTRACT, keep_unrestored
from rules_harness.harness.cli.targets import Chosen, Opened, check_production, contract_option, opened, target_options
from rules_harness.harness.errors import UsageError
from rules_harness.harness.gate import Gate
from rules_harness.harness.journal import Journal, stream
from rules_harness.harness.judging.judge import outcome_of, selected
from rules_harness.harness.judging.outcome import Outcome
from rules_harness.harness.session.session import Settings, gate_header
from rules_harness.harness.target.hooks import Hooks
from rules_harness.harness.wire.client import Client
from rules_harness.openapi.contract import Contract, load
from rules_harness.reports import terminal
from rules_harness.reports.baseline import Baseline, gated
from rules_harness.reports.baseline import load as load_baseline
from rules_harness.reports.formats import FORMATS


class CheckOptions(msgspec.Struct, frozen=True):
    """The command line; see the help text of each option."""

    target: Path | None
    base_url: str | None
    key_env: str | None
    rules: tuple[str, ...]
    contract: Path | None
    out: Path
    reports: tuple[str, ...]
    select: tuple[str, ...]
    fail_on: str
    baseline: Path | None
    seed: int
    now: datetime
    dry_run: bool
    quiet: bool

    @property
    def chosen(self) -> Chosen:
        return Chosen(self.target, self.base_url, self.key_env, self.rules)

    def recorded(self, target: Opened) -> dict[str, Any]:
        """What a journal must know of the command line."""
        return {EMBEDDED: target.embedded, OWN_CONTRACT: self.contract is not None}

    @property
    def settings(self) -> Settings:
        return Settings(seed=self.seed, now=self.now, select=self.select, fail_on=self.fail_on)


def _moment(ctx: click.Context, parameter: click.Parameter, value: str | None) -> datetime:
    """An aware time, UTC, to the second; the present one where none is given."""
    try:
        moment = datetime.now(UTC) if value is None else datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no time such as 2026-01-31T12:00:00Z.", ctx, parameter) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(microsecond=0)


@click.command(short_help="Judge a target by the contract.")
@target_options
@contract_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
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
@click.option("--select", multiple=True, metavar="PATTERN", help="Only requirements like this one, such as 'status.*'.")
@click.option(
    "--fail-on",
    type=click.Choice(("must", "should")),
    default="must",
    show_default=True,
    help="The lowest level that fails the gate.",
)
@click.option("--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Findings that are accepted.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Decides what is drawn.")
@click.option("--now", callback=_moment, metavar="T", help="What dates ahead are counted from; by default the present.")
@click.option("--dry-run", is_flag=True, help="Send nothing; say what would be sent.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.pass_obj
def command(output: Output, /, **given: Any) -> int:
    """Judge a target by the contract, and say what does not hold.

    Without --target and --base-url the embedded target is started and judged. The journal, junit.xml and summary.json
    are written to DIR.
    """
    options = CheckOptions(**given)
    contract = load(options.contract)
    _check_patterns(options.select, contract)
    with opened(options.chosen, contract) as target:
        check_production(target.profile, contract)
        if options.dry_run:
            output.guard(target.keyring)
            output.print(rehearsal_text(contract, target.profile, target.keyring, options.settings))
            return 0
        baseline = None if options.baseline is None else load_baseline(options.baseline, datetime.now(UTC))
        keep_unrestored(options.out)
        return _judged(options, contract, target, baseline, output)


def _judged(
    options: CheckOptions, contract: Contract, target: Opened, baseline: Baseline | None, output: Output
) -> int:
    """Run, report, and return the exit code."""
    cleaner = output.guard(target.keyring)
    journal = Journal(options.out, clean=cleaner.clean_text)
    try:
        journal.write(gate_header(contract, target.profile, options.settings, options.recorded(target)), sync=True)
        outcome = cleaned(_run(options, contract, target, journal, output), cleaner)
    finally:
        journal.close()
    if baseline is not None:
        again = outcome_of(stream(journal.path), contract, accepted=baseline.accepted)
        outcome = gated(again, baseline)
    report = report_of(journal.path, outcome, contract)
    terminal.show(report, output.console())
    for path in write_reports(options.out, (*ALWAYS, *options.reports), report):
        if not options.quiet:
            output.say(f"wrote {path}")
    return outcome.exit_code


def _run(options: CheckOptions, contract: Contract, target: Opened, journal: Journal, output: Output) -> Outcome:
    client = Client(target.profile, target.keyring, run_seed=options.seed)
    remedy = f"ended at once; put the rules back with: rules-harness restore {options.out}"
    hooks = Hooks(target.profile, target.keyring)
    try:
        with interruptible(client.stop, output, remedy=remedy), progress.shown(output, quiet=options.quiet) as shown:
            return Gate(
                contract, target.profile, client, hooks, journal, options.settings, shown, target.keyring.applicable
            ).run()
    finally:
        client.close()


def _check_patterns(patterns: tuple[str, ...], contract: Contract) -> None:
    for pattern in patterns:
        if not any(selected(requirement, (pattern,)) for requirement in contract.requirements):
            raise UsageError(f"--select {pattern!r} matches no requirement; see `rules-harness list requirements`")
