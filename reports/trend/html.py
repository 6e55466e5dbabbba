"""A trend as one self-contained HTML file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from rules_harness.reports.html import page
from rules_harness.reports.trend.model import Column, Row, Trend

_HEIGHT: Final = 120
_WIDTH: Final = 720
_WIDEST: Final = 60
_NUMBER_WIDTH: Final = 22
"""Room that the number of a run takes."""
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


class AxisLabel(msgspec.Struct, frozen=True):
    """A label of an axis."""

    x: float
    text: str


class RowPicture(msgspec.Struct, frozen=True):
    """A requirement with the picture of its verdicts, and the same in words."""

    row: Row
    parts: tuple[Part, ...]
    told: str


class Picture(msgspec.Struct, frozen=True):
    """A trend with its pictures: the bars of its runs, and the lines of its requirements, by family what is folded."""

    trend: Trend
    parts: tuple[Part, ...]
    part_width: float
    marks: tuple[AxisLabel, ...]
    highest: int
    width: float
    telling: tuple[RowPicture, ...]
    quiet: Mapping[str, Sequence[RowPicture]]
    step_width: float
    row_width: float


def render(*trends: Trend) -> str:
    """The page, each target for itself."""
    failing = sum(len(trend.failing) for trend in trends)
    return page.render(
        "trend.html",
        title=f"{failing} of {sum(len(trend.rows) for trend in trends)} requirements do not hold",
        trends=[_picture(trend) for trend in trends],
        failing=failing,
        runs=sum(len(trend.columns) for trend in trends),
        height=_HEIGHT,
        row_height=_ROW_HEIGHT,
        families=list(dict.fromkeys(row.family for trend in trends for row in trend.rows)),
    )


def _picture(trend: Trend) -> Picture:
    runs = len(trend.columns)
    step = min(_ROW_WIDTH / runs, _ROW_HEIGHT)
    width = max(min(_WIDTH / runs, _WIDEST), 3)
    quiet: dict[str, list[RowPicture]] = {}
    for row in trend.quiet:
        quiet.setdefault(row.family, []).append(_line(row, step))
    return Picture(
        trend=trend,
        parts=tuple(_bars(trend.columns, width)),
        part_width=round(width * 0.85, 2),
        marks=tuple(_marks(runs, width)),
        highest=_highest(trend.columns),
        width=round(width * runs, 2),
        telling=tuple(_line(row, step) for row in trend.telling),
        quiet=quiet,
        step_width=round(step * 0.85, 2),
        row_width=round(step * runs, 2),
    )


def _marks(runs: int, width: float) -> Iterator[AxisLabel]:
    """The numbers of the runs below their bars, as many as have room."""
    step = max(1, math.ceil(_NUMBER_WIDTH / width))
    for number in range(1, runs + 1, step):
        yield AxisLabel(round((number - 0.575) * width, 2), str(number))


def _highest(columns: Sequence[Column]) -> int:
    return max(sum(count for _, count in column.counts) for column in columns) or 1


def _bars(columns: Sequence[Column], width: float) -> Iterator[Part]:
    """Each run as a column of its verdicts, the worst on top."""
    highest = _highest(columns)
    for column in columns:
        y = float(_HEIGHT)
        for verdict, count in reversed(column.counts):
            height = _HEIGHT * count / highest
            y -= height
            label = f"run {column.number}: {count} {verdict}"
            yield Part(verdict, round((column.number - 1) * width, 2), round(y, 2), round(height, 2), label)


def _line(row: Row, step: float) -> RowPicture:
    """A requirement's verdicts side by side; where it was not selected there is a gap."""
    verdicts = [f"run {number}: {verdict}" for number, verdict in enumerate(row.verdicts, 1) if verdict]
    parts = tuple(
        Part(verdict, round(at * step, 2), _ROW_HEIGHT - _STEPS[verdict], _STEPS[verdict], f"run {at + 1}: {verdict}")
        for at, verdict in enumerate(row.verdicts)
        if verdict
    )
    return RowPicture(row, parts, ", ".join(verdicts) or "never selected")
