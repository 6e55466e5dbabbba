"""CTRF, the Common Test Report Format: one test per requirement, as JSON."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any, Final

from rules_harness.reports import plain
from rules_harness.reports.model import RequirementRow, RunReport

_SPECIFICATION: Final = "0.0.0"
_STATUSES: Final = {
    "passed": "passed",
    "failed": "failed",
    "warned": "passed",
    "skipped": "skipped",
    "inconclusive": "skipped",
    "error": "other",
}


def render(report: RunReport) -> str:
    """The document; the verdict itself stands in ``rawStatus``."""
    tests = [_test(row, report) for row in report.requirements]
    counts = Counter(test["status"] for test in tests)
    start = _milliseconds(report.header.started_at)
    document = {
        "reportFormat": "CTRF",
        "specVersion": _SPECIFICATION,
        "generatedBy": f"rules-harness {report.header.tool_version}",
        "results": {
            "tool": {"name": "rules-harness", "version": report.header.tool_version},
            "summary": {
                "tests": len(tests),
                **{status: counts[status] for status in ("passed", "failed", "skipped", "pending", "other")},
                "suites": len(report.families),
                "start": start,
                "stop": start + round(report.seconds * 1000),
            },
            "tests": tests,
            "environment": {"appName": report.operation, "testEnvironment": report.target.name},
        },
    }
    return json.dumps(document, indent=1) + "\n"


def _test(row: RequirementRow, report: RunReport) -> dict[str, Any]:
    status = "failed" if row.verdict == "warned" and report.header.fail_on == "should" else _STATUSES[row.verdict]
    views = [view for view in report.findings if view.finding.requirement == row.id]
    test: dict[str, Any] = {
        "name": row.id,
        "status": status,
        "duration": round(1000 * row.seconds),
        "suite": [row.family],
        "rawStatus": row.verdict,
        "tags": [row.level],
        "message": row.reason or row.sentence,
    }
    if views:
        test["trace"] = plain.findings(views, report)
    return test


def _milliseconds(moment: str) -> int:
    try:
        return round(datetime.fromisoformat(moment).timestamp() * 1000)
    except ValueError:
        return 0
