"""What tells most, as the self-test has found it: the order of the cases that scenarios share out, and of a short run.

``telling.json`` beside this file lists units, the most telling first: a scenario as its cases are listed, one of its
cases, empty for a scenario without any, and how many requests that takes; and the requests that each scenario takes
beside its cases. `python -m benchmarks.curve --write` makes it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from rules_harness.harness.scenarios.scenario import Scenario

T = TypeVar("T")
ORDER: Final = Path(__file__).with_name("telling.json")
UNKNOWN_COST: Final = 20
"""Requests that are reckoned with for a scenario that is not listed."""
UNKNOWN_CASE_COST: Final = 2
"""And for a case that is not."""

Unit = tuple[str, str, int]


class Telling(msgspec.Struct, frozen=True):
    """What shows most faults for what it costs, the most telling first."""

    units: tuple[Unit, ...] = ()
    besides: Mapping[str, int] = {}


@functools.lru_cache(maxsize=1)
def telling() -> Telling:
    """The order that is kept with the package."""
    return msgspec.json.decode(ORDER.read_bytes(), type=Telling)


@functools.lru_cache(maxsize=1)
def _cases() -> Mapping[str, Mapping[str, int]]:
    """The rank of each case, by what it is listed under."""
    ranks: dict[str, dict[str, int]] = {}
    for rank, (name, case, _) in enumerate(telling().units):
        ranks.setdefault(name, {})[case] = rank
    return ranks


def cases_first(listed_as: str, cases: Iterable[T], name: Callable[[T], str]) -> list[T]:
    """The most telling cases first; the others as they come."""
    ranks = _cases().get(listed_as, {})
    return sorted(cases, key=lambda case: ranks.get(name(case), len(telling().units)))


def most_telling_first(scenarios: Iterable[Scenario]) -> list[Scenario]:
    """The scenarios by the most telling of their cases; those that are not listed last."""
    unlisted = len(telling().units)

    def rank(scenario: Scenario) -> int:
        ranks = _cases().get(scenario.listed_as, {})
        cases = scenario.cases or ranks
        return min((ranks.get(case, unlisted) for case in cases), default=unlisted)

    return sorted(scenarios, key=rank)


def outer_of(case: str) -> str:
    """The case in whose turn another is sent: `A` of one that is called `A, read`; empty where its name tells none."""
    return case.rpartition(", ")[0]


def _undivided(name: str) -> tuple[str, ...]:
    return (name,)


def chunked(
    listed_as: str,
    cases: Iterable[T],
    length: int,
    name: Callable[[T], str],
    make: Callable[[str, Sequence[T]], Scenario],
    *,
    parts: Callable[[str], tuple[str, ...]] = _undivided,
) -> Iterator[Scenario]:
    """Scenarios that share out a list of cases, the most telling first; ``make`` makes one of an id and its share.

    ``parts`` are what of a case a short run may send apart, by names of their own.
    """
    ordered = cases_first(listed_as, cases, name)
    for number, start in enumerate(range(0, len(ordered), length), start=1):
        share = ordered[start : start + length]
        scenario = make(f"{listed_as}-{number:02d}", share)
        sent = tuple(part for case in share for part in parts(name(case)))
        yield msgspec.structs.replace(scenario, part_of=listed_as, cases=sent)


class Short(msgspec.Struct, frozen=True):
    """What so many requests have room for, in the order in which it was given."""

    kept: tuple[Scenario, ...]
    """Those of which cases are left out send the others only."""
    cut: tuple[Scenario, ...]
    """Those of which cases are left out, as they were."""
    left_out: tuple[Scenario, ...]


def telling_first(scenarios: Sequence[Scenario], requests: int) -> Short:
    """The most telling of these scenarios and of their cases, as far as so many requests go."""
    by_case = {(scenario.listed_as, case): scenario for scenario in scenarios for case in scenario.cases or [""]}
    whole = {scenario.id: scenario for scenario in scenarios if not scenario.cases}
    taken: dict[str, set[str]] = {}
    left = requests
    for name, case, cost in (*telling().units, *_unlisted(scenarios)):
        scenario = by_case.get((name, case)) or whole.get(name)
        if scenario is None:
            continue
        outer = outer_of(case)
        if outer and outer in _cases().get(name, {}) and outer not in taken.get(scenario.id, ()):
            continue
        whole_cost = cost + (0 if scenario.id in taken else telling().besides.get(name, 0))
        if whole_cost <= left:
            taken.setdefault(scenario.id, set()).add(case)
            left -= whole_cost
    kept, cut = [], []
    for scenario in scenarios:
        if scenario.id in taken:
            known = frozenset(scenario.cases) or frozenset(_cases().get(scenario.listed_as, ()))
            wanted = frozenset(taken[scenario.id])
            is_cut = not known <= wanted
            kept.append(scenario.with_cases(wanted, known) if is_cut else scenario)
            cut += [scenario] * is_cut
    return Short(tuple(kept), tuple(cut), tuple(scenario for scenario in scenarios if scenario.id not in taken))


def _unlisted(scenarios: Iterable[Scenario]) -> Iterator[Unit]:
    """What the order does not know, of another contract for example."""
    for scenario in scenarios:
        listed = _cases().get(scenario.listed_as, {})
        if not scenario.cases and not listed:
            yield scenario.listed_as, "", UNKNOWN_COST
        for case in scenario.cases:
            if case not in listed:
                yield scenario.listed_as, case, UNKNOWN_CASE_COST
