"""Of schemathesis' boundary cases one stands for all that break the same place in the same manner."""

from __future__ import annotations

from datetime import UTC, datetime

from rules_harness.harness.scenarios.boundary import ABOUT, scenarios
from rules_harness.harness.session.opening import specimen
from rules_harness.openapi.contract import load
from rules_harness.strategies.boundary import BoundaryCase, boundary_cases

CONTRACT = load()


def test_what_is_firmly_refused_stands_for_the_rest() -> None:
    profile = specimen(CONTRACT)
    world = profile.world(datetime(2026, 6, 1, tzinfo=UTC))
    sent = {name for scenario in scenarios(CONTRACT, world, profile) for name in scenario.cases}
    alike: dict[tuple[str, str], list[BoundaryCase]] = {}
    for case in boundary_cases(CONTRACT, world):
        alike.setdefault((case.place, case.scenario), []).append(case)
    chosen = {key: [case for case in cases if case.name in sent] for key, cases in alike.items()}
    assert all(len(cases) <= 1 for cases in chosen.values())
    assert {key for key, cases in chosen.items() if cases}
    for key, cases in chosen.items():
        firm = [case for case in alike[key] if case.level == "must" and case.dormant and case.within_cap]
        assert not cases or not firm or cases[0].level == "must", key


def test_what_they_may_exercise_is_known_before_they_are_made() -> None:
    world = specimen(CONTRACT).world(datetime(2026, 6, 1, tzinfo=UTC))
    assert {case.requirement for case in boundary_cases(CONTRACT, world) if case.requirement} == ABOUT
