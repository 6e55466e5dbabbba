"""The covering set, judged by pairs that other means find: bodies drawn at random."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from rules_harness.openapi.contract import load
from rules_harness.strategies.bodies import Body, all_shapes, covering_set, open_bodies
from rules_harness.strategies.world import World

CONTRACT = load()
Choice = tuple[str, str]


def state(holder: dict[str, Any], name: str) -> str:
    if name not in holder:
        return "absent"
    return "null" if holder[name] is None else "present"


def choices_of(body: dict[str, Any], most: int) -> Iterator[Choice]:
    """The choices of a body and of the first member of each list, as field and choice."""
    for name in ("nickname", "description"):
        yield name, state(body, name)
    trigger = body["trigger"]
    yield "trigger", trigger["type"]
    if trigger["type"] == "SCHEDULED":
        yield "schedule", trigger["schedule_type"]
        yield "trigger account", state(trigger, "account_id")
    yield "steps", "one" if len(body["steps"]) == 1 else "several"
    step = body["steps"][0]
    yield from tree_choices(step["conditions"], 1)
    yield "actions", "one" if len(step["actions"]) == 1 else "several"
    yield from action_choices(step["actions"][0], most)


def tree_choices(tree: dict[str, Any] | None, level: int) -> Iterator[Choice]:
    kind = "null" if tree is None else next(iter(tree))
    yield f"tree {level}", kind
    if tree is None:
        return
    if kind != "condition":
        yield kind, "one" if len(tree[kind]) == 1 else "several"
        yield from tree_choices(tree[kind][0], level + 1)
        return
    condition = tree["condition"]
    for name in ("fact", "operator"):
        yield name, condition[name]
    yield "value", state(condition, "value")
    right = state(condition, "value_fact")
    yield "value fact", condition["value_fact"] if right == "present" else right
    yield "params", state(condition, "params")
    if condition.get("params") is not None:
        yield "params account", state(condition["params"], "account_id")


def action_choices(action: dict[str, Any], most: int) -> Iterator[Choice]:
    yield "action", action["type"]
    for side in ("source", "destination"):
        yield side, action[side]["type"]
    yield "up to", str(action["up_to_enabled"])
    direct = state(action, "is_direct_deposit")
    yield "direct", str(action["is_direct_deposit"]) if direct == "present" else direct
    yield "ach", state(action, "ach_description")
    if action["group_index"] in (0, 3):
        yield "group", str(action["group_index"])
    limit = action.get("limit")
    yield "limit", state(action, "limit")
    if limit is not None:
        yield "period", limit["period"]
        yield from amount_choice("limit amount", limit["amount_in_cents"], most)
    if action.get("amount_in_cents") is not None:
        yield from amount_choice("amount", action["amount_in_cents"], most)
    if action.get("percentage_value") in (0.01, 100):
        yield "percentage", str(action["percentage_value"])
    if "percentage_target" in action:
        yield "percentage of", action["percentage_target"]
    if action["type"] == "top_up":
        for name in ("amount_in_cents", *(f"{kind}_account" for kind in ("next_payment_minimum", "current_balance"))):
            yield f"top-up {name}", state(action, name)


def amount_choice(name: str, amount: int, most: int) -> Iterator[Choice]:
    if amount in (1, most):
        yield name, str(amount)


def pairs_of(body: Body, world: World) -> set[tuple[Choice, Choice]]:
    choices = sorted(set(choices_of(body.value, world.max_amount_in_cents)))
    return set(itertools.combinations(choices, 2))


def neighbours_of(body: Body) -> set[frozenset[str]]:
    return {
        frozenset((first["type"], second["type"]))
        for step in body.value["steps"]
        for first, second in itertools.pairwise(step["actions"])
    }


@pytest.mark.slow
def test_every_pair_that_bodies_have_is_in_the_set(sample: list[Body], world: World) -> None:
    covered = set().union(*(pairs_of(body, world) for body in covering_set(CONTRACT, world)))
    drawn = set().union(*(pairs_of(body, world) for body in sample))
    assert len(drawn) > 4_000
    assert drawn - covered == set()


def test_every_two_kinds_of_action_stand_beside_each_other(world: World) -> None:
    kinds = {kind for shape in all_shapes(CONTRACT) for kind in re.findall(r"^/steps/\*/actions/\*:(\w+)$", shape)}
    shares = {"percentage", "percentage_liability_balance"}
    wanted = {frozenset(pair) for pair in itertools.product(kinds, kinds) if not set(pair) <= shares}
    assert len(kinds) == 8
    assert set().union(*map(neighbours_of, covering_set(CONTRACT, world))) >= wanted


def test_every_shape_occurs(world: World) -> None:
    closed = frozenset[str]().union(*(body.shapes for body in covering_set(CONTRACT, world)))
    asked = frozenset[str]().union(*(body.shapes for body in open_bodies(CONTRACT, world)))
    assert closed | asked == set(all_shapes(CONTRACT))
    assert {shape for shape in asked - closed if not shape.endswith(("=empty", "=absent"))} == set()


def test_the_set_is_small_and_all_of_it_should_be_accepted(world: World) -> None:
    covering = covering_set(CONTRACT, world)
    assert {body.acceptance for body in covering} == {"should"}
    assert len(covering) <= 150
    assert len({json.dumps(body.value) for body in covering}) == len(covering)
    assert sum(len(step["actions"]) for body in covering for step in body.value["steps"]) < 2 * len(covering)


@pytest.mark.parametrize("count", [2, 3])
def test_a_world_with_less_has_a_smaller_set(world: World, count: int) -> None:
    few = World(accounts=world.accounts[:count], now=world.now)
    assert len(covering_set(CONTRACT, few)) < len(covering_set(CONTRACT, world))
