"""JSON Lines: the run, then each requirement, reading and finding as a record of its own, for log pipelines and jq."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rules_harness.reports import summary
from rules_harness.reports.model import RunReport


def lines(report: RunReport) -> Iterator[str]:
    """The records; ``type`` tells them apart, the rest is as in `summary.json`."""
    yield _line({"type": "run", **summary.run(report)})
    for row in report.requirements:
        yield _line({"type": "requirement", "id": row.id, **summary.requirement(row)})
    for reading in report.readings:
        yield _line({"type": "reading", "id": reading.id, **summary.reading(reading)})
    for view in report.findings:
        yield _line({"type": "finding", **summary.finding(view)})


def _line(record: dict[str, object]) -> str:
    return json.dumps(record, separators=(",", ":")) + "\n"
