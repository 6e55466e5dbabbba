"""What tells most, as the self-test has found it: the order of cases within scenarios, and of scenarios in a short run.

``telling.json`` beside this file lists both: ``cases`` by the labels of their requests, and ``scenarios`` with how many
requests each takes. `python -m benchmarks.curve --write` makes it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from rules_harness.harness.scenarios.scenario import Scenario

T = TypeVar("T")
ORDER: Final = Path(__file__).with_name("telling.json")
UNKNOWN_COST: Final = 20
"""Requests that are reckoned with for a scenario that is not listed."""


class Telling(msgspec.Struct, frozen=True):
    """What shows most faults for what it costs, the most telling first."""

    cases: tuple[str, ...] = ()
    scenarios: tuple[tuple[str, int], ...] = ()
    """With the number of their requests."""


@functools.lru_cache(maxsize=1)
def telling() -> Telling:
    """The order that is kept with the package."""
    return msgspec.json.decode(ORDER.read_bytes(), type=Telling)


def cases_first(cases: Iterable[T], label: Callable[[T], str]) -> list[T]:
    """The most telling cases first; the others as they come."""
    rank = {name: number for number, name in enumerate(telling().cases)}
    return sorted(cases, key=lambda case: rank.get(label(case), len(rank)))


def telling_first(scenarios: Sequence[Scenario], requests: int) -> tuple[list[Scenario], list[Scenario]]:
    """The scenarios that so many requests have room for, and those that are left out, both in the order given."""
    costs = dict(telling().scenarios)
    rank = {name: number for number, name in enumerate(costs)}
    taken: set[str] = set()
    left = requests
    for scenario in sorted(scenarios, key=lambda scenario: rank.get(scenario.id, len(rank))):
        cost = costs.get(scenario.id, UNKNOWN_COST)
        if cost <= left:
            taken.add(scenario.id)
            left -= cost
    kept = [scenario for scenario in scenarios if scenario.id in taken]
    return kept, [scenario for scenario in scenarios if scenario.id not in taken]
