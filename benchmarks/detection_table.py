"""What `benchmarks.detection` has measured, as a table and as a plot."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from benchmarks.sightings import TOOLS, Found

Rows = dict[str, dict[str, dict[str, Found]]]
"""What came of each fault, tool and seed."""
COLOURS: Final = {"campaign": "#0b7285", "gate": "#e8590c", "schemathesis": "#868e96"}


def median(of_seeds: Mapping[str, Found]) -> Found:
    """The median of several seeds; one that found nothing counts as later than any that did."""

    def of(values: Iterable[float | None]) -> float | None:
        middle = statistics.median_high([math.inf if value is None else value for value in values])
        return None if middle == math.inf else middle

    requests = of(found.requests for found in of_seeds.values())
    seconds = of(found.seconds for found in of_seeds.values())
    return Found(seconds, None if requests is None else round(requests))


def cell(found: Found) -> str:
    """What came of one try, in words."""
    if found.seconds is None:
        return "not found"
    requests = "" if found.requests is None else f", {found.requests:,} requests"
    return f"{found.seconds:.1f} s{requests}"


def table(rows: Rows) -> str:
    """A row for each family of requirements, as Markdown: how many each tool found, and the medians of those."""
    families = sorted({fault.partition(".")[0] for fault in rows})
    lines = [
        f"| family | {' | '.join(TOOLS)} |",
        f"|---|{'---|' * len(TOOLS)}",
    ]
    for family in (*families, ""):
        of_family = [row for fault, row in rows.items() if fault.startswith(f"{family}." if family else "")]
        cells = " | ".join(_summary([median(row[tool]) for row in of_family if tool in row]) for tool in TOOLS)
        lines.append(f"| {family or '**all**'} | {cells} |")
    return "\n".join([*lines, ""])


def _summary(tried: Sequence[Found]) -> str:
    found = [one for one in tried if one.seconds is not None]
    if not tried:
        return "–"
    if not found:
        return f"0 of {len(tried)}"
    seconds = statistics.median(one.seconds or 0.0 for one in found)
    requests = [one.requests for one in found if one.requests is not None]
    counted = f", {statistics.median(requests):,.0f} requests" if requests else ""
    return f"{len(found)} of {len(tried)}; {seconds:.1f} s{counted}"


def plot(rows: Rows, seconds: float) -> str:
    """Which share of the faults each tool has found after so many seconds, as an SVG."""
    width, height, left, bottom = 720, 360, 56, 40
    across, up = width - left - 16, height - bottom - 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12"><rect width="100%" height="100%" fill="white"/>',
        f'<path d="M{left} 16V{height - bottom}H{width - 16}" fill="none" stroke="black"/>',
        f'<text x="{width / 2}" y="{height - 8}">seconds, 0 to {seconds:g}</text>',
        '<text x="8" y="14">faults found, of those that were tried</text>',
    ]
    for number, tool in enumerate(TOOLS):
        tried = [median(row[tool]).seconds for row in rows.values() if tool in row]
        times = sorted(moment for moment in tried if moment is not None)
        line = f"M{left} {height - bottom}"
        for count, moment in enumerate(times, start=1):
            line += f"H{left + across * min(1.0, moment / seconds):.1f}V{height - bottom - up * count / len(tried):.1f}"
        parts.append(f'<path d="{line}H{width - 16}" fill="none" stroke="{COLOURS[tool]}" stroke-width="2"/>')
        parts.append(
            f'<text x="{width - 180}" y="{height - bottom - 50 + 16 * number}" fill="{COLOURS[tool]}">'
            f"{tool}: {len(times)} of {len(tried)}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])
