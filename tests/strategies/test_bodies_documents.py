"""Other contract documents change what is sent, without a line of code."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from rules_harness.openapi.contract import Contract, load
from rules_harness.strategies.bodies import (
    Body,
    all_shapes,
    bodies,
    covering_set,
    exact_bodies,
    example,
    open_bodies,
    places_of,
    unreachable_shapes,
    variations,
)
from rules_harness.strategies.world import World
from tests.strategies.conftest import Change

Draw = Callable[..., list[Any]]
Schemas = dict[str, Any]


def everything(contract: Contract, world: World, draw: Draw) -> list[Body]:
    """Bodies of every sort, each of which satisfies the contract."""
    listed = [*covering_set(contract, world), *open_bodies(contract, world), *exact_bodies(contract, world)]
    found = [*listed, *variations(contract, world), example(contract, world), *draw(bodies(contract, world), 80)]
    judge = jsonschema_rs.Draft202012Validator(contract.standalone(contract.body_schema), validate_formats=True)
    for body in found:
        judge.validate(body.value)
    reached = frozenset[str]().union(*(body.shapes for body in listed))
    assert reached >= set(all_shapes(contract)) - set(unreachable_shapes(contract, world))
    return found


def renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(name, name): renamed(inner, names) for name, inner in value.items()}
    if isinstance(value, list):
        return [renamed(inner, names) for inner in value]
    return names.get(value, value) if isinstance(value, str) else value


@pytest.mark.slow
def test_renamed_fields_keep_their_roles(tmp_path: Path, world: World, draw: Draw) -> None:
    names = {"amount_in_cents": "cents", "source": "payer", "start_date": "begins", "percentage_value": "share"}
    names |= {"steps": "stages", "nickname": "label", "type": "kind", "account_id": "account", "conditions": "if_so"}
    document = copy.deepcopy(dict(load().document))
    schemas = document["components"]["schemas"]
    roles = json.dumps(schemas)
    keywords = {name: name for name in ("type", "properties", "required")}
    for schema in schemas.values():
        for part in ("properties", "required"):
            if part in schema:
                schema[part] = renamed_names(schema[part], names)
        if "discriminator" in schema:
            schema["discriminator"]["propertyName"] = names["type"]
    for alternative in schemas["TopUpAction"]["oneOf"]:
        alternative["properties"] = renamed_names(alternative["properties"], names)
        alternative["required"] = renamed_names(alternative["required"], names)
    condition = schemas["Condition"]["properties"]["params"]
    condition["properties"] = renamed_names(condition["properties"], names)
    assert roles != json.dumps(schemas)
    assert keywords
    media = document["paths"]["/rules/{id}"]["put"]["requestBody"]["content"]["application/json"]
    media["examples"]["page"]["value"] = renamed(media["examples"]["page"]["value"], names)
    path = tmp_path / "renamed.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    contract = load(path)
    found = everything(contract, world, draw)
    text = json.dumps([body.value for body in found])
    assert not any(f'"{name}"' in text for name in names)
    assert all(f'"{name}"' in text for name in names.values())
    cents = [
        action["cents"]
        for body in found
        for stage in body.value["stages"]
        for action in stage["actions"]
        if action.get("cents")
    ]
    assert (min(cents), max(cents)) == (1, world.max_amount_in_cents)
    assert len(covering_set(contract, world)) == len(covering_set(load(), world))


def renamed_names(part: Any, names: dict[str, str]) -> Any:
    if isinstance(part, list):
        return [names.get(name, name) for name in part]
    return {names.get(name, name): inner for name, inner in part.items()}


@pytest.mark.slow
def test_an_added_kind_of_action_is_sent(changed: Callable[[Change], Contract], world: World, draw: Draw) -> None:
    def add(schemas: Schemas) -> None:
        schemas["DonationAction"] = {
            "type": "object",
            "x-standing": "inferred",
            "allOf": [{"$ref": "#/components/schemas/ActionCommon"}],
            "required": ["type", "cause", "receipt"],
            "properties": {
                "type": {"type": "string", "const": "donation"},
                "cause": {"type": "string", "enum": ["trees", "books"]},
                "receipt": {"type": "string", "format": "uuid"},
                "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
                "tags": {"type": "array", "minItems": 2, "maxItems": 3, "items": {"type": "string", "maxLength": 5}},
                "priority": {"type": "integer"},
                "level": {"type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 2},
                "ratio": {"type": "number", "exclusiveMinimum": 0},
                "amount_in_cents": {"$ref": "#/components/schemas/AmountInCents"},
            },
        }
        action = schemas["Action"]
        action["oneOf"].append({"$ref": "#/components/schemas/DonationAction"})
        action["discriminator"]["mapping"]["donation"] = "#/components/schemas/DonationAction"

    contract = changed(add)
    place = "/steps/*/actions/*:donation"
    shapes = set(all_shapes(contract)) - set(all_shapes(load()))
    assert {
        place,
        f"{place}/cause=trees",
        f"{place}/tags=several",
        f"{place}/level=least",
        f"{place}/limit=null",
    } <= shapes
    found = everything(contract, world, draw)
    donations = [
        action
        for body in found
        for step in body.value["steps"]
        for action in step["actions"]
        if action["type"] == "donation"
    ]
    assert {donation["cause"] for donation in donations} == {"trees", "books"}
    assert {2} <= {len(donation["tags"]) for donation in donations if "tags" in donation} <= {2, 3}
    assert {2, 8} <= {donation.get("level") for donation in donations}
    assert max(abs(donation.get("priority", 0)) for donation in donations) <= 1_000_000
    assert any(f"{place}/receipt" in places_of(contract, body.value) for body in found)


@pytest.mark.slow
def test_limits_of_text_are_kept(changed: Callable[[Change], Contract], world: World, draw: Draw) -> None:
    def limit(schemas: Schemas) -> None:
        properties = schemas["RuleUpdate"]["properties"]
        properties["nickname"]["maxLength"] = 6
        properties["description"] |= {"minLength": 70, "type": ["string", "null"]}

    found = draw(bodies(changed(limit), world), 120)
    nicknames = [body.value["nickname"] for body in found if body.value.get("nickname")]
    descriptions = [body.value["description"] for body in found if body.value.get("description")]
    assert nicknames
    assert max(map(len, nicknames)) <= 6
    assert descriptions
    assert min(map(len, descriptions)) >= 70


@pytest.mark.slow
def test_of_two_operands_exactly_one_is_set(changed: Callable[[Change], Contract], world: World, draw: Draw) -> None:
    def mark(schemas: Schemas) -> None:
        for name in ("value", "value_fact"):
            schemas["Condition"]["properties"][name]["x-role"] = "operand"

    contract = changed(mark)
    place = "/steps/*/conditions:condition/condition"
    assert {f"{place}:value", f"{place}:value_fact", f"{place}/value=null"} <= set(all_shapes(contract))
    conditions: list[dict[str, Any]] = []
    for body in everything(contract, world, draw):
        collect(body.value, conditions)
    assert conditions
    for condition in conditions:
        assert (condition.get("value") is None) != (condition.get("value_fact") is None)


def collect(value: Any, conditions: list[dict[str, Any]]) -> None:
    if isinstance(value, dict):
        if "fact" in value:
            conditions.append(value)
        for inner in value.values():
            collect(inner, conditions)
    elif isinstance(value, list):
        for inner in value:
            collect(inner, conditions)


def test_a_contract_without_the_usual_parts(changed: Callable[[Change], Contract], world: World, draw: Draw) -> None:
    def strip(schemas: Schemas) -> None:
        del schemas["RuleStep"]["properties"]["conditions"]
        schemas["Action"]["oneOf"] = schemas["Action"]["oneOf"][:1]
        schemas["Action"]["discriminator"]["mapping"] = {"fixed_amount": "#/components/schemas/FixedAmountAction"}
        schemas["Trigger"]["oneOf"] = schemas["Trigger"]["oneOf"][:1]

    found = everything(changed(strip), world, draw)
    assert {action["type"] for body in found for step in body.value["steps"] for action in step["actions"]} == {
        "fixed_amount"
    }
