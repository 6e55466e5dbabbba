"""`summary.json`: the run in one small document, for scripts."""

from __future__ import annotations

import json
from typing import Any, Final

from rules_harness.reports.model import FindingView, RunReport

SCHEMA_VERSION: Final = 1


def render(report: RunReport) -> str:
    """The document; its keys keep their meaning within one ``schema_version``, further keys may be added."""
    outcome = report.outcome
    document = {
        "schema_version": SCHEMA_VERSION,
        "outcome": outcome.conclusion,
        "exit_code": outcome.exit_code,
        "reason": outcome.reason,
        "target": report.target.name,
        "base_url": report.target.base_url,
        "kind": report.header.kind,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "requests_per_second": round(report.requests / report.seconds, 1) if report.seconds else None,
        "seed": report.header.seed,
        "started_at": report.header.started_at,
        "tool_version": report.header.tool_version,
        "contract": {"version": report.header.contract_version, "sha256": report.header.contract_sha256},
        "missing": list(report.missing),
        "requirements": {
            row.id: {
                "level": row.level,
                "verdict": row.verdict,
                "exercised": row.exercised,
                "findings": row.findings,
                "reason": row.reason,
            }
            for row in report.requirements
        },
        "readings": {
            row.id: {
                "answer": row.answer,
                "observations": row.observations,
                "accepted": row.accepted,
                "by_kind": {kind: list(tokens) for kind, tokens in row.by_kind},
            }
            for row in report.readings
        },
        "baseline": None
        if report.baseline is None
        else {
            "accepted": report.baseline.accepted,
            "until": report.baseline.until or None,
            "problems": list(report.baseline.problems),
        },
        "findings": [_finding(view) for view in report.findings],
        "coverage": report.footer.coverage if report.footer else {},
        "rules": [
            {"rule": row.rule, "was_enabled": row.was_enabled, "restored": row.restored, "problem": row.problem}
            for row in report.rules
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _finding(view: FindingView) -> dict[str, Any]:
    finding = view.finding
    return {
        "id": finding.id,
        "requirement": finding.requirement,
        "level": finding.level,
        "place": view.place,
        "kind": view.kind,
        "expected": view.expected,
        "actual": view.actual,
        "count": finding.count,
        "accepted": finding.accepted,
        "stability": finding.stability or None,
        "episode": finding.episode,
        "shown_by": list(finding.shown_by),
    }
