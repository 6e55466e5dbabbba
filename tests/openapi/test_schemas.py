"""The schemas of the contract, judged by both validators that the harness uses."""

from __future__ import annotations

from typing import Any

import jsonschema
import jsonschema_rs
import pytest

from rules_harness.openapi.contract import Contract, load

Document = dict[str, Any]


def is_valid(contract: Contract, schema: Any, value: Any) -> bool:
    """By both validators, which have to agree."""
    alone = contract.standalone(schema)
    slow = jsonschema.Draft202012Validator(alone)
    slow.check_schema(alone)
    fast = jsonschema_rs.validator_for(alone)
    assert slow.is_valid(value) == fast.is_valid(value)
    return slow.is_valid(value)


def action(**fields: Any) -> Document:
    example: Document = load().example_body()["steps"][0]["actions"][0]
    del example["amount_in_cents"]
    return example | fields


ACCOUNT = {"id": "acc_1", "type": "pod"}
FACT = {"condition": {"fact": "BALANCE", "operator": "EQUALS", "value": 1}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "valid"),
    [
        (action(type="fixed_amount", amount_in_cents=0), True),
        (action(type="fixed_amount", amount_in_cents=2**53 - 1), True),
        (action(type="fixed_amount", amount_in_cents=2**53), False),
        (action(type="fixed_amount", amount_in_cents=-1), False),
        (action(type="fixed_amount"), False),
        (action(type="fixed_amount", amount_in_cents=1, unknown=1), True),
        (action(type="fixed_amount", amount_in_cents=1, limit={"period": "PER_WEEK", "amount_in_cents": 1}), True),
        (action(type="fixed_amount", amount_in_cents=1, limit={"period": "PER_DAY", "amount_in_cents": 1}), False),
        (action(type="percentage", percentage_value=12.5, percentage_target="incoming_amount"), True),
        (action(type="percentage", percentage_value=100.5, percentage_target="incoming_amount"), False),
        (action(type="top_up", amount_in_cents=5), True),
        (action(type="top_up", current_balance_account=ACCOUNT, amount_in_cents=None), True),
        (action(type="top_up", current_balance_account=ACCOUNT, amount_in_cents=5), False),
        (action(type="top_up", amount_in_cents=None), False),
        (action(type="top_up"), False),
        (action(type="round_down", amount_in_cents=100), True),
        (action(type="next_payment_minimum"), True),
        (action(type="total_amount_due"), True),
        (action(type="last_statement_balance"), True),
        (action(type="percentage_liability_balance", percentage_value=0), True),
        (action(type="teleport"), False),
    ],
)
def test_schema_of_actions(value: Document, valid: bool) -> None:
    contract = load()
    assert is_valid(contract, {"$ref": "#/components/schemas/Action"}, value) is valid


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        (None, True),
        (FACT, True),
        ({"any": [FACT, {"all": [FACT, {"any": []}]}]}, True),
        (FACT | {"any": None}, True),
        (FACT | {"any": []}, False),
        ({}, False),
        ({"all": [FACT | {"condition": {"fact": "WEATHER", "operator": "EQUALS"}}]}, False),
        (FACT["condition"], False),
    ],
)
def test_schema_of_conditions(value: Document | None, valid: bool) -> None:
    contract = load()
    step: Document = {"conditions": value, "actions": []}
    assert is_valid(contract, {"$ref": "#/components/schemas/RuleStep"}, step) is valid


@pytest.mark.parametrize("absent", ["nickname", "description"])
def test_schema_of_a_rule_lets_nulls_be_absent(absent: str) -> None:
    contract = load()
    rule = contract.example_body() | {"id": "rule_1"}
    assert not is_valid(contract, contract.rule_schema, rule)
    rule |= {"created_at": "2024-03-01T10:00:00Z", "updated_at": "2024-04-01T09:00:00Z"}
    del rule[absent]
    assert is_valid(contract, contract.rule_schema, rule)
