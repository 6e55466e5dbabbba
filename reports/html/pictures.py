"""The shapes of the report's pictures: numbers for SVG elements, computed here so that the templates stay plain."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from rules_harness.reports.model import Latency
from rules_harness.reports.text import duration

WIDTH: Final = 720
HEIGHT: Final = 190
_TOP: Final = 46
_BOTTOM: Final = 160


class Bar(msgspec.Struct, frozen=True):
    """A rectangle with what it says."""

    x: float
    y: float
    width: float
    height: float
    label: str


class Line(msgspec.Struct, frozen=True):
    """A vertical line with its label; ``anchor`` is the side of it on which the label stands."""

    x: float
    label: str
    y: float = 0
    anchor: str = "start"


class Histogram(msgspec.Struct, frozen=True):
    """Answers by time, on a logarithmic axis."""

    bars: tuple[Bar, ...]
    ticks: tuple[Line, ...]
    percentiles: tuple[Line, ...]


def histogram(latency: Latency) -> Histogram:
    """The picture of a latency distribution."""
    first, last = latency.buckets[0][0], latency.buckets[-1][1]
    span = math.log10(last / first)

    def x(seconds: float) -> float:
        return round(WIDTH * min(max(math.log10(max(seconds, first) / first) / span, 0), 1), 1)

    highest = max(count for _, _, count in latency.buckets)
    bars = []
    for start, end, count in latency.buckets:
        height = (_BOTTOM - _TOP) * count / highest
        label = f"{duration(start)} to {duration(end)}: {count:,}"
        bars.append(
            Bar(x(start) + 0.5, round(_BOTTOM - height, 1), max(x(end) - x(start) - 1, 1), round(height, 1), label)
        )
    percentiles = [("p50", latency.p50), ("p95", latency.p95), ("p99", latency.p99)]
    return Histogram(
        bars=tuple(bar for bar in bars if bar.height),
        ticks=tuple(_ticks(first, last, x)),
        percentiles=tuple(
            Line(x(value), f"{name} {duration(value)}", 15 * row + 11, "end" if x(value) > WIDTH - 110 else "start")
            for row, (name, value) in enumerate(percentiles)
        ),
    )


def _ticks(first: float, last: float, x: Callable[[float], float]) -> Iterator[Line]:
    """1, 2 and 5 of each power of ten, as far as their labels have room."""
    values = [
        factor * 10.0**power
        for power in range(math.floor(math.log10(first)), math.ceil(math.log10(last)) + 1)
        for factor in (1, 2, 5)
    ]
    taken = -100.0
    for value in values:
        if first * 0.999 <= value <= last * 1.001 and x(value) - taken >= 54:
            taken = x(value)
            anchor = "start" if taken < 20 else "end" if taken > WIDTH - 20 else "middle"
            yield Line(taken, duration(value), anchor=anchor)


class Segment(msgspec.Struct, frozen=True):
    """A part of a bar of shares."""

    name: str
    x: float
    width: float
    count: int


def shares(counts: dict[str, int]) -> tuple[Segment, ...]:
    """A bar divided by counts; what is there at all is at least a few units wide."""
    present = {name: count for name, count in counts.items() if count}
    total = sum(present.values())
    if not total:
        return ()
    weights = {name: max(count / total, 0.012) for name, count in present.items()}
    scale = WIDTH / sum(weights.values())
    gap = 1.5 if len(present) > 1 else 0
    segments = []
    x = 0.0
    for name, weight in weights.items():
        segments.append(Segment(name, round(x, 2), round(weight * scale - gap, 2), present[name]))
        x += weight * scale
    return tuple(segments)
