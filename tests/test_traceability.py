"""Contract, scenarios, checks, faults and readings speak about each other, and about nothing else."""

from __future__ import annotations

import inspect
import re

import pytest

from rules_harness.harness.judging.checks import CHECKS, Check
from rules_harness.harness.reference.faults import FAULTS
from rules_harness.harness.reference.profile_text import key_environment, profile_text
from rules_harness.harness.reference.stand_ins import PlantedFault
from rules_harness.harness.reference.variants import VARIANTS
from rules_harness.harness.scenarios import all_scenarios
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.session.session import Settings
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.reader import load as load_profile
from rules_harness.openapi.contract import load
from tests.mandates.test_mandates import DOCUMENT, OVERLAY

CONTRACT = load()
BY_PATCH = load(DOCUMENT, [OVERLAY])
"""A contract that borrows the requirements, and promises what the packaged one cannot."""
SENTENCES = {
    **{requirement.id: requirement.sentence for requirement in BY_PATCH.requirements.values()},
    **{requirement.id: requirement.sentence for requirement in CONTRACT.requirements.values()},
    **{reading.id: reading.question for reading in CONTRACT.readings.values()},
}
ABOUT = {name for check in CHECKS for name in check.about}
OWN = [check for check in CHECKS if len(check.about) == 1]
"""The checks of one requirement or reading; what speaks of several, or of none, adds to theirs."""
EVERY_ANSWER = "envelope"
"""The family that every answer is judged by, so that no scenario need name its requirements."""


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """A profile that lacks nothing."""
    path = tmp_path_factory.mktemp("profile") / "profile.toml"
    path.write_text(profile_text("http://127.0.0.1:9/api/v1", "http://127.0.0.1:9/__control__"), encoding="utf-8")
    return load_profile(path, contract=CONTRACT, environ=dict(key_environment()))[0]


@pytest.fixture(scope="module")
def scenarios(profile: Profile) -> list[Scenario]:
    return list(all_scenarios(CONTRACT, profile.world(Settings().now), profile))


def test_every_requirement_has_a_check_and_none_is_invented() -> None:
    assert {name for name in ABOUT if not name.startswith("reading.")} == {*CONTRACT.requirements, *CONTRACT.unpromised}


def test_every_reading_is_observed_and_none_is_invented() -> None:
    assert {name for name in ABOUT if name.startswith("reading.")} == set(CONTRACT.readings)


def test_every_requirement_and_reading_has_one_check_of_its_own() -> None:
    assert sorted(check.about[0] for check in OWN) == sorted(
        [*CONTRACT.requirements, *CONTRACT.unpromised, *CONTRACT.readings]
    )


@pytest.mark.parametrize("check", OWN, ids=lambda check: check.about[0])
def test_check_begins_with_the_sentence_that_it_enforces(check: Check) -> None:
    (name,) = check.about
    first, _, _ = (inspect.getdoc(check.judge) or "").partition("\n\n")
    assert " ".join(first.split()) == SENTENCES[name]


def test_what_is_not_promised_is_promised_elsewhere() -> None:
    assert set(CONTRACT.unpromised) == {"update.omitted-stays"}
    assert set(CONTRACT.unpromised) <= set(BY_PATCH.requirements)


@pytest.mark.slow
def test_every_requirement_has_a_scenario(scenarios: list[Scenario]) -> None:
    named = {name for scenario in scenarios for name in scenario.requirements}
    assert named <= set(CONTRACT.requirements)
    general = {one.id for one in CONTRACT.requirements.values() if one.family == EVERY_ANSWER}
    assert set(CONTRACT.requirements) - general <= named


def test_scenarios_have_names_of_their_own(scenarios: list[Scenario]) -> None:
    ids = [scenario.id for scenario in scenarios]
    assert len(ids) == len(set(ids))


def test_every_requirement_has_a_fault() -> None:
    assert {fault.requirement for fault in FAULTS} == set(CONTRACT.requirements)
    assert len({fault.id for fault in FAULTS}) == len(FAULTS) >= 120


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_fault_is_described(fault: PlantedFault) -> None:
    family, _, name = fault.id.partition(".")
    assert family == CONTRACT.requirements[fault.requirement].family
    assert name
    assert fault.summary.endswith(".")
    assert set(fault.also) <= set(CONTRACT.requirements) - {fault.requirement}
    assert len(set(fault.also)) == len(fault.also)


def test_every_variant_is_allowed_by_something() -> None:
    assert len({variant.id for variant in VARIANTS}) == len(VARIANTS) >= 16
    for variant in VARIANTS:
        section = re.match(r"\d\. (Facts|Requirements|Readings), ", variant.allowed_by)
        assert section or variant.allowed_by in {*CONTRACT.readings, *CONTRACT.requirements}, variant
        assert set(variant.warns) <= set(CONTRACT.requirements)


def test_every_open_question_has_a_variant() -> None:
    """But the one whose other answer contradicts the contract."""
    asked = {variant.allowed_by for variant in VARIANTS}
    assert set(CONTRACT.readings) - asked == {"reading.enable-by-body"}
    assert {reading.requirement for reading in CONTRACT.readings.values()} <= set(CONTRACT.requirements)
