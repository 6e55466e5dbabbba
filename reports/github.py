"""Annotations for GitHub: workflow commands, one a line, that a step prints.

GitHub shows ten of a kind a step: the verdict and the requirements that explain most are among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rules_harness.reports import again, plain
from rules_harness.reports.model import FindingGroup, RunReport

_SHOWN: Final = 9
_CONCLUSIONS: Final = {"conforms": "notice", "violates": "error", "inconclusive": "warning", "error": "error"}


def lines(report: RunReport) -> Iterator[str]:
    """The commands."""
    summary = ", ".join(part for part in (report.outcome.reason, plain.counts(report)) if part)
    yield command(_CONCLUSIONS[report.outcome.conclusion], report.headline, f"{report.target.name}: {summary}")
    for group in [group for group in report.groups if not group.accepted][:_SHOWN]:
        level = "error" if group.level == "must" else "warning"
        yield command(level, group.requirement.id, "\n".join(_text(group, report)))


def _text(group: FindingGroup, report: RunReport) -> Iterator[str]:
    first = group.views[0]
    yield group.requirement.sentence
    yield f"expected {first.expected}; was {first.actual}" + (f" ({first.place})" if first.place else "")
    if group.also:
        yield f"also seen as {', '.join(other.requirement.id for other in group.also)}"
    if command := again.replay(first, report):
        yield command


def command(level: str, title: str, message: str, *, file: str = "", line: int = 1) -> str:
    """A workflow command (docs.github.com, "Workflow commands for GitHub Actions"), its text escaped."""
    where = f"file={_value(file)},line={line}," if file else ""
    return f"::{level} {where}title={_value(title)}::{_escaped(message)}\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
