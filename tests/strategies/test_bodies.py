from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from rules_harness.openapi.contract import load
from rules_harness.strategies.bodies import (
    Body,
    all_shapes,
    bodies,
    covering_set,
    exact_bodies,
    example,
    inert,
    open_bodies,
    places_of,
    standing_of,
    unreachable_shapes,
    variations,
)
from rules_harness.strategies.contents import contents_of, place_asking
from rules_harness.strategies.places import body_place
from rules_harness.strategies.plausible import UnsuitableWorld, share_out
from rules_harness.strategies.world import Account, World

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CONTRACT = load()
JUDGE = jsonschema_rs.Draft202012Validator(CONTRACT.standalone(CONTRACT.body_schema), validate_formats=True)

PAYMENTS = {"next_payment_minimum", "total_amount_due", "last_statement_balance", "percentage_liability_balance"}
TARGETS = ("next_payment_minimum_account", "current_balance_account", "last_statement_balance_account")
OPEN_KINDS = {
    *("empty-steps", "empty-actions", "empty-any", "empty-all", "absent-conditions", "zero-amount", "zero-percentage"),
    *("percentage-digits", "date-time-fraction", "date-time-offset", "empty-text", "blank-text"),
    *("untrimmed-text", "nul-text"),
}


def all_of(sample: list[Body], world: World) -> list[Body]:
    return [*sample, *covering_set(CONTRACT, world), *variations(CONTRACT, world), example(CONTRACT, world)]


def actions_of(body: Body) -> Iterator[dict[str, Any]]:
    for step in body.value["steps"]:
        yield from step["actions"]


def conditions_in(tree: dict[str, Any] | None) -> Iterator[tuple[int, dict[str, Any]]]:
    """The conditions of a tree, each with how deep it is nested."""
    if tree is not None:
        for kind, inner in tree.items():
            if kind == "condition":
                yield 1, inner
            else:
                yield from ((depth + 1, condition) for member in inner for depth, condition in conditions_in(member))


def amounts_in(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "amount_in_cents" and inner is not None:
                yield inner
            yield from amounts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from amounts_in(inner)


def test_bodies_satisfy_the_schema_and_say_disabled(sample: list[Body], world: World) -> None:
    for body in [*all_of(sample, world), *open_bodies(CONTRACT, world), *exact_bodies(CONTRACT, world)]:
        JUDGE.validate(body.value)
        assert body.value["status"] == "disabled"
        assert body.shapes == contents_of(CONTRACT, world, body.value).shapes


def test_accounts_exist_and_suit_the_action(sample: list[Body], world: World) -> None:
    known = {account.id: account for account in world.accounts}
    for body in all_of(sample, world):
        account_id = body.value["trigger"].get("account_id")
        assert account_id is None or account_id in known
        for action in actions_of(body):
            source, destination = known[action["source"]["id"]], known[action["destination"]["id"]]
            assert (source.type, destination.type) == (action["source"]["type"], action["destination"]["type"])
            assert source.id != destination.id
            assert source.type != "external_account"
            assert destination.type != "income_source"
            assert account_id in (None, source.id)
            assert destination.liability or action["type"] not in PAYMENTS
        for step in body.value["steps"]:
            for _, condition in conditions_in(step["conditions"]):
                assert ((condition.get("params") or {}).get("account_id") or "acc_pod") in known


def test_top_up_has_exactly_one_target(sample: list[Body], world: World) -> None:
    found = set()
    for body in all_of(sample, world):
        for action in actions_of(body):
            if action["type"] == "top_up":
                [target] = [name for name in (*TARGETS, "amount_in_cents") if action.get(name) is not None]
                assert target in ("amount_in_cents", "current_balance_account") or action[target]["id"] == "acc_card"
                found.add(target)
    assert found == {*TARGETS, "amount_in_cents"}


def test_dates_lie_between_a_day_and_ten_years_ahead(sample: list[Body], world: World) -> None:
    dates = [body.value["trigger"].get("start_date") for body in all_of(sample, world)]
    for date in filter(None, dates):
        assert timedelta(days=1) < datetime.fromisoformat(date) - world.now < timedelta(days=3_652)


def test_amounts_are_at_least_a_cent_and_within_the_cap(sample: list[Body], world: World) -> None:
    amounts = [amount for body in all_of(sample, world) for amount in amounts_in(body.value)]
    assert (min(amounts), max(amounts)) == (1, world.max_amount_in_cents)
    assert {type(amount) for amount in amounts} == {int}


def test_percentages_of_a_step_add_up_to_a_hundred_at_most(sample: list[Body], world: World) -> None:
    sums = set()
    for body in all_of(sample, world):
        for step in body.value["steps"]:
            shares = [action["percentage_value"] for action in step["actions"] if "percentage_value" in action]
            assert all(round(share * 100) / 100 == share and share >= 0.01 for share in shares)
            sums.add(sum(round(share * 100) for share in shares))
    assert max(sums) == 10_000


def test_shares_are_held_to_a_hundred_whatever_other_contracts_were_looked_at() -> None:
    place = body_place(CONTRACT)
    others = [msgspec.structs.replace(CONTRACT) for _ in range(40)]
    assert len({id(body_place(other)) for other in others}) == len(others)
    assert body_place(CONTRACT) is place
    action = {**CONTRACT.example_body()["steps"][0]["actions"][0], "type": "percentage", "percentage_value": 80}
    value = {**CONTRACT.example_body(), "steps": [{"conditions": None, "actions": [action, dict(action)]}]}
    share_out(CONTRACT, value)
    assert 99.9 < sum(action["percentage_value"] for action in value["steps"][0]["actions"]) <= 100


def test_every_list_has_a_member(sample: list[Body], world: World) -> None:
    for body in all_of(sample, world):
        assert body.value["steps"]
        assert all(step["actions"] for step in body.value["steps"])
        assert "=empty" not in " ".join(body.shapes)


def test_acceptance_says_what_a_target_has_to_take(sample: list[Body]) -> None:
    for body in sample:
        assert (body.acceptance == "open") == bool(body.open_features)
        features = {"exotic-text", "empty-text", "blank-text", "untrimmed-text", "nul-text"}
        features |= {"date-time-fraction", "date-time-offset"}
        assert set(body.open_features) <= features
    shares = Counter(body.acceptance for body in sample)
    assert 0.6 < shares["should"] / len(sample) < 0.9


def test_the_distribution_is_sane(sample: list[Body], statuses: Counter[str]) -> None:
    count = len(sample)
    assert statuses["invalid"] <= 0.05 * count
    types = Counter(action["type"] for body in sample for action in actions_of(body))
    assert len(types) == 8
    assert min(types.values()) > 0.05 * sum(types.values())
    triggers = Counter(body.value["trigger"]["type"] for body in sample)
    assert len(triggers) == 3
    assert min(triggers.values()) > 0.2 * count
    depths = Counter(
        max((depth for depth, _ in conditions_in(step["conditions"])), default=0)
        for body in sample
        for step in body.value["steps"]
    )
    assert set(depths) == {0, 1, 2, 3}
    assert min(depths.values()) > 0.05 * sum(depths.values())
    steps = Counter(len(body.value["steps"]) for body in sample)
    assert {1, 2} <= set(steps)
    assert sum(times for length, times in steps.items() if length > 4) > 0.01 * count
    reached = frozenset[str]().union(*(body.shapes for body in sample))
    closed = {shape for shape in all_shapes(CONTRACT) if not shape.endswith(("=empty", "conditions=absent"))}
    assert {shape for shape in closed - reached if not shape.endswith(("=least", "=most"))} == set()


def test_the_example_is_the_page_s_own(world: World) -> None:
    body = example(CONTRACT, world)
    shown = CONTRACT.example_body()
    action = body.value["steps"][0]["actions"][0]
    assert body.acceptance == "must"
    assert (action["source"]["id"], action["destination"]["id"]) == ("acc_income", "acc_pod")
    assert body.value["trigger"]["account_id"] == "acc_income"
    assert action["amount_in_cents"] == world.max_amount_in_cents
    assert places_of(CONTRACT, body.value) == places_of(CONTRACT, shown)
    assert {standing_of(CONTRACT, place) for place in places_of(CONTRACT, shown) - {"/steps/*/conditions"}} == {
        "documented"
    }


def test_the_example_with_other_account_types_is_no_longer_the_page_s(world: World) -> None:
    pods = World(accounts=(Account("a", "pod"), Account("b", "pod")), now=world.now)
    assert example(CONTRACT, pods).acceptance == "should"
    assert {body.acceptance for body in variations(CONTRACT, pods)} == {"should"}


def test_the_inert_body_does_the_least(world: World) -> None:
    body = inert(CONTRACT, world)
    assert list(amounts_in(body.value)) == [1]
    assert datetime.fromisoformat(body.value["trigger"]["start_date"]) - world.now > timedelta(days=365)
    assert body.acceptance == "must"


def test_variations_have_to_be_accepted(world: World) -> None:
    varied = variations(CONTRACT, world)
    assert {body.acceptance for body in varied} == {"must"}
    values = [body.value for body in varied]
    assert {"nickname", "description"} <= {
        name for value in values for name in example(CONTRACT, world).value if name not in value
    }
    assert {amount for value in values for amount in amounts_in(value)} == {1, world.max_amount_in_cents}
    assert max(len(value.get("nickname") or "") for value in values) == 64


def test_each_open_body_asks_one_question(world: World) -> None:
    asked = open_bodies(CONTRACT, world)
    assert {body.acceptance for body in asked} == {"open"}
    assert {body.open_features for body in asked} == {(kind,) for kind in OPEN_KINDS}
    questions = [(kind, place_asking(CONTRACT, body.value, kind)) for body in asked for kind in body.open_features]
    assert len(questions) == len(set(questions))
    texts = {"empty-text", "blank-text", "untrimmed-text", "nul-text"}
    assert {place for kind, place in questions if kind in texts} == {"/nickname", "/description"}
    assert {place for kind, place in questions if kind not in texts} == {""}


def test_exact_bodies_probe_numbers_and_text(world: World) -> None:
    exact = exact_bodies(CONTRACT, world)
    encoded = [json.dumps(body.value, ensure_ascii=False) for body in exact]
    assert all(amount <= world.max_amount_in_cents for body in exact for amount in amounts_in(body.value))
    for needle in (
        "33.33",
        "0.01",
        "12.5",
        "9007199254740991",
        "0.1",
        "1000000000000000.0",
        "💸",
        "e\u0301",
        "DROP TABLE",
    ):
        assert any(needle in text for text in encoded), needle
    assert {body.acceptance for body in exact} == {"must", "should", "open"}


def test_what_a_world_lacks_is_said(world: World) -> None:
    few = World(accounts=world.accounts[:2], now=world.now)
    lacking = unreachable_shapes(CONTRACT, few)
    assert unreachable_shapes(CONTRACT, world) == {}
    assert lacking["/steps/*/actions/*:next_payment_minimum"] == "the world has no account that is a liability"
    assert "external_account" in lacking["/steps/*/actions/*:fixed_amount/destination/type=external_account"]
    sent = [*covering_set(CONTRACT, few), *open_bodies(CONTRACT, few)]
    reached = frozenset[str]().union(*(body.shapes for body in sent))
    assert set(all_shapes(CONTRACT)) - reached == set(lacking)


@pytest.mark.parametrize(
    "accounts",
    [(), (Account("a", "income_source"),), (Account("a", "external_account"), Account("b", "external_account"))],
)
def test_a_world_without_two_accounts_is_refused(accounts: tuple[Account, ...]) -> None:
    bare = World(accounts=accounts, now=datetime(2026, 1, 1, tzinfo=UTC))
    for make in (example, inert, bodies, covering_set):
        with pytest.raises(UnsuitableWorld, match="two such accounts"):
            make(CONTRACT, bare)


def test_shapes_and_places_have_standings() -> None:
    assert standing_of(CONTRACT, "/trigger:SCHEDULED/schedule_type=MONTHLY") == "documented"
    assert standing_of(CONTRACT, "/trigger:SCHEDULED/schedule_type=DAILY") == "inferred"
    assert standing_of(CONTRACT, "/trigger:MANUAL/account_id") == "inferred"
    assert standing_of(CONTRACT, "/steps/*/actions/*:fixed_amount/source/type=external_account") == "inferred"
    assert standing_of(CONTRACT, "/steps/*/actions/*:fixed_amount/amount_in_cents=least") == "documented"
    assert standing_of(CONTRACT, "/steps/*/actions/*:fixed_amount/limit/period") == "inferred"
    assert standing_of(CONTRACT, "/steps/*/conditions") == "inferred"
    assert standing_of(CONTRACT, "/steps/*/conditions=null") == "documented"
    assert standing_of(CONTRACT, "/unheard/of") == "documented"


def test_the_same_bodies_whatever_the_hash_seed(world: World) -> None:
    script = (
        "import hashlib, json, sys\n"
        "from datetime import datetime\n"
        "from rules_harness.openapi.contract import load\n"
        "from rules_harness.strategies.bodies import covering_set, exact_bodies, open_bodies\n"
        "from rules_harness.strategies.world import Account, World\n"
        "accounts = tuple(Account(*account) for account in json.loads(sys.argv[1]))\n"
        "world = World(accounts=accounts, now=datetime.fromisoformat(sys.argv[2]), max_amount_in_cents=5_000)\n"
        "lists = (covering_set(load(), world), exact_bodies(load(), world), open_bodies(load(), world))\n"
        "text = json.dumps([[body.value for body in bodies] for bodies in lists])\n"
        "print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    accounts = json.dumps([[account.id, account.type, account.liability] for account in world.accounts])
    lists = (covering_set(CONTRACT, world), exact_bodies(CONTRACT, world), open_bodies(CONTRACT, world))
    here = hashlib.sha256(json.dumps([[body.value for body in listed] for listed in lists]).encode()).hexdigest()
    there = subprocess.run(
        [sys.executable, "-c", script, accounts, world.now.isoformat()],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONHASHSEED": "123"},
    )
    assert there.stdout.strip() == here
