"""Markdown for a CI job summary: the verdict, what broke and how to see it again, and every verdict by family."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import Final

from rules_harness.reports import again, curl, plain
from rules_harness.reports.model import VERDICTS, FindingGroup, FindingView, ReadingRow, RunReport
from rules_harness.reports.text import counted, duration

SIZE_LIMIT: Final = 900_000
"""In bytes: GitHub takes no job summary of more than 1 MiB."""
_BROKEN_SHOWN: Final = 3
_WARNINGS_SHOWN: Final = 3
_MARKS: Final = {
    "failed": "❌",
    "warned": "⚠️",
    "error": "💥",
    "inconclusive": "❔",
    "skipped": "➖",
    "passed": "✅",
}
_CONCLUSIONS: Final = {"conforms": "✅", "violates": "❌", "inconclusive": "❔", "error": "💥"}
_PUNCTUATION: Final = re.compile(r"([!\"#$%&'()*+,\-./:;<=>?\[\\\]^_`{|}~])")


def escaped(text: str) -> str:
    """The text so that Markdown shows it as it is: no markup, no HTML, no link, no mention."""
    safe = _PUNCTUATION.sub(r"\\\1", text).replace("@", "&#64;")
    return " ".join(safe.split())


def code(text: str) -> str:
    """The text as inline code, which may stand in a table."""
    inner = " ".join(text.split()) or " "
    fence = "`" * (max((len(run) for run in re.findall(r"`+", inner)), default=0) + 1)
    padded = f" {inner} " if inner[0] == "`" or inner[-1] == "`" else inner
    return f"{fence}{padded}{fence}".replace("|", "\\|")


def prose(text: str) -> str:
    """A sentence of the contract, its `names` as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escaped(text)
    return "".join(code(part) if i % 2 else _spaced(part) for i, part in enumerate(parts))


def _spaced(text: str) -> str:
    """Escaped, with the spaces at its ends."""
    return f"{' ' * text.startswith(' ')}{escaped(text)}{' ' * (text != ' ' and text.endswith(' '))}"


def block(text: str, language: str = "") -> str:
    """The text as a block of code that it cannot end."""
    fence = "`" * max(3, max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def render(report: RunReport) -> str:
    """The document: its first twelve lines say what broke and how to see it again, the rest is folded away.

    Findings beyond the size that CI accepts are counted instead.
    """
    parts = ["\n".join(_head(report)), "\n\n".join(_tables(report))]
    room = SIZE_LIMIT - sum(len(part.encode()) for part in parts)
    blocks: list[str] = []
    for group in _all_groups(report):
        text = _folded(_summary(group), "\n\n".join(_group(group, report)))
        room -= len(text.encode())
        if room < 0:
            blocks.append("… and more, in the HTML report: this summary may not grow longer.")
            break
        blocks.append(text)
    if blocks:
        parts.insert(1, "\n\n".join(["## Findings", *blocks]))
    return "\n\n".join(parts) + "\n"


def _all_groups(report: RunReport) -> Iterator[FindingGroup]:
    for group in report.groups:
        yield group
        yield from group.also


def _head(report: RunReport) -> Iterator[str]:
    mark = _CONCLUSIONS[report.outcome.conclusion]
    yield f"# {mark} {escaped(report.headline)}: {code(report.operation)} of {escaped(report.target.name)}"
    yield ""
    verdicts = [f"{_MARKS[verdict]} {report.count(verdict)} {verdict}" for verdict in VERDICTS if report.count(verdict)]
    accepted = [f"🕒 {escaped(plain.accepted(report))}"] if plain.accepted(report) else []
    reason = [escaped(report.outcome.reason)] if report.outcome.reason else []
    yield " · ".join([*reason, *verdicts, *accepted])
    yield from _first_lines(report)
    yield from _warnings(report)


def _first_lines(report: RunReport) -> Iterator[str]:
    """What broke, the most telling first, and the command that sends it again."""
    failing = [group for group in report.groups if not group.accepted]
    for group in failing[:_BROKEN_SHOWN]:
        also = ", ".join(code(other.requirement.id) for other in group.also[:_BROKEN_SHOWN])
        more = ", …" if len(group.also) > _BROKEN_SHOWN else ""
        yield f"- {_title(group)}{f', also seen as {also}{more}' if also else ''}"
    if len(failing) > _BROKEN_SHOWN:
        yield f"- … and {len(failing) - _BROKEN_SHOWN} more"
    commands = [command for group in failing for view in group.views if (command := again.replay(view, report))]
    if commands:
        yield "\n" + block(commands[0], "sh")


def _warnings(report: RunReport) -> Iterator[str]:
    failed = [row for row in report.rules if row.problem is not None]
    if failed:
        problems = "; ".join(f"{code(row.rule)}: {escaped(row.problem or '')}" for row in failed)
        yield f"\n> ❌ Not put back: {problems}"
    sentences = [*(report.baseline.problems if report.baseline else ()), *report.missing]
    if sentences:
        more = f" … and {len(sentences) - _WARNINGS_SHOWN} more" if len(sentences) > _WARNINGS_SHOWN else ""
        yield "\n> ⚠️ " + " ".join(map(escaped, sentences[:_WARNINGS_SHOWN])) + more


def _title(group: FindingGroup) -> str:
    row = group.requirement
    accepted = " (accepted by the baseline)" if group.accepted else ""
    return f"{_mark(group)} {code(row.id)}: {prose(row.sentence)}{accepted}"


def _mark(group: FindingGroup) -> str:
    return "🕒" if group.accepted else "❌" if group.level == "must" else "⚠️"


def _summary(group: FindingGroup) -> str:
    places = counted(len(group.views), "finding")
    return f"{_mark(group)} {html.escape(group.requirement.id)} ({group.level}, {places})"


def _folded(title: str, text: str) -> str:
    """Something to open; its title is HTML, for Markdown does not go on inside a summary."""
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def _run(report: RunReport) -> Iterator[str]:
    yield (
        f"{counted(report.requests, 'request')} in {duration(report.seconds)} · seed {report.header.seed} · "
        f"contract {escaped(report.header.contract_version)} · rules\\-harness {escaped(report.header.tool_version)}"
    )
    if report.coverage:
        yield "Reached: " + ", ".join(
            f"{count.reached:,} of {count.total:,} {escaped(count.name)}" for count in report.coverage
        )
    enabled = [row.rule for row in report.rules if row.was_enabled and row.restored]
    if enabled:
        names = ", ".join(code(rule) for rule in enabled)
        yield f"> ℹ️ Enabled before the run, disabled now; a human re\\-enables them: {names}"


def _group(group: FindingGroup, report: RunReport) -> Iterator[str]:
    yield _title(group)
    yield f"> {escaped(plain.basis(group.requirement))}"
    for view in group.views[: plain.FULL]:
        yield from _finding(view, report)
    others = group.views[plain.FULL :]
    if others:
        listed = "\n".join(f"- {code(view.place)}: {escaped(view.actual)}" for view in others)
        yield _folded(counted(len(others), "more place"), listed)


def _finding(view: FindingView, report: RunReport) -> Iterator[str]:
    finding = view.finding
    place = code(view.place) if view.place else ""
    remarks = (finding.level, f"seen {counted(finding.count, 'time')}", escaped(view.stability), place)
    yield " · ".join(remark for remark in remarks if remark)
    yield _table(("", ""), [("expected", escaped(view.expected)), ("actual", escaped(view.actual))])
    if replay := again.replay(view, report):
        yield block(replay, "sh")
    if commands := curl.lines(view, report):
        yield _folded("With curl", block("\n".join(commands), "bash"))


def _tables(report: RunReport) -> Iterator[str]:
    yield "## Requirements"
    for family in report.families:
        counts = ", ".join(f"{family.count(verdict)} {verdict}" for verdict in VERDICTS if family.count(verdict))
        rows = [
            (f"{_MARKS[row.verdict]} {row.verdict}", code(row.id), str(row.exercised), escaped(row.reason or ""))
            for row in family.rows
        ]
        table = _table(("verdict", "requirement", "exercised", "reason"), rows)
        yield _folded(f"{html.escape(family.name)}: {counts}", table)
    if report.readings:
        yield "## Readings"
        readings = _table(("question", "answer", "seen"), [_reading(row) for row in report.readings])
        yield _folded(counted(len(report.readings), "reading"), readings)
    yield "## Run"
    yield from _run(report)


def _reading(row: ReadingRow) -> tuple[str, str, str]:
    answer = "not asked" if row.answer is None else code(row.answer)
    if kinds := plain.by_answer(row):
        answer += f" {escaped(kinds)}"
    if not row.accepted and row.answer is not None:
        answer = f"⚠️ {answer}"
    return f"{code(row.id)} {prose(row.question)}", answer, str(row.observations)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
