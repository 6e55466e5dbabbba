"""`rules-harness report`: reports of a recorded run."""

from __future__ import annotations

from pathlib import Path

import click

from rules_harness.harness import journal
from rules_harness.harness.cli.options import OutputPath, contract_option, report_names
from rules_harness.harness.cli.output import Output
from rules_harness.harness.session.recorded import contract_for, header_of, judged
from rules_harness.harness.session.reporting import report_of, write_reports
from rules_harness.openapi.contract import Contract
from rules_harness.reports.formats import FORMATS


@click.command(short_help="Make further reports of a recorded run.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "formats",
    multiple=True,
    required=True,
    callback=report_names,
    metavar="NAME,…",
    help=f"Which: {', '.join(FORMATS)}.",
)
@click.option("--out", type=OutputPath(), metavar="DIR", help="Where they go; RUN's folder by default.")
@contract_option
@click.pass_obj
def command(output: Output, run: Path, formats: tuple[str, ...], out: Path | None, contract: Contract | None) -> None:
    """Make reports of RUN, a recorded run (its folder or its journal), at any later time.

    A journal that was cut off gives reports that say what is missing.
    """
    path = journal.locate(run)
    held_to = contract_for(header_of(path), contract)
    report = report_of(path, judged(path, held_to), held_to)
    written = write_reports(out or path.parent, formats, report)
    for place in (", ".join(map(str, written)),) if output.quiet else written:
        output.print(f"wrote {place}")
