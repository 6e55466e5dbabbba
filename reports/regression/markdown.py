"""A comparison as Markdown, for a CI job summary or a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rules_harness.reports.markdown import code, escaped
from rules_harness.reports.regression.model import Comparison, RunView
from rules_harness.reports.regression.tables import Table, TableCell, tables
from rules_harness.reports.text import counted

SIZE_LIMIT: Final = 900_000
"""In bytes: GitHub takes no job summary of more than 1 MiB."""
_MARKS: Final = {"worse": "❌", "better": "✅", "plain": "ℹ️"}
_ROWS_SHOWN: Final = 100
_SENTENCES_SHOWN: Final = 20


def render(comparison: Comparison) -> str:
    """The document; tables beyond the size that CI accepts are counted instead."""
    parts = list(_head(comparison))
    room = SIZE_LIMIT - sum(len(part.encode()) for part in parts)
    for table in tables(comparison):
        text = "\n\n".join(_section(table))
        if (room := room - len(text.encode()) - 2) < 0:
            text = f"## {_MARKS[table.tone]} {table.title}: {table.count:,}, in the other formats"
        parts.append(text)
    return "\n\n".join(parts) + "\n"


def _head(comparison: Comparison) -> Iterator[str]:
    mark = _MARKS["worse" if comparison.worse else "better"]
    yield f"# {mark} {comparison.headline}"
    if comparison.worse:
        sentences = [f"- {escaped(sentence)}" for sentence in comparison.worse[:_SENTENCES_SHOWN]]
        if len(comparison.worse) > _SENTENCES_SHOWN:
            sentences.append(f"- … and {len(comparison.worse) - _SENTENCES_SHOWN} more")
        yield "\n".join(sentences)
    head = ("", "run", "target", "started", "seed", "failed", "warned", "judged")
    yield _grid(head, [_run("BASE", comparison.base), _run("HEAD", comparison.head)])
    for remark in comparison.remarks:
        yield f"> ⚠️ {escaped(remark)}"


def _run(label: str, run: RunView) -> tuple[str, ...]:
    figures = (str(run.seed), str(run.failed), str(run.warned), str(run.judged))
    return label, code(run.name), escaped(run.target), escaped(run.started_at), *figures


def _section(table: Table) -> Iterator[str]:
    yield f"## {_MARKS[table.tone]} {table.title}: {table.count:,}"
    yield escaped(table.lead)
    text = _grid(table.head, [tuple(_cell(cell) for cell in row) for row in table.rows[:_ROWS_SHOWN]])
    if (more := len(table.rows) - _ROWS_SHOWN) > 0:
        text += f"\n\n… and {counted(more, 'more row')}, in the other formats"
    is_folded = table.tone == "plain"
    yield f"<details><summary>Show {table.title.lower()}</summary>\n\n{text}\n\n</details>" if is_folded else text


def _grid(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cell(cell: TableCell) -> str:
    texts = [escaped(text) if cell.form == "text" else code(text) for text in cell.texts]
    return ", ".join([*texts, f"… {cell.more:,} more"] if cell.more else texts)
