"""`rules-harness judge`: today's checks on an old run."""

from __future__ import annotations

from pathlib import Path

import click

from rules_harness.harness import journal
from rules_harness.harness.cli.options import OutputPath, contract_option
from rules_harness.harness.cli.output import Output
from rules_harness.harness.session.recorded import contract_for, header_of, judged
from rules_harness.harness.session.reporting import ALWAYS, report_of, write_reports
from rules_harness.openapi.contract import Contract
from rules_harness.reports import terminal


@click.command(short_help="Judge a recorded run again; nothing is sent.")
@click.argument("run", type=click.Path(path_type=Path))
@contract_option
@click.option("--out", type=OutputPath(), metavar="DIR", help="Write junit.xml and summary.json there.")
@click.pass_obj
def command(output: Output, run: Path, contract: Contract | None, out: Path | None) -> int:
    """Judge RUN, a recorded run (its folder or its journal), with today's checks. Nothing is sent.

    The exit code is that of a run with this outcome.
    """
    path = journal.locate(run)
    held_to = contract_for(header_of(path), contract)
    outcome = judged(path, held_to)
    report = report_of(path, outcome, held_to)
    if output.quiet:
        output.print(terminal.verdict(report).plain)
    else:
        terminal.show(report, output.console())
    if out is not None:
        for written in write_reports(out, ALWAYS, report):
            output.say(f"wrote {written}")
    return outcome.exit_code
