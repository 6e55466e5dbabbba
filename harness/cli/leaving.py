"""Leaves each finding of a campaign as a folder of its own: the record, a shell script, a test."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from rules_harness.harness.errors import UsageError
from rules_harness.harness.files import make_private, write_private
from rules_harness.reports import curl, pytest_case
from rules_harness.reports.model import FindingView, RunReport

FOLDER: Final = "findings"
_HEAD: Final = "#!/usr/bin/env bash\n# Keys are taken from the environment.\n"


def leave_findings(out: Path, report: RunReport) -> list[Path]:
    """Write ``findings/ID/`` for each finding that requests show; returns the folders. Raises `UsageError`."""
    left = []
    for view in report.findings:
        if not view.episode:
            continue
        folder = out / FOLDER / view.id
        try:
            make_private(folder)
            for name, content in _files(view, report).items():
                write_private(folder / name, [content])
        except OSError as error:
            raise UsageError(f"cannot write {folder}: {error.strerror}; the journal is whole") from error
        left.append(folder)
    return left


def _files(view: FindingView, report: RunReport) -> dict[str, bytes]:
    record = {
        "finding": view.finding,
        "sentence": view.requirement.sentence,
        "exchanges": [shown.exchange for shown in view.episode],
    }
    commands = "\n".join(curl.lines(view, report.target))
    files = {
        "finding.json": msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n",
        "curl.sh": (_HEAD + commands + "\n").encode("utf-8", "backslashreplace"),
    }
    test = pytest_case.render(view, report.target, report.contract)
    if test is not None:
        files[f"test_{view.id}.py"] = test.encode("utf-8", "backslashreplace")
    return files
