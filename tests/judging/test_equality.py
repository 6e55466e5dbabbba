"""When a stored rule is what was sent: transformations that change nothing, and single changes that do."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules_harness.harness.judging.checks.common import told
from rules_harness.harness.judging.equality import (
    differences_from_body,
    differences_of_rules,
    instant,
    same_instant,
    unlike,
)
from rules_harness.openapi.contract import load
from rules_harness.strategies.bodies import Body, bodies
from rules_harness.strategies.world import Account, World

CONTRACT = load()
WORLD = World(
    accounts=(
        Account("acc_in", "income_source"),
        Account("acc_pod", "pod"),
        Account("acc_debt", "external_account", True),
    ),
    now=datetime(2026, 6, 1, tzinfo=UTC),
)
ZONES = [timezone(timedelta(minutes=minutes)) for minutes in (0, 60, -330, 845)]
DEFAULT = "is_direct_deposit"

plausible = bodies(CONTRACT, WORLD)
quick = settings(max_examples=60, deadline=None)


def _kinds(body: Body, stored: Any) -> set[str]:
    return {difference.kind for difference in differences_from_body(CONTRACT, body.value, stored)}


def _visited(value: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Every entry of every object and array, with what holds it and its name or index."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in list(entries):
        yield value, name, inner
        yield from _visited(inner)


def _entries(value: Any, *, numbers: bool = False) -> list[tuple[Any, Any, Any]]:
    """The texts of a value, or its numbers."""
    wanted = (int, float) if numbers else str
    return [entry for entry in _visited(value) if isinstance(entry[2], wanted) and not isinstance(entry[2], bool)]


@pytest.mark.slow
@given(body=plausible)
@quick
def test_nothing_changed(body: Body) -> None:
    assert _kinds(body, copy.deepcopy(body.value)) == set()


@given(body=plausible, zone=st.sampled_from(ZONES), microseconds=st.integers(0, 999))
@quick
def test_instants_are_compared_to_the_millisecond(body: Body, zone: timezone, microseconds: int) -> None:
    stored = copy.deepcopy(body.value)
    moment = instant(stored["trigger"].get("start_date"))
    if moment is None:
        return
    moved = moment.astimezone(zone) + timedelta(microseconds=microseconds)
    stored["trigger"]["start_date"] = moved.isoformat()
    assert _kinds(body, stored) == set()
    for apart in (timedelta(milliseconds=2), timedelta(hours=1), -timedelta(days=365)):
        stored["trigger"]["start_date"] = (moved + apart).isoformat()
        assert _kinds(body, stored) == {"changed"}


@given(body=plausible)
@quick
def test_numbers_are_compared_by_value(body: Body) -> None:
    stored = copy.deepcopy(body.value)
    for holder, name, number in _entries(stored, numbers=True):
        if number == float(number):
            holder[name] = float(number) if isinstance(number, int) else number
    assert _kinds(body, stored) == set()


@pytest.mark.slow
@given(body=plausible, data=st.data())
@quick
def test_any_other_number_is_a_change(body: Body, data: st.DataObject) -> None:
    stored = copy.deepcopy(body.value)
    numbers = _entries(stored, numbers=True)
    if not numbers:
        return
    holder, name, number = data.draw(st.sampled_from(numbers))
    for other in (number + 1, str(number), None, number == 1):
        holder[name] = other
        assert _kinds(body, stored), (name, other)


@given(body=plausible, data=st.data())
@quick
def test_texts_are_compared_exactly(body: Body, data: st.DataObject) -> None:
    stored = copy.deepcopy(body.value)
    texts = [(holder, name, text) for holder, name, text in _entries(stored) if name not in ("type", "start_date")]
    texts = [entry for entry in texts if not (entry[1] == "name" and "id" in entry[0])]
    if not texts:
        return
    holder, name, text = data.draw(st.sampled_from(texts))
    for other in (text + " ", text.swapcase(), None):
        if other != text:
            holder[name] = other
            assert _kinds(body, stored), (name, other)


@given(body=plausible)
@quick
def test_absent_equals_null(body: Body) -> None:
    stored = copy.deepcopy(body.value)
    for holder, name, inner in list(_visited(stored)):
        if inner is None and isinstance(holder, dict):
            del holder[name]
    assert _kinds(body, stored) == set()
    assert not list(differences_from_body(CONTRACT, stored, body.value))


@given(body=plausible)
@quick
def test_what_the_server_adds(body: Body) -> None:
    stored = copy.deepcopy(body.value)
    for step in stored["steps"]:
        for action in step["actions"]:
            action.setdefault(DEFAULT, False)
            for side in ("source", "destination"):
                action[side]["name"] = "As the bank has it"
            action["created_by"] = "the server"
        step["id"] = "step_1"
    stored.update(id="rule_1", created_at="2026-01-01T00:00:00Z", version=3)
    assert _kinds(body, stored) == set()


@pytest.mark.parametrize(
    ("sent", "stored", "expected"),
    [
        ({}, {}, set()),
        ({DEFAULT: None}, {}, set()),
        ({}, {DEFAULT: False}, set()),
        ({}, {DEFAULT: True}, {"default"}),
        ({DEFAULT: True}, {DEFAULT: False}, {"changed"}),
        ({DEFAULT: True}, {}, {"lost"}),
        ({"ach_description": "Rent"}, {}, {"lost"}),
        ({}, {"ach_description": "Rent"}, {"not-cleared"}),
        ({"ach_description": None}, {"ach_description": "Rent"}, {"not-cleared"}),
        ({"up_to_enabled": True}, {"up_to_enabled": 1}, {"changed"}),
        ({"group_index": 0}, {"group_index": False}, {"changed"}),
        ({"amount_in_cents": 2**53 - 1}, {"amount_in_cents": 2**53}, {"changed"}),
    ],
)
def test_one_field_of_an_action(sent: dict[str, Any], stored: dict[str, Any], expected: set[str]) -> None:
    def with_action(fields: dict[str, Any]) -> dict[str, Any]:
        body = copy.deepcopy(CONTRACT.example_body())
        body["steps"][0]["actions"][0].update(fields)
        return body

    found = list(differences_from_body(CONTRACT, with_action(sent), with_action(stored)))
    assert {difference.kind for difference in found} == expected


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda steps: steps[::-1], "order"),
        (lambda steps: [steps[0], {**steps[1], "conditions": {"any": []}}], "not-cleared"),
        (lambda steps: steps[:1], "length"),
        (lambda steps: [*steps, steps[0]], "length"),
        (lambda steps: None, "lost"),
        (lambda steps: {"0": steps[0]}, "type"),
        (lambda steps: [{**steps[0], "actions": steps[0]["actions"] * 2}, steps[1]], "length"),
    ],
)
def test_order_and_nesting_are_exact(change: Callable[[list[Any]], Any], kind: str) -> None:
    body = copy.deepcopy(CONTRACT.example_body())
    second = copy.deepcopy(body["steps"][0])
    second["actions"][0]["amount_in_cents"] += 1
    body["steps"].append(second)
    stored = {**body, "steps": change(copy.deepcopy(body["steps"]))}
    found = [difference.kind for difference in differences_from_body(CONTRACT, body, stored)]
    assert found == [kind]


def test_nested_conditions_in_another_order_are_one_difference() -> None:
    def nested(*facts: str) -> dict[str, Any]:
        leaves = [{"condition": {"fact": fact, "operator": "EQUALS", "value": 1}} for fact in facts]
        body = copy.deepcopy(CONTRACT.example_body())
        body["steps"][0]["conditions"] = {"all": [{"any": leaves}, leaves[0]]}
        return body

    found = list(differences_from_body(CONTRACT, nested("DATE", "BALANCE"), nested("BALANCE", "DATE")))
    assert [difference.kind for difference in found] == ["order", "changed"]
    assert found[0].place.endswith("/any")


@pytest.mark.slow
def test_conditions_may_nest_as_deep_as_they_like() -> None:
    def nested(value: int) -> dict[str, Any]:
        leaf = {"condition": {"fact": "DATE", "operator": "EQUALS", "value": 1}}
        tree: dict[str, Any] = {"condition": {**leaf["condition"], "value": value}}
        for _ in range(600):
            tree = {"all": [tree, leaf]}
        body = CONTRACT.example_body()
        return {**body, "steps": [{**body["steps"][0], "conditions": tree}]}

    assert [each.kind for each in differences_from_body(CONTRACT, nested(2), nested(3))] == ["changed"]


@pytest.mark.parametrize(
    ("sent", "got", "said"),
    [
        ("n\u0303", "\u00f1", '/description is "\\xf1" instead of "n\\u0303"'),
        ("Rent\u00a0", "Rent", '/description is "Rent" instead of "Rent\\xa0"'),
        ("re\u200bnt", "rent", '/description is "rent" instead of "re\\u200bnt"'),
        ("Rent", "Taxes", '/description is "Taxes" instead of "Rent"'),
        ("家賃", "貯金", '/description is "貯金" instead of "家賃"'),
    ],
)
def test_what_looks_alike_is_told_apart(sent: str, got: str, said: str) -> None:
    body = {**CONTRACT.example_body(), "description": sent}
    (difference,) = differences_from_body(CONTRACT, body, {**body, "description": got})
    assert told(difference) == said


@pytest.mark.slow
@given(body=plausible, other=plausible)
@quick
def test_states_differ_as_bodies_do(body: Body, other: Body) -> None:
    same = list(differences_of_rules(CONTRACT, body.value, copy.deepcopy(body.value)))
    assert same == []
    apart = bool(list(differences_of_rules(CONTRACT, body.value, other.value)))
    assert apart == bool(list(differences_from_body(CONTRACT, body.value, other.value)))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", True),
        ("2026-01-01T00:00:00Z", "2026-01-01t00:00:00.000z", True),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00", True),
        ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.0004Z", True),
        ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123Z", True),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.002Z", False),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00+01:00", False),
        ("2026-01-01T00:00:00Z", None, False),
        ("yesterday", "yesterday", False),
        (1767225600, "2026-01-01T00:00:00Z", False),
    ],
)
def test_same_instant(one: Any, other: Any, *, same: bool) -> None:
    assert same_instant(one, other) == same
    assert same_instant(other, one) == same


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.slow
@given(JSON_VALUES)
@example(math.nan)
@example([10**400])
def test_a_value_is_like_itself_and_unlike_what_stands_around_it(value: Any) -> None:
    assert list(unlike(value, copy.deepcopy(value), but_for="/request_id")) == []
    first, second = {"data": value, "request_id": 1}, {"data": [value], "request_id": 2}
    assert list(unlike(first, second, but_for="/request_id")) != []


@pytest.mark.parametrize(("one", "other"), [(True, 1), (0, False), (math.nan, 0.0), ("1", 1), (10**400, math.nan)])
def test_values_of_two_types_are_unlike(one: Any, other: Any) -> None:
    assert list(unlike([one], [other], but_for="/id")) == ["/0"]


def test_places_that_are_unlike_are_named_however_deep() -> None:
    changed = {"in": [{"in": [2]}], "none": None}
    assert set(unlike({"in": [{"in": [1]}]}, changed, but_for="/id")) == {"/none", "/in/0/in/0"}
    assert set(unlike({"in": [{"in": [1]}]}, changed, but_for="/none")) == {"/in/0/in/0"}
    deep: list[Any] = [[], []]
    for _ in range(5_000):
        deep = [[deep[0]], [deep[1]]]
    assert list(unlike(deep[0], deep[1], but_for="/id")) == []
