"""Counts over all exchanges of a run, kept small: they grow with the kinds of requests, not with their number."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rules_harness.harness.exchange import Answer, Exchange
from rules_harness.harness.intent import Intent
from rules_harness.openapi.words import Noun
from rules_harness.reports.model import Cell, Grid, GridRow, HeatMap, Latency, Mark
from rules_harness.reports.text import line

FAULTS: Final[Mapping[str, str]] = {
    "timeout": "timed out",
    "connect": "no connection",
    "proxy": "no proxy",
    "closed": "closed",
    "abandoned": "abandoned",
    "too-large": "too large",
    "malformed": "not HTTP",
    "unsent": "not sent",
}
"""What a report says instead of a status where nothing that could be judged came back."""

_OUTSIDE: Final = "{} outside its resources"
_FOREIGN: Final = "another organization's {}"
_CONDITIONS: Final = (
    "valid update",
    "broken update",
    _OUTSIDE,
    _FOREIGN,
    "another organization's account",
    "unknown id",
    "read",
    "trigger",
)
_BROKEN: Final = frozenset({"broken", "syntax", "encoding", "media-type", "size"})
_CELL_LIMIT: Final = 2000
_BUCKETS_PER_DECADE: Final = 10


def status_of(exchange: Exchange) -> str:
    """The status as a report shows it, or what happened instead of an answer."""
    outcome = exchange.outcome
    return str(outcome.status) if isinstance(outcome, Answer) else FAULTS[outcome.kind]


class CellTally:
    """Statuses and findings of many cells, by their keys."""

    def __init__(self) -> None:
        self.statuses: dict[tuple[str, str], Counter[str]] = {}
        self.findings: dict[tuple[str, str], dict[str, None]] = {}

    def add(self, key: tuple[str, str], status: str, findings: Iterable[str]) -> None:
        """Count one answer in a cell, and note the findings that it shows."""
        self.statuses.setdefault(key, Counter())[status] += 1
        for finding in findings:
            self.findings.setdefault(key, {})[finding] = None

    def cell(self, key: tuple[str, str]) -> Cell:
        """What was counted under a key; an empty cell where nothing was."""
        return Cell(tuple(self.statuses.get(key, Counter()).most_common()), tuple(self.findings.get(key, ())))


class GridTally:
    """Who asked for what, and what came back."""

    def __init__(self) -> None:
        self._cells = CellTally()

    def add(self, exchange: Exchange, status: str, findings: Iterable[str]) -> None:
        """Count one exchange, if nothing but its caller and what it asks for decides the answer."""
        intent = exchange.intent
        condition = _condition(intent)
        if condition and intent.purpose in ("probe", "read", "trigger") and intent.key is None and not intent.reading:
            self._cells.add((intent.caller, condition), status, findings)

    def result(self, noun: Noun) -> Grid:
        """The table: ``full`` first; odd credentials that got the same answers everywhere share a row.

        ``noun`` is what people call that which is updated.
        """
        seen = self._cells.statuses
        callers = sorted(dict.fromkeys(caller for caller, _ in seen), key=lambda name: (name != "full", _is_odd(name)))
        columns = tuple(name for name in _CONDITIONS if any((caller, name) in seen for caller in callers))
        rows: dict[object, list[str]] = {}
        for caller in callers:
            cells = [self._cells.cell((caller, name)) for name in columns]
            alike = [tuple(status for status, _ in cell.statuses) for cell in cells]
            flagged = any(cell.findings for cell in cells)
            rows.setdefault(tuple(alike) if _is_odd(caller) and not flagged else caller, []).append(caller)
        head = tuple(name.format(noun.singular) for name in columns)
        return Grid(head, tuple(self._row(members, columns) for members in rows.values()))

    def _row(self, callers: list[str], columns: tuple[str, ...]) -> GridRow:
        cells = []
        for name in columns:
            members = [self._cells.cell((caller, name)) for caller in callers]
            total: Counter[str] = Counter()
            for member in members:
                total.update(dict(member.statuses))
            cells.append(Cell(tuple(total.most_common()), tuple(id for member in members for id in member.findings)))
        name = callers[0] if len(callers) == 1 else f"{len(callers)} odd credentials"
        listed = () if len(callers) == 1 else tuple(line(_bare(caller), 80) for caller in callers)
        return GridRow(line(name, 80), listed, tuple(cells))


def _is_odd(caller: str) -> bool:
    """Whether a caller is not a credential of the profile: something is wrong with it on purpose."""
    return ":" in caller or "|" in caller


def _bare(caller: str) -> str:
    return caller.partition(":")[2] or caller


def _condition(intent: Intent) -> str:
    if intent.operation in ("read", "trigger"):
        return intent.operation
    if intent.operation != "update":
        return ""
    if intent.access == "outside-resources":
        return _OUTSIDE
    if intent.existence != "own":
        return {"unknown": "unknown id", "foreign": _FOREIGN}.get(intent.existence, "")
    by_body = {
        "valid": "valid update",
        "none": "valid update",
        "broken": "broken update",
        "foreign-account": "another organization's account",
    }
    return by_body.get(intent.body, "")


class HeatTally:
    """The answers to bodies that were broken on purpose: mutations by place and kind, whole bodies by what they are."""

    def __init__(self) -> None:
        self._cells = CellTally()
        self._bodies = CellTally()

    def add(self, exchange: Exchange, status: str, findings: Iterable[str]) -> None:
        """Count one exchange, if its body is broken on purpose and whoever sends it may."""
        intent = exchange.intent
        if intent.body not in _BROKEN or intent.access != "allowed" or intent.existence != "own":
            return
        if intent.body == "broken" and intent.place:
            self._cells.add((intent.place, intent.violation or intent.label), status, findings)
        else:
            self._bodies.add((intent.body, ""), status, findings)

    def result(self) -> HeatMap:
        """The map, places with odd answers first; of more than 2,000 cells the odd ones."""
        usual = self._usual()
        cells = self._cells
        keys = sorted(cells.statuses, key=lambda key: set(cells.statuses[key]) == {usual} and key not in cells.findings)
        kept = set(keys[:_CELL_LIMIT])
        places = list(dict.fromkeys(place for place, kind in cells.statuses if (place, kind) in kept))
        keywords = tuple(dict.fromkeys(_keyword(kind) for place, kind in cells.statuses if (place, kind) in kept))
        marks: dict[tuple[str, str], list[Mark]] = {}
        for place, kind in cells.statuses:
            if (place, kind) in kept:
                cell = cells.cell((place, kind))
                mark = Mark(_detail(kind), cell, odd=any(status != usual for status, _ in cell.statuses))
                marks.setdefault((place, _keyword(kind)), []).append(mark)
        rows = [(line(place, 160), tuple(tuple(marks.get((place, word), ())) for word in keywords)) for place in places]
        rows.sort(key=lambda row: not any(mark.odd for cell in row[1] for mark in cell))
        return HeatMap(
            keywords=tuple(line(word, 40) for word in keywords),
            rows=tuple(rows),
            usual=usual,
            marks=len(keys),
            odd=sum(mark.odd for cell in marks.values() for mark in cell),
            left_out=len(keys) - len(kept),
            bodies=tuple((body, self._bodies.cell((body, ""))) for body, _ in self._bodies.statuses),
        )

    def _usual(self) -> str:
        """The refusal that most mutations got; accepted ones are never the usual answer."""
        total: Counter[str] = Counter()
        for statuses in self._cells.statuses.values():
            total.update({status: count for status, count in statuses.items() if status.startswith("4")})
        return total.most_common(1)[0][0] if total else ""


def _keyword(kind: str) -> str:
    return kind.partition(":")[0]


def _detail(kind: str) -> str:
    keyword, _, detail = kind.partition(":")
    return line(detail or keyword, 120)


class LatencyTally:
    """How long each answer took."""

    def __init__(self) -> None:
        self._seconds = array("d")

    def add(self, exchange: Exchange) -> None:
        """Note the time of one exchange, if it was answered."""
        if isinstance(exchange.outcome, Answer):
            self._seconds.append(max(exchange.ended - exchange.started, 0.0))

    def result(self) -> Latency | None:
        """Percentiles (nearest rank) and the histogram; ``None`` without answers."""
        if not self._seconds:
            return None
        ordered = sorted(self._seconds)
        return Latency(
            count=len(ordered),
            p50=_rank(ordered, 0.50),
            p95=_rank(ordered, 0.95),
            p99=_rank(ordered, 0.99),
            longest=ordered[-1],
            buckets=_buckets(ordered),
        )


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def _buckets(ordered: Sequence[float]) -> tuple[tuple[float, float, int], ...]:
    counts = Counter(math.floor(math.log10(max(seconds, 1e-5)) * _BUCKETS_PER_DECADE) for seconds in ordered)
    edges = range(min(counts), max(counts) + 1)
    return tuple(
        (10 ** (edge / _BUCKETS_PER_DECADE), 10 ** ((edge + 1) / _BUCKETS_PER_DECADE), counts[edge]) for edge in edges
    )
