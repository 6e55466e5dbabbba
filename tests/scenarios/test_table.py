"""The table of scenarios says what each of its makers is for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rules_harness.harness.scenarios import SCENARIOS
from rules_harness.harness.session.opening import specimen
from rules_harness.openapi.contract import load


@pytest.mark.slow
def test_a_selection_finds_each_scenario_for_its_requirements() -> None:
    contract = load()
    profile = specimen(contract)
    world = profile.world(datetime(2026, 1, 1, tzinfo=UTC))
    of_every_answer = {"envelope"}
    for source in SCENARIOS:
        about = {
            id.partition(".")[0] for scenario in source.make(contract, world, profile) for id in scenario.requirements
        }
        assert about - of_every_answer == source.families, source.make.__module__
