"""A short run: what it takes, and what it says of the rest."""

from __future__ import annotations

from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.scenarios.telling import UNKNOWN_COST, cases_first, telling, telling_first


def scenarios(*names: str) -> list[Scenario]:
    return [Scenario(name, name.partition("/")[0], (), lambda bench: None) for name in names]


def test_the_most_telling_are_taken_and_keep_their_order() -> None:
    (first, cost), (second, further), *_ = telling().scenarios
    given = scenarios("nobody/knows", second, first)
    kept, left_out = telling_first(given, cost + further)
    assert [one.id for one in kept] == [second, first]
    assert [one.id for one in left_out] == ["nobody/knows"]


def test_what_is_not_listed_comes_last() -> None:
    kept, left_out = telling_first(scenarios("nobody/knows"), UNKNOWN_COST)
    assert (len(kept), len(left_out)) == (1, 0)
    kept, left_out = telling_first(scenarios("nobody/knows"), UNKNOWN_COST - 1)
    assert (len(kept), len(left_out)) == (0, 1)


def test_telling_cases_come_first_and_the_others_as_they_come() -> None:
    first, second, *_ = telling().cases
    assert cases_first(["b", second, "a", first], str) == [first, second, "b", "a"]
