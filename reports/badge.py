"""A badge for shields.io: the JSON of its endpoint schema."""

from __future__ import annotations

import json
from typing import Final

from rules_harness.reports.model import RunReport

_COLOURS: Final = {"conforms": "brightgreen", "violates": "red", "inconclusive": "lightgrey", "error": "lightgrey"}


def render(report: RunReport) -> str:
    """The document: how many of the judged requirements hold."""
    held, warned, failed = (report.count(verdict) for verdict in ("passed", "warned", "failed"))
    judged = held + warned + failed
    message = f"{held} of {judged} hold" if judged else "not judged"
    colour = _COLOURS[report.outcome.conclusion]
    if colour == "brightgreen" and warned:
        colour = "yellowgreen"
    document = {
        "schemaVersion": 1,
        "label": report.operation,
        "message": message,
        "color": colour,
        "isError": report.outcome.conclusion == "error",
    }
    return json.dumps(document) + "\n"
