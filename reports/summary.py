"""`summary.json`: the run in one small document, for scripts."""

from __future__ import annotations

import json
from typing import Any, Final

from rules_harness.reports.model import FindingView, ReadingRow, RequirementRow, RunReport

SCHEMA_VERSION: Final = 1


def render(report: RunReport) -> str:
    """The document; its keys keep their meaning within one ``schema_version``, further keys may be added."""
    document = {
        **run(report),
        "requirements": {row.id: requirement(row) for row in report.requirements},
        "readings": {row.id: reading(row) for row in report.readings},
        "findings": [finding(view) for view in report.findings],
        "coverage": report.footer.coverage if report.footer else {},
        "rules": [
            {"rule": row.rule, "was_enabled": row.was_enabled, "restored": row.restored, "problem": row.problem}
            for row in report.rules
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def run(report: RunReport) -> dict[str, Any]:
    """What is said of the run as a whole."""
    outcome, baseline = report.outcome, report.baseline
    return {
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
        "skipped": [{"reason": row.reason, "scenarios": list(row.scenarios)} for row in report.skipped],
        "baseline": baseline
        and {
            "accepted": baseline.accepted,
            "until": baseline.until or None,
            "problems": list(baseline.problems),
        },
    }


def requirement(row: RequirementRow) -> dict[str, Any]:
    """One verdict."""
    return {
        "level": row.level,
        "verdict": row.verdict,
        "exercised": row.exercised,
        "findings": row.findings,
        "reason": row.reason,
        "seconds": row.seconds,
    }


def reading(row: ReadingRow) -> dict[str, Any]:
    """The answer to one open question."""
    return {
        "answer": row.answer,
        "observations": row.observations,
        "accepted": row.accepted,
        "by_kind": {kind: list(tokens) for kind, tokens in row.by_kind},
    }


def finding(view: FindingView) -> dict[str, Any]:
    """One violation, and where it stands in the journal."""
    here = view.finding
    return {
        "id": here.id,
        "requirement": here.requirement,
        "level": here.level,
        "place": view.place,
        "kind": view.kind,
        "expected": view.expected,
        "actual": view.actual,
        "count": here.count,
        "accepted": here.accepted,
        "stability": here.stability or None,
        "episode": here.episode,
        "shown_by": list(here.shown_by),
    }
