from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import pytest
from hypothesis import Phase, find, given, settings

from rules_harness.openapi.contract import load
from rules_harness.strategies.bodies import Body, bodies, covering_set, example, inert, places_of, standing_of
from rules_harness.strategies.mutations import Mutation, apply, catalogue, mutated, recursions
from rules_harness.strategies.places import below, body_place
from rules_harness.strategies.validity import is_valid_body
from rules_harness.strategies.world import Account, World

ROOT = Path(__file__).parents[2]
CONTRACT = load()
NAMES = CONTRACT.names
WORLD = World(
    accounts=(
        Account("acc_income", "income_source"),
        Account("acc_pod", "pod"),
        Account("acc_card", "pod", liability=True),
    ),
    now=datetime(2026, 1, 31, 12, tzinfo=UTC),
    max_amount_in_cents=5_000,
)
CATALOGUE = catalogue(CONTRACT)
SCHEMA = CONTRACT.standalone(CONTRACT.body_schema)
FORMATS = jsonschema.FormatChecker()
JUDGE = jsonschema.Draft202012Validator(SCHEMA, format_checker=FORMATS)


@FORMATS.checks("date-time")
def is_date_time(value: object) -> bool:
    """The library's own check ends with ``$``, which takes the end of a line as well."""
    usual = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return not isinstance(value, str) or (not value.endswith("\n") and usual.conforms(value, "date-time"))


def by_name(name: str) -> Mutation:
    return next(mutation for mutation in CATALOGUE if mutation.name == name)


def sent(mutation: Mutation, base: Body | None = None) -> Any:
    return json.loads(apply(CONTRACT, WORLD, mutation, base))


def test_the_catalogue_is_complete_and_not_boundless() -> None:
    names = [mutation.name for mutation in CATALOGUE]
    assert len(set(names)) == len(names)
    assert 400 < len(names) <= 750


def test_names_say_place_and_kind() -> None:
    assert by_name("/steps/0/actions/0/amount_in_cents type:string").place == (
        "/steps/*/actions/*:fixed_amount/amount_in_cents"
    )
    assert by_name("/steps/0/actions/0:percentage/percentage_value maximum:+1").keyword == "maximum"
    assert by_name("/steps/0/conditions:any/any/0 type:string").standing == "inferred"
    assert by_name("/status required").level == "must"
    assert by_name("/trigger/start_date required").level == "should"


def test_requirements_readings_and_standings_are_the_contracts() -> None:
    for mutation in CATALOGUE:
        assert mutation.requirement is None or mutation.requirement in CONTRACT.requirements
        assert mutation.reading is None or mutation.reading in CONTRACT.readings
        assert (mutation.requirement is None) == (mutation.reading is not None)
        assert mutation.standing == standing_of(CONTRACT, mutation.place), mutation.name


@pytest.mark.slow
def test_what_goes_out_violates_the_schema_where_that_is_claimed_and_only_there() -> None:
    wrong = [mutation.name for mutation in CATALOGUE if JUDGE.is_valid(sent(mutation)) is mutation.claims_violation]
    assert wrong == []


@pytest.mark.slow
def test_every_mutation_can_be_done_to_covering_bodies_and_to_bodies_that_lack_the_place() -> None:
    emptied = Body({**inert(CONTRACT, WORLD).value, "steps": []}, frozenset(), "open")
    for base in (*covering_set(CONTRACT, WORLD)[::4], emptied):
        for mutation in CATALOGUE:
            content = apply(CONTRACT, WORLD, mutation, base)
            assert is_valid_body(CONTRACT, content) is not mutation.claims_violation, (mutation.name, content)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(mutated(CONTRACT, WORLD))
def test_drawn_bodies_are_mutated_as_claimed(drawn: tuple[Mutation, Body, bytes]) -> None:
    mutation, base, content = drawn
    assert content == apply(CONTRACT, WORLD, mutation, base)
    assert JUDGE.is_valid(json.loads(content)) is not mutation.claims_violation


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("required", "/status required"),
        ("minimum:-1", "/steps/0/actions/0/amount_in_cents minimum:-1"),
    ],
)
def test_what_is_drawn_shrinks_to_the_outermost_place(kind: str, name: str) -> None:
    options = settings(database=None, max_examples=2_000, phases=[Phase.generate, Phase.shrink])
    mutation, _base, _content = find(
        mutated(CONTRACT, WORLD), lambda drawn: drawn[0].kind == kind, settings=options, random=Random(1)
    )
    assert mutation.name == name


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(bodies(CONTRACT, WORLD))
def test_the_whole_catalogue_can_be_done_to_any_drawn_body(base: Body) -> None:
    before = json.dumps(base.value)
    for mutation in CATALOGUE:
        assert is_valid_body(CONTRACT, apply(CONTRACT, WORLD, mutation, base)) is not mutation.claims_violation
    assert json.dumps(base.value) == before


def _keywords(node: Any) -> Iterator[tuple[int, str]]:
    """Every occurrence in the schema of a keyword that a value can violate by itself."""
    if isinstance(node, list):
        for inner in node:
            yield from _keywords(inner)
    elif isinstance(node, dict):
        judging = ("type", "enum", "const", "required", "minimum", "maximum", "minLength", "format", "oneOf")
        yield from ((id(node), name) for name in judging if name in node and not isinstance(node[name], Mapping))
        for name, inner in node.items():
            if name not in ("enum", "const", "required", "default") and not name.startswith("x-"):
                yield from _keywords(inner)


def _violated(errors: Any) -> Iterator[tuple[int, str]]:
    for error in errors:
        yield id(error.schema), str(error.validator)
        yield from _violated(error.context or ())


@pytest.mark.slow
def test_every_keyword_of_the_schema_is_violated_by_some_mutation() -> None:
    violated = {
        occurrence
        for mutation in CATALOGUE
        if mutation.claims_violation
        for occurrence in _violated(JUDGE.iter_errors(sent(mutation)))
    }
    missing = [(name, node) for node, name in _keywords(SCHEMA) if (node, name) not in violated]
    assert missing == []


def test_every_keyword_of_a_place_is_violated_at_a_place_of_the_same_schema() -> None:
    tried: dict[int, set[str]] = {}
    mutations: dict[str, set[str]] = {}
    for mutation in CATALOGUE:
        mutations.setdefault(mutation.place, set()).add(mutation.keyword)
    places = [place for place in below(body_place(CONTRACT)) if place.types]
    alternatives = {id(inner) for place in places for inner in place.alternatives.values()}
    for place in places:
        tried.setdefault(id(place.keywords), set()).update(mutations.get(place.name, ()))
    for place in places:
        judging = {"enum", "minimum", "maximum", "minLength", "format"} & place.keywords.keys()
        assert judging <= tried[id(place.keywords)], place.name
        if id(place) not in alternatives:
            assert "type" in tried[id(place.keywords)], place.name
        for name, inner in place.properties.items():
            if inner.required and inner.types and not place.alternatives:
                assert "required" in mutations[inner.path], (place.name, name)


def test_bodies_stay_disabled_unless_the_state_is_what_is_mutated() -> None:
    for mutation in CATALOGUE:
        value = sent(mutation)
        if isinstance(value, dict) and mutation.place != f"/{NAMES.status}":
            assert value[NAMES.status] == NAMES.disabled


def test_only_risky_mutations_hold_an_amount_beyond_the_cap() -> None:
    def numbers(value: Any) -> Iterator[float]:
        if isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                yield from numbers(inner)
        elif isinstance(value, int | float):
            yield value

    for mutation in CATALOGUE:
        largest = max((abs(number) for number in numbers(sent(mutation))), default=0)
        counted = mutation.place.endswith(("/amount_in_cents", "/percentage_value"))
        if counted and not mutation.risky and mutation.kind != "minimum:-far":
            assert largest <= WORLD.max_amount_in_cents, mutation.name
        if mutation.place.endswith("/amount_in_cents") and mutation.kind == "minimum:-far":
            assert largest <= WORLD.max_amount_in_cents, mutation.name


def test_without_a_base_the_mutation_is_done_to_the_inert_body() -> None:
    body = inert(CONTRACT, WORLD).value
    assert sent(by_name("/nickname type:integer")) == {**body, NAMES.marker: 1}
    shown = sent(by_name("/trigger:MANUAL/account_id type:null"))
    assert shown == {**body, "trigger": {"type": "MANUAL", "account_id": None}}


def test_the_smallest_piece_is_put_in_where_the_base_lacks_the_place() -> None:
    base = example(CONTRACT, WORLD)
    value = sent(by_name("/steps/0/actions/0/limit/period enum:unknown"), base)
    action = value["steps"][0]["actions"][0]
    assert action.pop("limit")["period"] == "no-such-value"
    assert value == base.value


def test_near_misses_start_from_what_the_base_says() -> None:
    assert sent(by_name("/status enum:case"))[NAMES.status] == "DISABLED"
    assert sent(by_name("/status enum:space"))[NAMES.status] == "disabled "
    assert sent(by_name("/status enum:line-end"))[NAMES.status] == "disabled\n"


def test_names_that_stand_twice_and_numbers_beyond_a_double_go_out_as_they_are() -> None:
    content = apply(CONTRACT, WORLD, by_name("/nickname duplicate-name"))
    assert content.count(b'"nickname":') == 2
    assert content.index(b"harness first") < content.index(b"harness last")
    assert b'"amount_in_cents":1e400' in apply(
        CONTRACT, WORLD, by_name("/steps/0/actions/0/amount_in_cents maximum:beyond-double")
    )
    assert b'"amount_in_cents":1.0' in apply(
        CONTRACT, WORLD, by_name("/steps/0/actions/0/amount_in_cents integral-float")
    )


def test_what_the_server_owns_is_tried_with_telling_values() -> None:
    owned = [mutation for mutation in CATALOGUE if mutation.kind == "server-owned"]
    assert {mutation.place for mutation in owned} >= {f"/{NAMES.id}", f"/{NAMES.created_at}", "/organization_id"}
    assert sent(by_name(f"/{NAMES.id} server-owned"))[NAMES.id] == "harness-other-id"
    assert all(mutation.requirement == "update.identity" and not mutation.claims_violation for mutation in owned)


def test_readings_are_asked_at_the_top_and_below() -> None:
    asked: dict[str, set[bool]] = {}
    for mutation in CATALOGUE:
        if mutation.reading is not None:
            asked.setdefault(mutation.reading, set()).add(mutation.place.count("/") > 1)
    assert asked["reading.unknown-properties"] == {False, True}
    assert asked["reading.duplicate-names"] == {False, True}
    assert asked.keys() >= {"reading.integral-float", "reading.null-conditions"}


@pytest.mark.slow
def test_a_world_without_liabilities_still_has_every_place() -> None:
    world = World(accounts=WORLD.accounts[:2], now=WORLD.now)
    for mutation in CATALOGUE:
        content = apply(CONTRACT, world, mutation)
        assert is_valid_body(CONTRACT, content) is not mutation.claims_violation
        if mutation.claims_violation and "/id " not in mutation.name:
            assert b"acc_01" not in content


def test_places_are_those_that_coverage_counts() -> None:
    counted = {place for body in covering_set(CONTRACT, WORLD) for place in places_of(CONTRACT, body.value)}
    own = {mutation.place for mutation in CATALOGUE if mutation.claims_violation}
    assert {place for place in own - counted if not place.endswith("/name")} == set()


SCRIPT = """
import hashlib
from datetime import UTC, datetime
from rules_harness.openapi.contract import load
from rules_harness.strategies.mutations import apply, catalogue
from rules_harness.strategies.world import Account, World

accounts = (Account("acc_1", "income_source"), Account("acc_2", "pod"))
world = World(accounts=accounts, now=datetime(2026, 1, 1, tzinfo=UTC))
digest = hashlib.sha256()
for mutation in catalogue(load()):
    digest.update(mutation.name.encode() + apply(load(), world, mutation))
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_every_process_makes_the_same_bytes() -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT], env={"PYTHONHASHSEED": seed}, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for seed in ("1", "2")
    ]
    one, other = [run.communicate(timeout=60)[0] for run in runs]
    assert one
    assert one == other


def test_places_inside_themselves_can_be_written_deep() -> None:
    found = recursions(CONTRACT, WORLD)
    assert [recursion.name for recursion in found] == ["any/0", "all/0"]
    for recursion in found:
        text = recursion.before * 3 + json.dumps(recursion.leaf) + recursion.after * 3
        assert JUDGE.is_valid(recursion.body_with(json.loads(text)))
