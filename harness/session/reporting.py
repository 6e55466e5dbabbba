"""What a run leaves: its reports in a folder, and its tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from rules_harness.harness import journal
from rules_harness.harness.errors import UsageError
from rules_harness.harness.files import make_private, write_private
from rules_harness.harness.judging.outcome import Outcome
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.openapi.contract import Contract
from rules_harness.reports.baseline import Baseline
from rules_harness.reports.collect import collect
from rules_harness.reports.formats import render_all
from rules_harness.reports.model import RunReport

ALWAYS: Final = ("junit", "summary")
"""The reports that every run leaves."""


def cleaned(outcome: Outcome, cleaner: Cleaner) -> Outcome:
    """The outcome as a journal would hold it: without keys, in any form."""
    return msgspec.json.decode(cleaner.clean_text(msgspec.json.encode(outcome)), type=Outcome)


def report_of(run: Path, outcome: Outcome, contract: Contract, baseline: Baseline | None = None) -> RunReport:
    """The values of all reports of a recorded run; ``baseline`` is what it was gated by."""
    return collect(partial(journal.stream, run), outcome, contract, run=str(run.parent), baseline=baseline)


def write_reports(folder: Path, names: Iterable[str], report: RunReport) -> list[Path]:
    """Write reports; returns their paths. Raises `UsageError` where that is not possible."""
    written = []
    for file_name, pieces in render_all(report, names):
        path = folder / file_name
        try:
            make_private(folder)
            write_private(path, pieces)
        except OSError as error:
            problem = f"cannot write {path}: {error.strerror}"
            raise UsageError(f"{problem}; the journal is whole, and `rules-harness report` makes it") from error
        written.append(path)
    return written
