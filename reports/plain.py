"""A finding in plain text, for formats that have room for words only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rules_harness.reports import again, curl
from rules_harness.reports.model import VERDICTS, FindingView, ReadingRow, RequirementRow, RunReport
from rules_harness.reports.text import counted

FULL: Final = 3
"""How many findings against one requirement are told in full where room is short; often they are one defect."""


def findings(views: Sequence[FindingView], report: RunReport) -> str:
    """The findings against one requirement: the first ones in full, then place and actual of the others."""
    texts = [finding(view, report) for view in views[:FULL]]
    others = [f"also at {view.place}: {view.actual} (finding {view.id})" for view in views[FULL:]]
    return "\n\n".join([*texts, "\n".join(others)] if others else texts)


def finding(view: FindingView, report: RunReport) -> str:
    """Sentence, basis, place, expected, actual, and the commands that show it again."""
    return "\n".join(_finding_lines(view, report))


def _finding_lines(view: FindingView, report: RunReport) -> Iterator[str]:
    row = view.requirement
    yield f"{row.id} ({view.finding.level}): {row.sentence}"
    yield basis(row)
    yield f"place:     {view.place}"
    yield f"kind:      {view.kind}"
    yield f"expected:  {view.expected}"
    yield f"actual:    {view.actual}"
    if view.finding.count > 1:
        yield f"seen:      {view.finding.count:,} times"
    if view.stability:
        yield f"sent again: {view.stability}"
    yield f"finding:   {view.id}"
    if command := again.replay(view, report):
        yield command
    yield from curl.lines(view, report)


def counts(report: RunReport) -> str:
    """How many requirements have each verdict, and how many findings a baseline accepts."""
    parts = [f"{report.count(verdict)} {verdict}" for verdict in VERDICTS if report.count(verdict)]
    return ", ".join([*parts, accepted(report)] if accepted(report) else parts)


def accepted(report: RunReport) -> str:
    """How many findings the baseline accepts, and until when; empty where it accepts none."""
    if report.baseline is None or not report.baseline.accepted:
        return ""
    return f"{counted(report.baseline.accepted, 'finding')} accepted by the baseline until {report.baseline.until}"


def by_answer(row: ReadingRow) -> str:
    """Which kinds of question have which answer, where they differ: the rarest answer first, `FULL` kinds of each."""
    if row.answer not in ("varies", "mixed"):
        return ""
    kinds: dict[str, list[str]] = {}
    for kind, tokens in row.by_kind:
        kinds.setdefault(", ".join(tokens), []).append(kind or "any")
    return "; ".join(f"{answer}: {_first_of(names)}" for answer, names in sorted(kinds.items(), key=_how_many))


def _how_many(answered: tuple[str, list[str]]) -> int:
    return len(answered[1])


def _first_of(names: Sequence[str]) -> str:
    more = len(names) - FULL
    return ", ".join(names[:FULL]) + (f" and {more:,} more" if more > 0 else "")


def basis(row: RequirementRow) -> str:
    """Where a requirement comes from, in words."""
    texts = {
        "quotation": f"The documentation says: “{row.basis}”",
        "standard": f"By standard: {row.basis}",
        "safety": f"For safety: {row.basis}",
        "inferred": f"Inferred: {row.basis}",
    }
    return texts.get(row.basis_kind, row.basis)
