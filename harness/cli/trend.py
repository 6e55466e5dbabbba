"""`rules-harness trend`: requirements over several runs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click
from rich.console import Console

from rules_harness.harness import journal
from rules_harness.harness.cli.documents import document_options, tell
from rules_harness.harness.cli.output import Output
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.session.recorded import contract_for, header_of
from rules_harness.reports.trend import html, terminal
from rules_harness.reports.trend.model import JudgedRun, trends_of


@click.command(short_help="Show requirements over several recorded runs.")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN…")
@document_options("html")
@click.pass_obj
def command(output: Output, runs: tuple[Path, ...], form: str, out: Path | None) -> None:
    """Show which requirements held in each RUN (its folder or its journal), in the order in which they were started.

    It tells where each was first seen not to hold, where it was fixed, and which come and go; what always held is
    counted. Runs of different targets are told apart. Today's checks judge every run.
    """
    trends = trends_of(_judged(run) for run in runs)

    def show(console: Console) -> None:
        for trend in trends:
            terminal.show(trend, console, brief=output.quiet)

    tell(output, out, show, partial(html.render, *trends) if form == "html" else None)


def _judged(run: Path) -> JudgedRun:
    path = journal.locate(run)
    header = header_of(path)
    contract = contract_for(header, None)
    return JudgedRun(str(run), header, outcome_of(journal.stream(path), contract), contract)
