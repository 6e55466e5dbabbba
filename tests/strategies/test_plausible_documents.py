"""What a back end wants beyond the schema is in the document: another document, other bodies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from rules_harness.openapi.contract import Contract, ContractError, load
from rules_harness.strategies.bodies import bodies, covering_set
from rules_harness.strategies.place import visited
from rules_harness.strategies.places import body_place
from rules_harness.strategies.plausible import share_out
from rules_harness.strategies.world import Account, World
from tests.strategies.conftest import Change

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORLD = World(
    (Account("acc_in", "income_source"), Account("acc_pod", "pod"), Account("acc_out", "external_account")), NOW
)


def values_of(contract: Contract, role: str) -> set[Any]:
    """What stands at the places with a role, in the bodies that cover all choices."""
    covering = [body.value for body in covering_set(contract, WORLD)]
    return {
        value
        for body in covering
        for place, _, value in visited(body_place(contract), body)
        if place.offers(role) and value is not None
    }


@pytest.mark.parametrize("most", [1, 2])
def test_a_maximum(changed: Callable[[Change], Contract], most: int) -> None:
    def edit(schemas: dict[str, Any]) -> None:
        schemas["ActionCommon"]["properties"]["group_index"]["x-plausible"] = {"maximum": most}

    assert max(values_of(changed(edit), "group-index")) == most


def test_a_minimum(changed: Callable[[Change], Contract]) -> None:
    assert min(values_of(load(), "amount")) == 1
    assert min(values_of(changed(lambda schemas: schemas["AmountInCents"].pop("x-plausible")), "amount")) == 0


def test_no_document_lifts_the_cap_or_enables(changed: Callable[[Change], Contract]) -> None:
    def edit(schemas: dict[str, Any]) -> None:
        schemas["AmountInCents"]["x-plausible"] = {"minimum": 1, "maximum": 10**9}
        schemas["RuleStatus"]["x-plausible"] = {"one-of": "status"}

    contract = changed(edit)
    assert max(values_of(contract, "amount")) == WORLD.max_amount_in_cents
    assert values_of(contract, "status") == {"disabled"}


def test_days_ahead(changed: Callable[[Change], Contract]) -> None:
    def edit(schemas: dict[str, Any]) -> None:
        schemas["ScheduledTrigger"]["properties"]["start_date"]["x-plausible"] = {"days-ahead": [100, 140]}

    contract = changed(edit)

    @settings(max_examples=30, deadline=None, database=None)
    @given(bodies(contract, WORLD))
    def judge(body: Any) -> None:
        start = body.value["trigger"].get("start_date")
        if start is not None:
            assert NOW + timedelta(days=99) < datetime.fromisoformat(start) < NOW + timedelta(days=142)

    judge()


def test_an_account_of_any_kind(changed: Callable[[Change], Contract]) -> None:
    def edit(schemas: dict[str, Any]) -> None:
        for name in ("ScheduledTrigger", "FundsTransferredTrigger", "ManualTrigger"):
            schemas[name]["properties"]["account_id"]["x-plausible"] = {"account": "any"}

    assert "acc_out" not in values_of(load(), "trigger-account")
    assert "acc_out" in values_of(changed(edit), "trigger-account")


def test_what_shares_add_up_to(changed: Callable[[Change], Contract]) -> None:
    def edit(schemas: dict[str, Any]) -> None:
        schemas["Percentage"]["x-plausible"]["most-in-a-part"] = 40

    body = load().example_body()
    share = {**body["steps"][0]["actions"][0], "type": "percentage", "percentage_target": "source_account"}
    share.pop("amount_in_cents")
    body["steps"][0]["actions"] = [{**share, "percentage_value": 60}, {**share, "percentage_value": 60}]
    share_out(changed(edit), body)
    assert sum(action["percentage_value"] for action in body["steps"][0]["actions"]) == pytest.approx(40, abs=0.1)


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"least": 1}, "'least' means nothing there; use minimum, maximum"),
        ({"minimum": "1"}, "'1' cannot stand there; write a number"),
        ({"account": "ours"}, "'ours' cannot stand there; write source, destination or any"),
        ({"days-ahead": [9, 3]}, r"\[9, 3\] cannot stand there; write the first and the last number of days"),
        ({"days-ahead": 20}, "20 cannot stand there"),
        ({"most-in-a-part": 0}, "0 cannot stand there; write a whole number above 0"),
        ({"present": "yes"}, "'yes' cannot stand there; write true or false"),
        (["minimum"], "is not a mapping"),
    ],
)
def test_what_nobody_understands_is_refused(changed: Callable[[Change], Contract], wanted: Any, problem: str) -> None:
    with pytest.raises(ContractError, match=problem) as caught:
        changed(lambda schemas: schemas["AmountInCents"].update({"x-plausible": wanted}))
    assert caught.value.place.startswith("/components/schemas/AmountInCents/x-plausible")
