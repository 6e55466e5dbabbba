"""SARIF 2.1.0: requirements are rules, findings are results, located in the profile of the target.

Code scanning shows a result at a file of the repository that was scanned: whoever runs a gate has the profile there,
and not the contract of this package.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from rules_harness.reports import plain
from rules_harness.reports.model import FindingView, RequirementRow, RunReport

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_DOCUMENT: Final = "openapi/rules.yaml"
_LEVELS: Final = {"must": "error", "should": "warning"}


def render(report: RunReport) -> str:
    """The document; a finding's stable id is its fingerprint, so that a viewer can match it between runs."""
    positions = {row.id: position for position, row in enumerate(report.requirements)}
    run = {
        "tool": {
            "driver": {
                "name": "rules-harness",
                "version": report.header.tool_version,
                "rules": [_rule(row) for row in report.requirements],
            }
        },
        "automationDetails": {"id": f"rules-harness/{report.header.kind}/{report.target.name}"},
        "invocations": [
            {
                "executionSuccessful": report.outcome.conclusion in ("conforms", "violates"),
                "exitCode": report.outcome.exit_code,
                "toolExecutionNotifications": [
                    {"level": "warning", "message": {"text": sentence}} for sentence in report.missing
                ],
            }
        ],
        "results": [_result(view, positions, report) for view in report.findings],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _place(report: RunReport) -> str:
    """The profile, as a URI reference; the contract's document where there is none."""
    profile = report.target.profile
    if not profile:
        return _DOCUMENT
    path = PurePath(profile)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _rule(row: RequirementRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "shortDescription": {"text": row.sentence},
        "fullDescription": {"text": f"{row.sentence} {plain.basis(row)}".strip()},
        "defaultConfiguration": {"level": _LEVELS.get(row.level, "warning")},
        "properties": {"tags": [row.family, row.level], "verdict": row.verdict},
    }


def _result(view: FindingView, positions: dict[str, int], report: RunReport) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": view.requirement.id,
        "level": _LEVELS[view.finding.level],
        "message": {"text": plain.finding(view, report)},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _place(report)}, "region": {"startLine": 1}},
                "logicalLocations": [{"fullyQualifiedName": view.place or report.operation, "kind": "member"}],
            }
        ],
        "partialFingerprints": {"findingId/v1": view.id},
        "occurrenceCount": max(view.finding.count, 1),
        "properties": {"expected": view.expected, "actual": view.actual, "stability": view.finding.stability},
    }
    if view.requirement.id in positions:
        result["ruleIndex"] = positions[view.requirement.id]
    if view.finding.accepted:
        result["suppressions"] = [{"kind": "external", "justification": "accepted by the baseline"}]
    return result
