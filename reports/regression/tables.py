"""A comparison as tables of plain text, which every format for people renders in its own way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from rules_harness.openapi.words import Noun
from rules_harness.reports.regression.model import (
    AnswerChange,
    Comparison,
    FindingChange,
    LatencyDrift,
    ReadingChange,
    RequirementChange,
)
from rules_harness.reports.text import counted, duration

Tone = Literal["worse", "better", "plain"]
Form = Literal["text", "code", "finding", "side", "good", "bad"]
_PLACES_SHOWN = 6


class TableCell(msgspec.Struct, frozen=True):
    """What stands in one cell: texts of one form, side by side; ``more`` says how many are left out.

    What a run came to has the form ``good`` or ``bad`` where one of the two is better than the other, else ``side``;
    ids of findings have the form ``finding``.
    """

    texts: tuple[str, ...]
    form: Form = "text"
    more: int = 0


class Table(msgspec.Struct, frozen=True):
    """One aspect of a comparison; ``count`` is the number of entries, of which several may share a row.

    ``again`` has for each row the commands that show it, where there are any; formats without room leave them out.
    """

    name: str
    title: str
    lead: str
    tone: Tone
    count: int
    head: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    again: tuple[str, ...] = ()


def tables(comparison: Comparison) -> tuple[Table, ...]:
    """Those that have entries, the worst first, with the columns that say anything."""
    return tuple(_filled(table) for table in _all(comparison) if table.rows)


def _filled(table: Table) -> Table:
    columns = [at for at in range(len(table.head)) if any(row[at].texts for row in table.rows)]
    rows = tuple(tuple(row[at] for at in columns) for row in table.rows)
    return msgspec.structs.replace(table, head=tuple(table.head[at] for at in columns), rows=rows)


def _all(comparison: Comparison) -> Iterator[Table]:
    yield _findings("new", "New", "Not among the findings of BASE.", "worse", comparison.new)
    yield _requirements(
        "unexercised",
        "No longer exercised",
        "Judged in BASE, not in HEAD.",
        "worse",
        comparison.no_longer_exercised,
        ("good", "bad"),
    )
    yield _readings(comparison.readings)
    yield _findings("fixed", "Fixed", "Put to the test again, and not found again.", "better", comparison.fixed)
    yield _findings("failing", "Still failing", "Found in both runs.", "plain", comparison.still_failing)
    yield _findings(
        "unseen",
        "Not seen again",
        "HEAD did not put these to the test: they are not fixed.",
        "plain",
        comparison.not_seen_again,
    )
    yield _requirements(
        "judged",
        "Newly judged",
        "Judged in HEAD, not in BASE.",
        "plain",
        comparison.newly_judged,
        ("side", "side"),
    )
    yield _answers(comparison.answers, comparison.head.noun)
    yield Table(
        name="fields",
        title="Fields of answers",
        lead="What the target put into answers by itself, to the same kinds of input.",
        tone="plain",
        count=len(comparison.fields),
        head=("field", "change", "in", "kinds of input"),
        rows=tuple(
            (
                _code(change.place),
                _text(change.change),
                _text(f"{change.operation}, {change.answers}"),
                _text(f"{change.kinds:,}"),
            )
            for change in comparison.fields
        ),
    )
    yield Table(
        name="contract",
        title="The contract itself",
        lead="The two runs were held to different versions of it.",
        tone="plain",
        count=len(comparison.contract),
        head=("what", "change", "detail"),
        rows=tuple(
            (_code(f"{change.what} {change.id}"), _text(change.change), _text(change.detail))
            for change in comparison.contract
        ),
    )
    yield _latency(comparison.latency)


def _findings(name: str, title: str, lead: str, tone: Tone, changes: Sequence[FindingChange]) -> Table:
    groups: dict[tuple[str, str, str, str], list[FindingChange]] = {}
    for change in changes:
        finding = change.finding
        groups.setdefault((finding.requirement, finding.level, finding.kind, _note(change)), []).append(change)
    return Table(
        name=name,
        title=title,
        lead=lead,
        tone=tone,
        count=len(changes),
        head=("requirement", "level", "what", "where", "finding"),
        rows=tuple(
            (
                _code(requirement),
                _text(level),
                TableCell(tuple(part for part in (kind or members[0].finding.actual, note) if part)),
                _cut((member.finding.place for member in members if member.finding.place), "code"),
                _cut((member.finding.id for member in members), "finding"),
            )
            for (requirement, level, kind, note), members in groups.items()
        ),
        again=tuple(members[0].again for members in groups.values()),
    )


def _note(change: FindingChange) -> str:
    raised = "a should in BASE" if change.raised else ""
    accepted = "accepted by the baseline" if change.finding.accepted else ""
    return ", ".join(part for part in (raised, accepted, change.note) if part)


def _requirements(
    name: str,
    title: str,
    lead: str,
    tone: Tone,
    changes: Sequence[RequirementChange],
    forms: tuple[Form, Form],
) -> Table:
    return Table(
        name=name,
        title=title,
        lead=lead,
        tone=tone,
        count=len(changes),
        head=("requirement", "level", "BASE", "HEAD", "reason"),
        rows=tuple(
            (
                _code(change.id),
                _text(change.level),
                TableCell((change.before,), forms[0]),
                TableCell((change.after,), forms[1]),
                _text(change.reason),
            )
            for change in changes
        ),
    )


def _readings(changes: Sequence[ReadingChange]) -> Table:
    return Table(
        name="readings",
        title="Readings with another answer",
        lead="What the documentation leaves open, and the target now answers differently.",
        tone="worse" if any(change.refused for change in changes) else "plain",
        count=len(changes),
        head=("reading", "BASE", "HEAD", "for", "remark"),
        rows=tuple(
            (
                _code(change.id),
                TableCell(change.before, "good" if change.refused else "side"),
                TableCell(change.after, "bad" if change.refused else "side"),
                _cut(change.kinds, "code"),
                _text("no longer accepted" if change.refused else ""),
            )
            for change in changes
        ),
    )


def _answers(changes: Sequence[AnswerChange], noun: Noun) -> Table:
    """Callers who see the same change share a row."""
    alike: dict[tuple[object, ...], list[AnswerChange]] = {}
    for change in changes:
        same = (change.operation, change.body, change.existence, change.before, change.after)
        alike.setdefault(same, []).append(change)
    return Table(
        name="answers",
        title="Answered differently",
        lead="Kinds of input that got another status or error code, allowed or not.",
        tone="plain",
        count=sum(len(change.kinds) for change in changes),
        head=("input", "BASE", "HEAD", "kinds"),
        rows=tuple(
            (
                _text(_input(members, noun)),
                *_sides(members[0].before, members[0].after),
                _cut((kind for member in members for kind in member.kinds), "code"),
            )
            for members in alike.values()
        ),
    )


def _input(changes: Sequence[AnswerChange], noun: Noun) -> str:
    change, kinds = changes[0], sum(len(change.kinds) for change in changes)
    caller = change.caller if len(changes) == 1 else counted(len(changes), "caller")
    body = "" if change.body == "none" else f"{change.body} body"
    whose = "" if change.existence == "own" else f"{change.existence} {noun}"
    parts = (change.operation, body, f"by {caller}", whose, counted(kinds, "kind"))
    return ", ".join(part for part in parts if part)


def _latency(drifts: Sequence[LatencyDrift]) -> Table:
    return Table(
        name="latency",
        title="Latency",
        lead="Medians over the kinds of input that both runs sent, and how HEAD compares, with a 95 % interval. "
        "It tells these two runs apart, the load of the machines included, and never counts as worse.",
        tone="plain",
        count=len(drifts),
        head=("answers", "BASE", "HEAD", "HEAD / BASE", "drift"),
        rows=tuple(
            (
                _text(f"{drift.operation}, {drift.answers}"),
                _text(f"{duration(drift.before)} ({drift.count_before:,})"),
                _text(f"{duration(drift.after)} ({drift.count_after:,})"),
                _text(f"{drift.ratio:.2f} ({drift.low:.2f} to {drift.high:.2f})"),
                _text(drift.drift),
            )
            for drift in drifts
        ),
    )


def _text(text: str) -> TableCell:
    return TableCell((text,) if text else ())


def _code(text: str) -> TableCell:
    return TableCell((text,), "code")


def _sides(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[TableCell, TableCell]:
    """What the two runs were answered; colours follow better and worse, whichever of the runs it is."""
    bad = any(map(_is_bad_answer, before)), any(map(_is_bad_answer, after))
    forms: dict[tuple[bool, bool], tuple[Form, Form]] = {(True, False): ("bad", "good"), (False, True): ("good", "bad")}
    left, right = forms.get(bad, ("side", "side"))
    return TableCell(before, left), TableCell(after, right)


def _is_bad_answer(answer: str) -> bool:
    """Whether the server erred or did not answer: any other status may be what the contract wants."""
    return not answer[:1].isdigit() or answer.startswith("5")


def _cut(texts: Iterable[str], form: Form) -> TableCell:
    """The first few of several texts, and the number of the others."""
    whole = tuple(dict.fromkeys(texts))
    return TableCell(whole[:_PLACES_SHOWN], form, max(len(whole) - _PLACES_SHOWN, 0))
