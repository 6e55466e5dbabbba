"""The tables of faults and variants, how they stand in for steps, and that each changes what the server does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import httpx
import pytest

import rules_harness.harness.reference
from rules_harness.harness.reference import errors
from rules_harness.harness.reference.faults import FAMILIES, FAULTS
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.reference.stand_ins import PlantedFault, Variant
from rules_harness.harness.reference.steps import STEPS, stand_in
from rules_harness.harness.reference.tables import switch
from rules_harness.harness.reference.validation import values
from rules_harness.harness.reference.validation.values import Node
from rules_harness.harness.reference.variants import VARIANTS
from rules_harness.openapi.contract import load
from tests.reference.api import A, Api, body
from tests.reference.battery import FAMILIES as BATTERY
from tests.reference.battery import came_of

ROOT = Path(rules_harness.harness.reference.__file__).parent
PACKAGE = "rules_harness.harness.reference"
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.rglob("*.py")}
STAND_INS = ("faults/", "variants/", "stand_ins.py", "effects.py")
SWITCHING = ("tables.py", "control.py", "serve.py", "__main__.py")


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The names that a module imports, each with the module that it is taken from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def test_the_server_imports_nothing_else_of_the_project() -> None:
    modules = {module for tree in TREES.values() for module, _ in _imported(tree)}
    own = {module for module in modules if module.split(".")[0] == "rules_harness"}
    assert {module for module in own if not module.startswith(PACKAGE)} == set()


def test_no_step_knows_of_what_stands_in() -> None:
    """Only what switches them on and off does."""
    apart = tuple(f"{PACKAGE}.{name}" for name in ("faults", "variants", "stand_ins", "effects"))
    server = {path: tree for path, tree in TREES.items() if not path.startswith((*STAND_INS, *SWITCHING))}
    assert len(server) > 20
    for path, tree in server.items():
        assert not {module for module, name in _imported(tree) if f"{module}.{name}".startswith(apart)}, path


def test_steps_are_called_through_their_modules() -> None:
    """A step that is imported by its name would be called past what stands in for it."""
    steps = {(function.__module__, function.__name__) for function in STEPS}
    assert len(steps) == len(STEPS)
    for path, tree in TREES.items():
        assert not steps.intersection(_imported(tree)), path


def test_each_step_says_what_it_obeys() -> None:
    assert {function.__name__ for function in STEPS if not function.__doc__} == set()


@pytest.mark.slow
@pytest.mark.parametrize("entry", [*FAULTS, *VARIANTS], ids=lambda entry: entry.id)
def test_a_stand_in_takes_the_place_of_a_step(entry: PlantedFault | Variant) -> None:
    assert entry.step in STEPS
    assert entry.summary.endswith(".")


def test_each_family_holds_its_own() -> None:
    contract = load()
    for module in FAMILIES:
        name = module.__name__.rpartition(".")[2].replace("_", "-")
        assert module.faults
        for entry in module.faults:
            family = contract.requirements[entry.requirement].family
            assert entry.id.partition(".")[0] == family
            assert f"{name}-".startswith(f"{family}-")
    assert len({entry.id for entry in FAULTS}) == len(FAULTS)


def test_each_requirement_has_a_fault() -> None:
    requirements = load().requirements
    assert {entry.requirement for entry in FAULTS} == requirements.keys()
    for entry in FAULTS:
        assert set(entry.also) <= requirements.keys() - {entry.requirement}


def test_variants_name_what_allows_them() -> None:
    contract = load()
    assert len({entry.id for entry in VARIANTS}) == len(VARIANTS)
    for entry in VARIANTS:
        known = entry.allowed_by in contract.requirements or entry.allowed_by in contract.readings
        assert known or re.match(r"[12]\. (Facts|Requirements), ", entry.allowed_by)
        assert set(entry.warns) <= contract.requirements.keys()


@pytest.fixture
def switched_off() -> Iterator[None]:
    yield
    switch([], [])


@pytest.mark.usefixtures("switched_off")
def test_the_later_goes_around_the_earlier_and_none_is_left_behind() -> None:
    place = Node(" text ", "/nickname", "")
    usual = values.text
    stand_in([(usual, lambda inner, node: f"<{inner(node)}>"), (usual, lambda inner, node: inner(node).strip("<>"))])
    assert values.text(place) == " text "
    stand_in([(usual, lambda inner, node: inner(node).strip()), (usual, lambda inner, node: f"<{inner(node)}>")])
    assert values.text(place) == "<text>"
    stand_in([])
    assert values.text is usual


@pytest.mark.usefixtures("switched_off")
@pytest.mark.parametrize("named", [1, -1])
def test_switches_compose_in_the_order_of_their_tables(named: int) -> None:
    """Whatever the order in which they are named: faults around variants, later ones around earlier ones."""
    faults, variants = ["validation.refused-409", "envelope.file-path"], ["validation-status.422", "extra-fields.top"]
    switch(faults[::named], variants[::named])
    refused = errors.invalid("No.").reply
    path = "/srv/rules-api/app/validators/rule.py"
    assert (refused.status, refused.error) == (409, {"code": "validation_error", "message": f"No. ({path}, line 118)"})


BUSY = ("edge.429", "edge.503")
HANGS = "validation.many-steps-hang"
NEEDS = {"refusal-replayed.422": "validation-status.422", "refusal-replayed.403": "missing-account.403"}


@pytest.fixture(scope="module")
def clean(client: Api) -> dict[str, list[str]]:
    lines = {}
    for family in BATTERY:
        client.server.configure()
        lines[family] = list(came_of(client, family))
    return lines


@pytest.mark.slow
@pytest.mark.parametrize("family", BATTERY)
def test_clean_server_does_the_same_again(api: Api, clean: dict[str, list[str]], family: str) -> None:
    assert list(came_of(api, family)) == clean[family]


ATTEMPTS = {"concurrency": 5, "idempotency": 3}
"""Requests that are sent together may miss each other on a busy machine."""


def _differs(api: Api, family: str, expected: list[str]) -> bool:
    return any(ours != theirs for ours, theirs in zip_longest(came_of(api, family), expected))


@pytest.mark.slow
@pytest.mark.parametrize("fault_id", [entry.id for entry in FAULTS if entry.id != HANGS])
def test_fault_shows(api: Api, clean: dict[str, list[str]], fault_id: str) -> None:
    api.server.configure(faults=[fault_id])
    family = fault_id.partition(".")[0]
    assert any(_differs(api, family, clean[family]) for _ in range(ATTEMPTS.get(family, 1)))


def test_hang_shows() -> None:
    """On a server of its own, which goes on with what it hangs on."""
    with ReferenceServer(faults=[HANGS]) as server, Api(server, patience=1) as api:
        assert api.put(A, body()).status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            api.put(A, body(steps=body()["steps"] * 600))


def _likely_first(entry: Variant) -> list[str]:
    """The families of requests, that of the requirement which leaves the variant open ahead of the others."""
    reading = load().readings.get(entry.allowed_by)
    likely = (reading.requirement if reading else entry.allowed_by).partition(".")[0]
    return sorted(BATTERY, key=lambda family: family != likely)


@pytest.mark.slow
@pytest.mark.parametrize("entry", [entry for entry in VARIANTS if entry.id not in BUSY], ids=lambda entry: entry.id)
def test_variant_shows(api: Api, clean: dict[str, list[str]], entry: Variant) -> None:
    needed = [NEEDS[entry.id]] if entry.id in NEEDS else []
    for family in _likely_first(entry):
        api.server.configure(variants=needed)
        expected = list(came_of(api, family)) if needed else clean[family]
        api.server.configure(variants=[*needed, entry.id])
        if _differs(api, family, expected):
            return
    pytest.fail("no request shows it")


@pytest.mark.parametrize("variant_id", BUSY)
def test_busy_edge_answers_now_and_then(api: Api, variant_id: str) -> None:
    api.server.configure(variants=[variant_id])
    status = int(variant_id.partition(".")[2])
    answers = [api.send("GET", f"/rules/{A}") for _ in range(400)]
    assert [answer.headers["retry-after"] for answer in answers if answer.status_code == status] == ["0"]
