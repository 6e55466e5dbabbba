"""A trend on a terminal: a grid of requirements and runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from rules_harness.reports.text import counted
from rules_harness.reports.trend.model import Column, Row, Trend

_MARKS: Final = {
    "passed": ("✓", "green"),
    "failed": ("✕", "bold red"),
    "warned": ("!", "yellow"),
    "error": ("‼", "bold red"),
    "inconclusive": ("?", "blue"),
    "skipped": ("–", "dim"),
    "": ("·", "dim"),
}
_WIDTH_LIMIT: Final = 200
_COLUMNS_BESIDE: Final = 78


def show(trend: Trend, console: Console, *, brief: bool = False) -> None:
    """Print the grid, or only what it comes to; of more runs than fit beside the rest, the last ones."""
    if brief:
        console.print(_conclusion(trend))
        return
    width = min(console.width, _WIDTH_LIMIT)
    columns = min(max((width - _COLUMNS_BESIDE) // 2, 5), len(trend.columns))
    for part in _parts(trend, columns):
        console.print(part, width=width)


def _parts(trend: Trend, columns: int) -> Iterator[RenderableType]:
    yield Text(trend.target, style="bold")
    for column in trend.columns:
        yield _run(column)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    left_out = len(trend.columns) - columns
    table.add_column("requirement", no_wrap=True)
    table.add_column("level", no_wrap=True)
    table.add_column(f"runs {left_out + 1} to {len(trend.columns)}", no_wrap=True)
    for title in ("first seen in", "fixed in", "flakiness"):
        table.add_column(title, justify="right")
    for row in trend.telling:
        table.add_row(*_cells(row, left_out))
    if trend.telling:
        yield table
    if trend.quiet:
        yield Text(f"{counted(len(trend.quiet), 'requirement')} held whenever judged", style="dim")
    marks = "  ".join(f"{mark} {verdict or 'not selected'}" for verdict, (mark, _) in _MARKS.items())
    yield Text(marks, style="dim")
    yield _conclusion(trend)


def _conclusion(trend: Trend) -> Text:
    return Text(
        f"{trend.target}: {counted(len(trend.rows), 'requirement')} over {counted(len(trend.columns), 'run')}: "
        f"{len(trend.failing)} do not hold, {len(trend.flaky)} come and go"
    )


def _run(column: Column) -> Text:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in column.counts)
    text = Text(f"{column.number:>3}  {column.name}")
    text.append(f"  {column.target}, {column.started_at}, seed {column.seed}: {counts}", style="dim")
    return text


def _cells(row: Row, left_out: int) -> Iterator[Text]:
    yield Text(row.id)
    yield Text(row.level, style="dim")
    grid = Text()
    for verdict in row.verdicts[left_out:]:
        mark, style = _MARKS[verdict]
        grid.append(f"{mark} ", style=style)
    yield grid
    yield Text("" if row.first_seen is None else str(row.first_seen))
    yield Text("" if row.fixed_in is None else str(row.fixed_in))
    yield Text("" if row.flakiness is None else f"{row.flakiness:.0%}", style="yellow")
