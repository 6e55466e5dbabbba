"""`rules-harness diff`: what is different between two runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import click
import msgspec

from rules_harness.harness import journal
from rules_harness.harness.cli.documents import document_options, tell
from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import CONFORMS, VIOLATED
from rules_harness.harness.journal import Header
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.session.recorded import OWN_CONTRACT, contract_for, header_of
from rules_harness.openapi.contract import Contract, load
from rules_harness.openapi.errors import ContractError
from rules_harness.reports.baseline import load as load_baseline
from rules_harness.reports.regression import data, html, markdown, terminal
from rules_harness.reports.regression.compare import compare
from rules_harness.reports.regression.model import Comparison
from rules_harness.reports.regression.side import Side

_RENDERERS: Final[Mapping[str, Callable[[Comparison], str]]] = {
    "markdown": markdown.render,
    "html": html.render,
    "json": data.render,
}


@click.command(short_help="Compare two recorded runs.")
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("head", type=click.Path(path_type=Path))
@document_options(*_RENDERERS)
@click.option("--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Findings that are accepted.")
@click.pass_obj
def command(output: Output, base: Path, head: Path, form: str, out: Path | None, baseline: Path | None) -> int:
    """Say what is different between BASE and HEAD, two recorded runs (their folders or journals).

    The exit code is 1 where HEAD is worse: a must newly fails or is no longer exercised, or a reading is no longer
    answered as accepted. Latency never counts.
    """
    comparison = _compared(base, head, baseline)
    text = partial(_RENDERERS[form], comparison) if form in _RENDERERS else None
    tell(output, out, partial(terminal.show, comparison, brief=output.quiet), text)
    return VIOLATED if comparison.worse else CONFORMS


def _compared(base: Path, head: Path, baseline: Path | None) -> Comparison:
    known = None if baseline is None else load_baseline(baseline, datetime.now(UTC))
    accepted = {} if known is None else known.accepted
    before, after = _side(base, accepted), _side(head, accepted)
    is_sampled = after.header.kind != "gate"
    problems = () if known is None else known.problems(after.outcome, sampled=is_sampled)
    return compare(before, after, baseline_problems=problems)


def _side(run: Path, accepted: Mapping[str, str]) -> Side:
    path = journal.locate(run)
    records = partial(journal.stream, path)
    header = header_of(path)
    contract = contract_for(header, None)
    return Side(
        name=str(run),
        header=header,
        outcome=outcome_of(records(), contract, accepted=accepted),
        contract=contract,
        recorded=_recorded(header),
        records=records,
    )


def _recorded(header: Header) -> Contract | None:
    """The contract that stands in a journal; `None` where it cannot be read any more."""
    packaged = load()
    if header.contract_sha256 == packaged.sha256:
        return packaged
    try:
        return contract_for(msgspec.structs.replace(header, options={OWN_CONTRACT: True}), None)
    except ContractError:
        return None
