"""A short run: the most telling scenarios first, as the self-test has found them to be.

``telling.json`` beside this file lists scenarios in the order in which they show most of the faults of the embedded
target for what they cost, each with its number of requests; `python -m benchmarks.curve --write` makes it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rules_harness.harness.scenarios.scenario import Scenario

ORDER: Final = Path(__file__).with_name("telling.json")
UNKNOWN_COST: Final = 20
"""Requests that are reckoned with for a scenario that is not listed."""


def telling_first(scenarios: Sequence[Scenario], requests: int) -> tuple[list[Scenario], list[Scenario]]:
    """The scenarios that so many requests have room for, and those that are left out, both in the order given."""
    costs: dict[str, int] = dict(json.loads(ORDER.read_text(encoding="utf-8")))
    rank = {name: number for number, name in enumerate(costs)}
    taken: set[str] = set()
    left = requests
    for scenario in sorted(scenarios, key=lambda one: rank.get(one.id, len(rank))):
        cost = costs.get(scenario.id, UNKNOWN_COST)
        if cost <= left:
            taken.add(scenario.id)
            left -= cost
    kept = [scenario for scenario in scenarios if scenario.id in taken]
    return kept, [scenario for scenario in scenarios if scenario.id not in taken]
