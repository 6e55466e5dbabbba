"""What a run leaves behind: its reports, its tables on the terminal, and its exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import CONFORMS, NOT_JUDGED, HarnessError
from rules_harness.harness.journal import pack, stream
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.judging.outcome import Outcome
from rules_harness.harness.session.reporting import ALWAYS, cleaned, report_of, write_reports
from rules_harness.harness.session.session import Session
from rules_harness.reports import terminal
from rules_harness.reports.baseline import Baseline, gated
from rules_harness.reports.model import RunReport


def leave(
    session: Session,
    outcome: Outcome,
    output: Output,
    *,
    reports: Iterable[str] = (),
    baseline: Baseline | None = None,
    quiet: bool = False,
    tables: bool = True,
    further: Callable[[RunReport], Iterable[Path]] = lambda report: (),
) -> int:
    """Show and write what came of a run that has ended; returns its exit code.

    ``further`` writes what a kind of run leaves beside its reports.  What cannot be written is said, and is no success.
    """
    path, contract = session.record.journal.path, session.contract
    try:
        outcome = cleaned(outcome, output.cleaner)
        if baseline is not None:
            again = outcome_of(stream(path), contract, accepted=baseline.accepted)
            outcome = gated(again, baseline, sampled=session.is_sampled)
        report = report_of(path, outcome, contract, baseline)
        _show(report, output, quiet=quiet, tables=tables)
        written = write_reports(path.parent, (*ALWAYS, *reports), report)
        written += further(report)
    except HarnessError as error:
        output.error(str(error))
        if outcome.reason is not None:
            output.error(outcome.reason)
        return outcome.exit_code if outcome.exit_code != CONFORMS else NOT_JUDGED
    try:
        pack(path)
    except OSError as error:
        output.say(f"the journal stays as it is, it could not be packed: {error}")
    if quiet:
        output.print(f"wrote {', '.join(map(str, written))}")
    elif tables:
        for place in written:
            output.say(f"wrote {place}")
    return outcome.exit_code


def _show(report: RunReport, output: Output, *, quiet: bool, tables: bool) -> None:
    if quiet:
        for text in terminal.brief(report):
            output.print(text.plain)
    elif tables:
        terminal.show(report, output.console())
