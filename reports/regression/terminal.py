"""A comparison on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from rules_harness.reports.regression.model import Comparison, RunView
from rules_harness.reports.regression.tables import Table, TableCell, tables
from rules_harness.reports.text import counted

_TONES: Final = {"worse": "bold red", "better": "bold green", "plain": "bold"}
_FORMS: Final = {"text": "", "code": "cyan", "finding": "cyan", "side": "", "good": "green", "bad": "red"}
_ROWS_SHOWN: Final = 40
_WIDTH_LIMIT: Final = 160


def show(comparison: Comparison, console: Console, *, brief: bool = False) -> None:
    """Print the comparison, at most 160 columns wide, or only what it comes to.

    Every text is taken as it is, never as markup.
    """
    if brief:
        console.print(next(verdict(comparison)))
        return
    width = min(console.width, _WIDTH_LIMIT)
    for part in _parts(comparison):
        console.print(part, width=width)


def _parts(comparison: Comparison) -> Iterator[RenderableType]:
    yield _run("BASE", comparison.base)
    yield _run("HEAD", comparison.head)
    for remark in comparison.remarks:
        yield Text(f"Note: {remark}", style="yellow")
    for table in tables(comparison):
        yield Text("")
        yield Text(f"{table.title} ({table.count:,})", style=_TONES[table.tone])
        yield _table(table)
        if len(table.rows) > _ROWS_SHOWN:
            yield Text(f"… and {counted(len(table.rows) - _ROWS_SHOWN, 'more row')}, in the other formats", style="dim")
    yield Text("")
    yield from verdict(comparison)


def verdict(comparison: Comparison) -> Iterator[Text]:
    """The last lines: what the comparison comes to."""
    style = "bold red" if comparison.worse else "bold green"
    yield Text(comparison.headline, style=style) + Text(f" ({counted(comparison.changes, 'difference')})", style="dim")
    for sentence in comparison.worse:
        yield Text(f"  {sentence}", style="red")


def _run(label: str, run: RunView) -> Text:
    text = Text(f"{label}  ", style="bold")
    text.append(run.name)
    counts = f"{run.failed} failed, {run.warned} warned of {run.judged} judged"
    text.append(f"  {run.target}, {run.started_at}, seed {run.seed}, {counts}", style="dim")
    return text


def _table(table: Table) -> RichTable:
    grid = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for position, title in enumerate(table.head):
        grid.add_column(title, no_wrap=position == 0 and title in ("requirement", "reading"), overflow="fold")
    for row in table.rows[:_ROWS_SHOWN]:
        grid.add_row(*map(_cell, row))
    return grid


def _cell(cell: TableCell) -> Text:
    text = Text("; ".join(cell.texts), style=_FORMS[cell.form])
    if cell.more:
        text.append(f"; … {cell.more:,} more", style="dim")
    return text
