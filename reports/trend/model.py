"""Requirements × runs as frozen values, and how they are made: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from rules_harness.harness.journal import Header
from rules_harness.harness.judging.outcome import Outcome
from rules_harness.openapi.contract import Contract
from rules_harness.reports.model import VERDICTS
from rules_harness.reports.text import line

_JUDGED: Final = frozenset({"passed", "failed", "warned"})


class Column(msgspec.Struct, frozen=True):
    """One run. ``number`` counts from 1, in the order in which the runs were started."""

    number: int
    name: str
    target: str
    started_at: str
    seed: int
    conclusion: str
    counts: tuple[tuple[str, int], ...]
    """Requirements by verdict."""


class Row(msgspec.Struct, frozen=True):
    """One requirement, with its verdict in each run; empty where the run did not select it.

    ``first_seen`` is the run in which it first did not hold, ``fixed_in`` the first after the last such run in which it
    held again.  ``broke`` counts how often it went from holding to not; ``flakiness`` is, for one that broke more than
    once, the share of the steps from one judged run to the next in which it turned.
    """

    id: str
    level: str
    family: str
    sentence: str
    verdicts: tuple[str, ...]
    first_seen: int | None
    fixed_in: int | None
    broke: int
    flakiness: float | None

    @property
    def fails(self) -> bool:
        """Whether it did not hold when it was last judged."""
        return self.first_seen is not None and self.fixed_in is None


class Trend(msgspec.Struct, frozen=True):
    """All requirements over all runs."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def flaky(self) -> tuple[Row, ...]:
        """The requirements that broke more than once."""
        return tuple(row for row in self.rows if row.flakiness is not None)

    @property
    def failing(self) -> tuple[Row, ...]:
        """The requirements that did not hold when they were last judged."""
        return tuple(row for row in self.rows if row.fails)

    @property
    def telling(self) -> tuple[Row, ...]:
        """What a reader wants to see first: what does not hold, then what comes and goes, then what was fixed."""
        marked = [row for row in self.rows if row.first_seen is not None]
        return tuple(sorted(marked, key=lambda row: (not row.fails, row.flakiness is None)))

    @property
    def quiet(self) -> tuple[Row, ...]:
        """The others: they held whenever they were judged."""
        return tuple(row for row in self.rows if row.first_seen is None)

    @property
    def target(self) -> str:
        """The target of the last run."""
        return self.columns[-1].target


class JudgedRun(msgspec.Struct, frozen=True):
    """A run with what it concluded, and the contract that it was judged by."""

    name: str
    header: Header
    outcome: Outcome
    contract: Contract


def trends_of(runs: Iterable[JudgedRun]) -> tuple[Trend, ...]:
    """A trend for each target, what fails most first: what one of them breaks says nothing of another."""
    by_target: dict[str, list[JudgedRun]] = {}
    for run in sorted(runs, key=lambda run: run.header.started_at):
        by_target.setdefault(run.header.target, []).append(run)
    return tuple(sorted(map(trend_of, by_target.values()), key=lambda trend: -len(trend.failing)))


def trend_of(runs: Iterable[JudgedRun]) -> Trend:
    """The trend of runs, in the order in which they were started."""
    ordered = sorted(runs, key=lambda run: run.header.started_at)
    ids = dict.fromkeys(id for run in reversed(ordered) for id in run.contract.requirements)
    return Trend(
        columns=tuple(_column(number, run) for number, run in enumerate(ordered, 1)),
        rows=tuple(_row(id, ordered) for id in ids),
    )


def _column(number: int, run: JudgedRun) -> Column:
    verdicts = [judged.verdict for judged in run.outcome.requirements.values()]
    return Column(
        number=number,
        name=line(run.name),
        target=line(run.header.target),
        started_at=line(run.header.started_at),
        seed=run.header.seed,
        conclusion=run.outcome.conclusion,
        counts=tuple((verdict, verdicts.count(verdict)) for verdict in VERDICTS if verdict in verdicts),
    )


def _row(id: str, runs: Sequence[JudgedRun]) -> Row:
    requirement = next(run.contract.requirements[id] for run in reversed(runs) if id in run.contract.requirements)
    outcomes = [run.outcome.requirements.get(id) for run in runs]
    verdicts = tuple(outcome.verdict if outcome is not None else "" for outcome in outcomes)
    judged = [(number, verdict != "passed") for number, verdict in enumerate(verdicts, 1) if verdict in _JUDGED]
    failing = [number for number, fails in judged if fails]
    broke = sum(fails and not before for (_, before), (_, fails) in pairwise([(0, False), *judged]))
    turned = sum(fails != before for (_, before), (_, fails) in pairwise(judged))
    return Row(
        id=line(id),
        level=requirement.level,
        family=line(requirement.family),
        sentence=requirement.sentence,
        verdicts=verdicts,
        first_seen=failing[0] if failing else None,
        fixed_in=next((number for number, _ in judged if number > failing[-1]), None) if failing else None,
        broke=broke,
        flakiness=turned / (len(judged) - 1) if broke > 1 else None,
    )
