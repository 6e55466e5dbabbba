"""What is crossed stands together: in drawn designs, in the mutations and in the updates of a rule."""

from __future__ import annotations

import itertools
import json
import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_harness.openapi.contract import load
from rules_harness.strategies.design import Design, Factor, drawn, named, pairs_of, row_of
from rules_harness.strategies.factors import DEPTH, MEMBER, OUTSIDE, RULE, updates_crossed
from rules_harness.strategies.mutations import apply, catalogue, settings
from rules_harness.strategies.mutations.pools import example_world
from rules_harness.strategies.pairs import all_pairs
from rules_harness.strategies.spellings import spelt
from rules_harness.strategies.validity import is_valid_body

CONTRACT = load()
WORLD = example_world(CONTRACT)
KINDS = ("/trigger:MANUAL", "/trigger:SCHEDULED")
SPELLINGS = ("compact", "spaced", "escaped", "reversed")


@given(st.lists(st.integers(1, 4), min_size=2, max_size=5))
def test_rows_hold_every_two_values(sizes: list[int]) -> None:
    factors = [Factor(f"f{index}", tuple("abcd"[:size])) for index, size in enumerate(sizes)]
    rows = list(Design(factors).rows())
    held = {pair for row in rows for pair in pairs_of(named(row))}
    for one, other in itertools.combinations(factors, 2):
        for first, second in itertools.product(one.values, other.values):
            assert named({one.name: first, other.name: second}) in held
    largest = sorted(sizes)[-2:]
    assert len(rows) <= 2 * math.prod(largest) + len(sizes)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_drawn_rows_keep_what_is_settled(sizes: list[int], chance: random.Random) -> None:
    factors = [Factor(f"f{index}", tuple("abcd"[:size])) for index, size in enumerate(sizes)]
    settled = {"f0": factors[0].values[-1], "other": "x"}
    row = drawn(factors, chance, settled=settled)
    assert settled.items() <= row.items()
    assert all(row[factor.name] in factor.values for factor in factors)
    assert row_of(named(row)) == row


def test_what_a_factor_does_not_have_is_drawn_anew() -> None:
    assert drawn([Factor("f", ("a",))], random.Random(1), settled={"f": "of another contract"}) == {"f": "a"}


def test_what_there_cannot_be_is_not_drawn() -> None:
    factors = [Factor("f", ("a", "b")), Factor("g", ("a", "b"))]
    for seed in range(20):
        row = drawn(factors, random.Random(seed), is_possible=lambda row: row.get("g") != row["f"])
        assert row["g"] != row["f"]


def test_impossible_rows_are_not_made() -> None:
    factors = [Factor("a", ("1", "2")), Factor("b", ("1", "2")), Factor("c", ("1", "2"))]
    design = Design(factors, is_possible=lambda row: not row.get("a") == row.get("b") == "2")
    rows = list(design.rows())
    assert rows
    assert not any(row["a"] == row["b"] == "2" for row in rows)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("values", [("seen", "masked"), ("masked", "seen")])
def test_a_masked_row_counts_for_its_own_factor_alone(values: tuple[str, str], order: tuple[int, ...]) -> None:
    factors = [Factor("a", values), Factor("b", ("1", "2")), Factor("c", ("1", "2"))]
    rows = list(Design([factors[index] for index in order], masking={"a": "masked"}).rows())
    seen = {(row["b"], row["c"]) for row in rows if row["a"] == "seen"}
    assert seen == set(itertools.product("12", repeat=2))


def test_updates_of_a_rule_cross_status_key_and_body() -> None:
    rows = updates_crossed(CONTRACT, KINDS)
    triples = {(row[RULE.name], row["key"], row["says"]) for row in rows}
    assert len(triples) == 3 * 3 * 2
    assert all(row["changes"] == "nothing" for row in rows if row["key"] == "repeated")
    executed = [row for row in rows if row["key"] != "repeated"]
    assert {(row["kind"], row[RULE.name]) for row in executed} >= set(
        itertools.product(KINDS, ("disabled", "enabled", "enabled again"))
    )


def test_every_field_and_keyword_meets_every_circumstance() -> None:
    rows = settings(CONTRACT)
    assert rows.keys() == {mutation.name for mutation in catalogue(CONTRACT) if mutation.claims_violation}
    met = {pair for row in rows.values() for pair in pairs_of(named(row))}
    frequent = [value for value in {row["field"] for row in rows.values()} if sum_of(rows, "field", value) > 3]
    for field, factor in itertools.product(frequent, OUTSIDE):
        assert all(named({"field": field, factor.name: value}) in met for value in factor.values), field
    for kind in ("type:fraction", "type:numeric-string", "minimum", "enum"):
        assert all(named({"violation": kind, MEMBER.name: value}) in met for value in MEMBER.values), kind
    for value in DEPTH.values:
        assert named({"violation": "type:string", DEPTH.name: value}) in met
    assert met <= all_pairs(CONTRACT)


def test_what_is_done_to_fields_of_one_name_is_done_in_every_member() -> None:
    members: dict[tuple[str, str], list[str]] = {}
    for row in settings(CONTRACT).values():
        if MEMBER.name in row:
            members.setdefault((row["violation"], row["field"]), []).append(row[MEMBER.name])
    assert max(map(len, members.values())) > len(MEMBER.values)
    for done, met in members.items():
        assert len(set(met)) == min(len(met), len(MEMBER.values)), done


def sum_of(rows: Any, factor: str, value: str) -> int:
    return sum(row[factor] == value for row in rows.values())


def test_a_mutation_is_one_wherever_it_is_done() -> None:
    for mutation in catalogue(CONTRACT):
        if mutation.claims_violation:
            row = settings(CONTRACT)[mutation.name]
            content = apply(CONTRACT, WORLD, mutation, setting=row)
            assert not is_valid_body(CONTRACT, content), mutation.name
            assert not is_valid_body(CONTRACT, spelt(content, row["spelling"])), mutation.name


def test_a_mutation_is_moved_behind_rightful_members_and_further_down() -> None:
    amount = next(m for m in catalogue(CONTRACT) if m.name == "/steps/0/actions/0/amount_in_cents minimum:-1")
    behind = json.loads(apply(CONTRACT, WORLD, amount, setting={"member": "later member"}))
    assert [action["amount_in_cents"] for action in behind["steps"][0]["actions"]] == [1, -1]
    later = json.loads(apply(CONTRACT, WORLD, amount, setting={"member": "later part"}))
    assert [step["actions"][0]["amount_in_cents"] for step in later["steps"]] == [1, -1]
    fact = next(m for m in catalogue(CONTRACT) if m.name.endswith("/fact enum:unknown"))
    deep = json.dumps(json.loads(apply(CONTRACT, WORLD, fact, setting={"depth": "4"}))["steps"][0]["conditions"])
    flat = json.dumps(json.loads(apply(CONTRACT, WORLD, fact))["steps"][0]["conditions"])
    assert deep.count("[") == flat.count("[") + 3


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), _JSON, max_size=4), st.sampled_from(SPELLINGS))
def test_another_spelling_is_the_same_value(value: dict[str, Any], spelling: str) -> None:
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    assert json.loads(spelt(content, spelling)) == value


def test_spellings_differ() -> None:
    content = b'{"status":"disabled","steps":[{"a":1}]}'
    assert spelt(content, "reversed") == b'{"steps":[{"a":1}],"status":"disabled"}'
    nested = b'{"a":{"b":[{"c":"{,","d":1},[]]},"e":{}}'
    assert spelt(nested, "reversed") == b'{"e":{},"a":{"b":[{"d":1,"c":"{,"},[]]}}'
    assert b"\\u0073tatus" in spelt(content, "escaped")
    fractions = b'{"a":[12.5,-0.01,0.0,7,1e-7,1.50]}'
    assert spelt(fractions, "escaped") == b'{"\\u0061":[125e-1,-1e-2,0.0,7,1e-7,1.50]}'
    assert b"\n" in spelt(content, "spaced")
    assert spelt(b"[1]", "reversed") == b"[1]"
    assert spelt(b"\xff", "escaped") == b"\xff"
