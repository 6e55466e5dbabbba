"""The tables of faults and variants, and that each switch changes what the server does."""

from __future__ import annotations

import re
from collections import Counter
from itertools import zip_longest
from pathlib import Path

import pytest

import rules_harness.harness.reference
from rules_harness.harness.reference.faults import FAULTS
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.reference.variants import VARIANTS
from rules_harness.openapi.contract import load
from tests.reference.api import Api
from tests.reference.battery import FAMILIES, came_of

SOURCES = [path.read_text() for path in Path(rules_harness.harness.reference.__file__).parent.rglob("*.py")]


def _asked_for(function: str) -> Counter[str]:
    return Counter(name for source in SOURCES for name in re.findall(rf'\b{function}\(\s*f?"([^"]+)"', source))


def test_each_fault_has_one_place_in_the_code() -> None:
    assert _asked_for("fault") == Counter(entry.id for entry in FAULTS)


def test_each_variant_has_a_place_in_the_code() -> None:
    asked = {re.sub(r"\{[^}]+\}", "*", name) for name in _asked_for("variant")}
    listed = {entry.id for entry in VARIANTS}
    patterned = {
        name for name in listed for pattern in asked if re.fullmatch(re.escape(pattern).replace(r"\*", r"\w+"), name)
    }
    assert patterned == listed
    assert {name for name in asked if "*" not in name} <= listed


def test_the_server_imports_nothing_else_of_the_project() -> None:
    modules = {
        module for source in SOURCES for module in re.findall(r"^(?:from|import) ([\w.]+)", source, re.MULTILINE)
    }
    own = {module for module in modules if module.split(".")[0] == "rules_harness"}
    assert {module for module in own if not module.startswith("rules_harness.harness.reference")} == set()


def test_each_requirement_has_a_fault_that_quotes_it() -> None:
    requirements = load().requirements
    assert {entry.requirement for entry in FAULTS} == requirements.keys()
    for entry in FAULTS:
        assert entry.sentence == requirements[entry.requirement].sentence
        assert entry.id.partition(".")[0] == entry.requirement.partition(".")[0]
        assert set(entry.also) <= requirements.keys() - {entry.requirement}


def test_variants_name_what_allows_them() -> None:
    contract = load()
    for entry in VARIANTS:
        known = entry.allowed_by in contract.requirements or entry.allowed_by in contract.readings
        assert known or re.match(r"[12]\. (Facts|Requirements), ", entry.allowed_by)
        assert set(entry.warns) <= contract.requirements.keys()


NEEDS = {"refusal-replayed.422": "validation-status.422", "refusal-replayed.403": "missing-account.403"}


@pytest.fixture(scope="module")
def clean(running: ReferenceServer) -> dict[str, list[str]]:
    lines = {}
    with Api(running) as api:
        for family in FAMILIES:
            running.configure()
            lines[family] = list(came_of(api, family))
    return lines


@pytest.mark.parametrize("family", FAMILIES)
def test_clean_server_does_the_same_again(api: Api, clean: dict[str, list[str]], family: str) -> None:
    assert list(came_of(api, family)) == clean[family]


def _differs(api: Api, family: str, expected: list[str]) -> bool:
    return any(ours != theirs for ours, theirs in zip_longest(came_of(api, family), expected))


@pytest.mark.parametrize("fault_id", [entry.id for entry in FAULTS])
def test_fault_shows(api: Api, clean: dict[str, list[str]], fault_id: str) -> None:
    api.server.configure(faults=[fault_id])
    family = fault_id.partition(".")[0]
    assert _differs(api, family, clean[family])


@pytest.mark.parametrize("variant_id", [entry.id for entry in VARIANTS if not entry.id.startswith("edge.")])
def test_variant_shows(api: Api, clean: dict[str, list[str]], variant_id: str) -> None:
    needed = [NEEDS[variant_id]] if variant_id in NEEDS else []
    for family in FAMILIES:
        api.server.configure(variants=needed)
        expected = list(came_of(api, family)) if needed else clean[family]
        api.server.configure(variants=[*needed, variant_id])
        if _differs(api, family, expected):
            return
    pytest.fail("no request shows it")


@pytest.mark.parametrize(("variant_id", "status"), [("edge.429", 429), ("edge.503", 503)])
def test_busy_edge_answers_now_and_then(api: Api, variant_id: str, status: int) -> None:
    api.server.configure(variants=[variant_id])
    answers = [api.send("GET", "/rules/rule_01HXYZ1234") for _ in range(400)]
    assert [answer.headers["retry-after"] for answer in answers if answer.status_code == status] == ["0"]
