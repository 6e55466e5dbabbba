"""What steers a campaign: the pairs of circumstances that were not met."""

from __future__ import annotations

from datetime import UTC, datetime

from rules_harness.harness.campaign.coverage import FACTORS, Coverage, map_of
from rules_harness.harness.session.opening import specimen
from rules_harness.openapi.contract import load
from rules_harness.strategies.design import named
from rules_harness.strategies.factors import KEY, OUTSIDE, SPELLING, updates_crossed
from rules_harness.strategies.mutations import settings

CONTRACT = load()
COMPACT = {KEY.name: "absent", SPELLING.name: "compact"}
SPACED = {KEY.name: "absent", SPELLING.name: "spaced"}


def _coverage() -> Coverage:
    return Coverage(map_of(CONTRACT, specimen(CONTRACT).world(datetime(2026, 6, 1, tzinfo=UTC)), risky=True))


def test_the_row_with_most_new_pairs_is_taken() -> None:
    coverage = _coverage()
    assert coverage.least_met([COMPACT, SPACED]) == COMPACT
    coverage.add_factors(named(COMPACT))
    assert coverage.least_met([COMPACT, SPACED]) == SPACED
    coverage.add_factors(named(SPACED))
    assert coverage.least_met([COMPACT, SPACED]) == COMPACT


def test_what_one_worker_has_met_another_need_not() -> None:
    coverage, other = _coverage(), _coverage()
    coverage.add_factors(named(COMPACT))
    other.add(coverage.news())
    assert other.least_met([COMPACT, SPACED]) == SPACED
    assert not coverage.news()


def test_the_rows_of_the_conformance_run_meet_what_is_counted() -> None:
    coverage = _coverage()
    assert coverage.summary()[FACTORS]["reached"] == 0
    for row in (*settings(CONTRACT).values(), *updates_crossed(CONTRACT, ())):
        coverage.add_factors(named(row))
    count = coverage.summary()[FACTORS]
    assert len(OUTSIDE) < count["reached"] <= count["of"]


def test_values_that_nobody_crosses_are_not_counted() -> None:
    coverage = _coverage()
    coverage.add_factors(("colour=red", "taste=sweet"))
    assert coverage.summary()[FACTORS]["reached"] == 0
