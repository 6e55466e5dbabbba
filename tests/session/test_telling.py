"""A short run: what it takes, and what it says of the rest."""

from __future__ import annotations

import json

from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.session.telling import ORDER, UNKNOWN_COST, telling_first

LISTED: list[tuple[str, int]] = json.loads(ORDER.read_text(encoding="utf-8"))


def scenarios(*names: str) -> list[Scenario]:
    return [Scenario(name, name.partition("/")[0], (), lambda bench: None) for name in names]


def test_the_most_telling_are_taken_and_keep_their_order() -> None:
    (first, cost), (second, further), *_ = LISTED
    given = scenarios("nobody/knows", second, first)
    kept, left_out = telling_first(given, cost + further)
    assert [one.id for one in kept] == [second, first]
    assert [one.id for one in left_out] == ["nobody/knows"]


def test_what_is_not_listed_comes_last() -> None:
    kept, left_out = telling_first(scenarios("nobody/knows"), UNKNOWN_COST)
    assert (len(kept), len(left_out)) == (1, 0)
    kept, left_out = telling_first(scenarios("nobody/knows"), UNKNOWN_COST - 1)
    assert (len(kept), len(left_out)) == (0, 1)
