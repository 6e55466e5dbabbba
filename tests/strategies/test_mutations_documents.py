"""Other contract documents change what is mutated, without a line of code."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.mutations import Mutation, apply, catalogue
from rules_harness.strategies.world import Account, World
from tests.strategies.conftest import Change

WORLD = World(
    accounts=(Account("acc_income", "income_source"), Account("acc_pod", "pod")), now=datetime(2026, 1, 31, tzinfo=UTC)
)


def claims(contract: Contract, part: str) -> dict[str, Mutation]:
    found = {mutation.kind: mutation for mutation in catalogue(contract) if mutation.name.startswith(f"{part} ")}
    assert found
    schema = contract.standalone(contract.body_schema)
    judge = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    for mutation in found.values():
        value = json.loads(apply(contract, WORLD, mutation))
        assert judge.is_valid(value) is not mutation.claims_violation, mutation.name
    return found


def test_a_renamed_field_is_mutated_under_its_new_name(changed: Callable[[Change], Contract]) -> None:
    def rename(schemas: dict[str, Any]) -> None:
        limit = schemas["TransferLimit"]
        limit["properties"]["interval"] = limit["properties"].pop("period")
        limit["required"] = ["interval", "amount_in_cents"]

    contract = changed(rename)
    names = {mutation.name for mutation in catalogue(contract)}
    assert "/steps/0/actions/0/limit/interval enum:unknown" in names
    assert not any("/period" in name for name in names)


@pytest.mark.slow
def test_an_added_action_is_mutated(changed: Callable[[Change], Contract]) -> None:
    def add(schemas: dict[str, Any]) -> None:
        schemas["SweepAction"] = {
            "type": "object",
            "allOf": [{"$ref": "#/components/schemas/ActionCommon"}],
            "required": ["type", "floor"],
            "properties": {
                "type": {"type": "string", "const": "sweep"},
                "floor": {"type": "integer", "minimum": 5, "exclusiveMaximum": 90, "multipleOf": 5},
            },
        }
        schemas["Action"]["oneOf"].append({"$ref": "#/components/schemas/SweepAction"})
        schemas["Action"]["discriminator"]["mapping"]["sweep"] = "#/components/schemas/SweepAction"

    contract = changed(add)
    kinds = claims(contract, "/steps/0/actions/0:sweep/floor")
    assert kinds.keys() >= {"required", "minimum:-1", "exclusiveMaximum:equal", "multipleOf:between", "type:fraction"}
    assert kinds["required"].place == "/steps/*/actions/*:sweep/floor"


@pytest.mark.slow
def test_further_keywords_of_texts_are_violated(changed: Callable[[Change], Contract]) -> None:
    def limit(schemas: dict[str, Any]) -> None:
        schemas["RuleUpdate"]["properties"]["nickname"] |= {"minLength": 2, "maxLength": 40}
        schemas["RuleUpdate"]["properties"]["colour"] = {"type": "string", "pattern": "^[0-9a-f]{6}$"}
        schemas["RuleUpdate"]["properties"]["token"] = {"type": "string", "format": "uuid"}

    contract = changed(limit)
    lengths = {"minLength:empty", "minLength:-1", "maxLength:+1", "maxLength:+far"}
    assert claims(contract, "/nickname").keys() >= lengths
    assert "pattern:unlike" in claims(contract, "/colour")
    assert claims(contract, "/token").keys() >= {"format:empty", "format:text", "format:short", "format:letter"}


@pytest.mark.slow
def test_further_keywords_of_lists_and_objects_are_violated(changed: Callable[[Change], Contract]) -> None:
    def limit(schemas: dict[str, Any]) -> None:
        schemas["RuleSteps"] |= {"minItems": 1, "maxItems": 3}
        schemas["AccountRef"]["additionalProperties"] = False
        schemas["RuleUpdate"]["properties"]["tags"] = {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": 9},
            "uniqueItems": True,
            "minItems": 1,
        }

    contract = changed(limit)
    assert claims(contract, "/steps").keys() >= {"minItems:-1", "maxItems:+1"}
    assert claims(contract, "/tags").keys() >= {"minItems:-1", "uniqueItems:twice"}
    assert "unknown-property" not in claims(contract, "/steps/0/actions/0/source")
    assert "additionalProperties:unknown" in claims(contract, "/steps/0/actions/0/source")


@pytest.mark.slow
def test_what_an_alternative_admits_is_no_violation(changed: Callable[[Change], Contract]) -> None:
    def loosen(schemas: dict[str, Any]) -> None:
        schemas["RuleUpdate"]["properties"]["label"] = {"anyOf": [{"type": "string"}, {"type": "integer"}]}

    kinds = claims(changed(loosen), "/label")
    assert "type:integer" not in kinds
    assert "type:string" not in kinds
    assert "type:boolean" in kinds


@pytest.mark.slow
def test_conditions_that_the_contract_requires_are_a_violation_when_left_out(
    changed: Callable[[Change], Contract],
) -> None:
    def require(schemas: dict[str, Any]) -> None:
        schemas["RuleStep"]["required"].append("conditions")

    kinds = claims(changed(require), "/steps/0/conditions")
    assert kinds["required"].claims_violation
    assert "absent" not in kinds
