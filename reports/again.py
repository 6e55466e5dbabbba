"""How a finding is seen again: the command that sends it, and the files that a run leaves beside its reports."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

from rules_harness.reports import pytest_case, script
from rules_harness.reports.model import FindingView, RunReport

FOLDER: Final = "findings"
"""Where a run leaves a folder for each finding, by its id."""


def replay(view: FindingView, report: RunReport) -> str:
    """The one command; empty where the finding rests on the whole run, so that nothing can be sent again."""
    if not view.finding.shown_by:
        return ""
    words = ["rules-harness", "replay", report.run, view.id]
    if report.target.profile:
        words += ["--target", report.target.profile]
    return shlex.join(words)


def files(view: FindingView, report: RunReport) -> tuple[str, str]:
    """The shell script and the pytest test of a finding, as a run leaves them."""
    folder = Path(report.run, FOLDER, view.id)
    return str(folder / script.FILE_NAME), str(folder / pytest_case.file_name(view))
