"""A trend as one self-contained HTML file."""

from __future__ import annotations

from typing import Final

import msgspec

from reports.html import page
from reports.trend.model import Column, Row, Trend

_HEIGHT: Final = 120
_WIDEST: Final = 60


class Part(msgspec.Struct, frozen=True):
    """A rectangle of a column: the requirements with one verdict in one run."""

    verdict: str
    y: float
    height: float
    label: str


class Bar(msgspec.Struct, frozen=True):
    """A run as a column of its verdicts."""

    number: int
    x: float
    parts: tuple[Part, ...]


def render(trend: Trend) -> str:
    """The page."""
    families: dict[str, list[Row]] = {}
    for row in trend.rows:
        families.setdefault(row.family, []).append(row)
    width = max(min(720 / len(trend.columns), _WIDEST), 3)
    highest = max(sum(count for _, count in column.counts) for column in trend.columns) or 1
    return page.render(
        "trend.html",
        title=f"{len(trend.rows)} requirements over {len(trend.columns)} runs",
        trend=trend,
        families=families,
        bars=[_bar(column, width, highest) for column in trend.columns],
        bar_width=round(width * 0.85, 2),
        width=round(width * len(trend.columns), 2),
        height=_HEIGHT,
    )


def _bar(column: Column, width: float, highest: int) -> Bar:
    parts = []
    y = float(_HEIGHT)
    for verdict, count in reversed(column.counts):
        height = _HEIGHT * count / highest
        y -= height
        parts.append(Part(verdict, round(y, 2), round(height, 2), f"run {column.number}: {count} {verdict}"))
    return Bar(column.number, round((column.number - 1) * width, 2), tuple(parts))
