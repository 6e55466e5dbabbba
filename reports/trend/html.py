"""A trend as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from rules_harness.reports.html import page
from rules_harness.reports.trend.model import Column, Row, Trend

_HEIGHT: Final = 120
_WIDEST: Final = 60
_ROW_HEIGHT: Final = 20
_ROW_WIDTH: Final = 480
_STEPS: Final = {"failed": 20, "error": 20, "warned": 14, "passed": 8, "inconclusive": 4, "skipped": 4}
"""The worse a verdict, the higher: the picture is to be read without colours too."""


class Part(msgspec.Struct, frozen=True):
    """A rectangle, in the colour of a verdict."""

    verdict: str
    x: float
    y: float
    height: float
    label: str


class RowPicture(msgspec.Struct, frozen=True):
    """A requirement with the picture of its verdicts, and the same in words."""

    row: Row
    parts: tuple[Part, ...]
    told: str


def render(trend: Trend) -> str:
    """The page."""
    runs = len(trend.columns)
    step = min(_ROW_WIDTH / runs, _ROW_HEIGHT)
    families: dict[str, list[RowPicture]] = {}
    for row in trend.rows:
        families.setdefault(row.family, []).append(_line(row, step))
    width = max(min(720 / runs, _WIDEST), 3)
    return page.render(
        "trend.html",
        title=f"{len(trend.rows)} requirements over {runs} runs",
        trend=trend,
        families=families,
        parts=list(_bars(trend.columns, width)),
        part_width=round(width * 0.85, 2),
        width=round(width * runs, 2),
        height=_HEIGHT,
        step_width=round(step * 0.85, 2),
        row_width=round(step * runs, 2),
        row_height=_ROW_HEIGHT,
    )


def _bars(columns: Sequence[Column], width: float) -> Iterator[Part]:
    """Each run as a column of its verdicts, the worst on top."""
    highest = max(sum(count for _, count in column.counts) for column in columns) or 1
    for column in columns:
        y = float(_HEIGHT)
        for verdict, count in reversed(column.counts):
            height = _HEIGHT * count / highest
            y -= height
            label = f"run {column.number}: {count} {verdict}"
            yield Part(verdict, round((column.number - 1) * width, 2), round(y, 2), round(height, 2), label)


def _line(row: Row, step: float) -> RowPicture:
    """A requirement's verdicts side by side; where it was not selected there is a gap."""
    told = [f"run {number}: {verdict}" for number, verdict in enumerate(row.verdicts, 1) if verdict]
    parts = tuple(
        Part(verdict, round(at * step, 2), _ROW_HEIGHT - _STEPS[verdict], _STEPS[verdict], f"run {at + 1}: {verdict}")
        for at, verdict in enumerate(row.verdicts)
        if verdict
    )
    return RowPicture(row, parts, ", ".join(told) or "never selected")
