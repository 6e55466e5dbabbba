"""Findings by what is typed of them."""

from __future__ import annotations

from collections.abc import Sequence

from rules_harness.harness.errors import UsageError
from rules_harness.harness.judging.outcome import Finding

_SHOWN = 20


def named(findings: Sequence[Finding], text: str) -> Finding:
    """The finding whose id is this or begins so; raises `UsageError` where there is none, or several begin so."""
    matching = [finding for finding in findings if finding.id.startswith(text)] if text else []
    if len(matching) != 1:
        known = ", ".join(finding.id for finding in (matching or findings)[:_SHOWN]) or "none"
        problem = "several findings begin so" if matching else "the run has no such finding"
        raise UsageError(f"{text}: {problem}; there are: {known}")
    return matching[0]
