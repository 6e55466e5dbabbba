from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import Phase, find, settings
from hypothesis import strategies as st

from rules_harness.openapi.contract import Contract, load
from rules_harness.strategies import text
from rules_harness.strategies.places import below, place_of
from rules_harness.strategies.schema import JSON, UnsupportedSchema, values

CONTRACT = load()
Draw = Callable[..., list[Any]]
Schema = dict[str, Any]

OBJECT: Schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": ["string", "null"]}}}
SCHEMAS: dict[str, Any] = {
    "anything": {},
    "true": True,
    "types": {"type": ["string", "integer", "null", "boolean"]},
    "const": {"const": {"a": [1, None]}},
    "enum of several types": {"enum": [1, "1", None, True, [0], {"a": 1}], "type": ["integer", "null", "object"]},
    "enum within bounds": {"enum": [1, 5, 9, "x"], "type": "integer", "minimum": 2},
    "integer": {"type": "integer"},
    "integer bounds": {"type": "integer", "minimum": -3, "exclusiveMaximum": 1000},
    "integer multiples": {"type": "integer", "minimum": 1, "maximum": 100, "multipleOf": 7},
    "integer above": {"type": "integer", "exclusiveMinimum": 9},
    "int32": {"type": "integer", "format": "int32"},
    "number": {"type": "number"},
    "number bounds": {"type": "number", "exclusiveMinimum": 0, "maximum": 1.5},
    "number multiples": {"type": "number", "minimum": -1, "maximum": 40, "multipleOf": 0.5},
    "text lengths": {"type": "string", "minLength": 3, "maxLength": 12},
    "pattern": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$"},
    "unanchored pattern and length": {"type": "string", "pattern": "[0-9]", "maxLength": 6},
    "date-time": {"type": "string", "format": "date-time"},
    "uuid": {"type": "string", "format": "uuid"},
    "array": {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 9},
    "array of anything": {"type": "array"},
    "no members": {"type": "array", "items": False},
    "unique": {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 3}, "uniqueItems": True},
    "object": OBJECT,
    "required": {**OBJECT, "required": ["b", "unlisted"]},
    "closed": {**OBJECT, "additionalProperties": False},
    "typed further properties": {**OBJECT, "additionalProperties": {"type": "integer", "minimum": 5}},
    "allOf": {"allOf": [OBJECT, {"required": ["a"], "properties": {"a": {"minimum": 7}, "c": {"type": "null"}}}]},
    "allOf with a closed part": {"allOf": [{**OBJECT, "additionalProperties": False}, {"properties": {"c": {}}}]},
    "anyOf": {"anyOf": [{"type": "integer", "minimum": 3}, {"type": "integer", "maximum": 5}]},
    "oneOf by required fields": {**OBJECT, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "oneOf without types": {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "oneOf that overlaps": {"oneOf": [{"type": "integer", "minimum": 3}, {"type": "integer", "maximum": 5}]},
    "oneOf beside null": {"oneOf": [OBJECT, {"type": "null"}]},
    "nested oneOf": {"oneOf": [{"type": "null"}, {"oneOf": [{"type": "integer"}, {"type": "string"}]}]},
    "discriminator": {
        "oneOf": [
            {"$ref": "#/components/schemas/ManualTrigger"},
            {"$ref": "#/components/schemas/FundsTransferredTrigger"},
        ],
        "discriminator": {"propertyName": "type"},
    },
    "reference with siblings": {"$ref": "#/components/schemas/AccountRef", "required": ["name"], "description": "x"},
    "recursion": {"$ref": "#/components/schemas/ConditionTree"},
    "annotations": {"type": "integer", "title": "t", "default": 1, "deprecated": True, "readOnly": True, "x-any": 1},
    "the body": CONTRACT.body_schema,
    "the rule": CONTRACT.rule_schema,
}


def values_of(schema: Any) -> st.SearchStrategy[JSON]:
    return values(CONTRACT, place_of(CONTRACT, schema))


def judge_of(contract: Contract, schema: Any) -> jsonschema.Draft202012Validator:
    standalone = contract.standalone(schema) if isinstance(schema, dict) else schema
    return jsonschema.Draft202012Validator(standalone, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEMAS)
def test_every_value_satisfies_its_schema(name: str, draw: Draw) -> None:
    judge = judge_of(CONTRACT, SCHEMAS[name])
    drawn = draw(values_of(SCHEMAS[name]), 60)
    assert drawn
    for value in drawn:
        judge.validate(value)
        json.dumps(value, allow_nan=False).encode()


@pytest.mark.slow
def test_all_the_choices_of_a_schema_are_made(draw: Draw) -> None:
    schema = {
        "type": "object",
        "required": ["least", "list", "words", "pick"],
        "properties": {
            "least": {"type": "integer", "minimum": 5, "maximum": 900_000},
            "above": {"type": "integer", "minimum": 5},
            "share": {"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.01},
            "list": {"type": "array", "items": {"type": "null"}, "minItems": 1, "maxItems": 20},
            "words": {"type": "string", "minLength": 2, "maxLength": 5},
            "pick": {"oneOf": [{"type": "boolean"}, {"enum": ["x", "y"]}, {"type": "null"}]},
            "maybe": {"type": ["string", "null"]},
        },
    }
    drawn = draw(values_of(schema), 1_000)
    assert {5, 900_000} <= {value["least"] for value in drawn}
    assert 5 in {value.get("above") for value in drawn}
    assert {0, 1} <= {value.get("share") for value in drawn}
    assert {1, 2, 20} <= {len(value["list"]) for value in drawn}
    assert {2, 5} <= {len(value["words"]) for value in drawn}
    assert {True, False, "x", "y", None} == {value["pick"] for value in drawn}
    assert {"absent", None, ""} <= {value.get("maybe", "absent") for value in drawn}


def test_a_discriminator_tells_alternatives_that_leave_it_open(draw: Draw) -> None:
    schema = {
        "oneOf": [{"$ref": "#/components/schemas/TriggerEnvelope"}, {"$ref": "#/components/schemas/RuleEnvelope"}],
        "discriminator": {"propertyName": "kind", "mapping": {"short/1": "#/components/schemas/TriggerEnvelope"}},
    }
    drawn = draw(values_of(schema), 40)
    assert {value["kind"] for value in drawn} == {"short/1", "RuleEnvelope"}
    assert all("id" in value["data"] for value in drawn if value["kind"] == "RuleEnvelope")
    named = {place.name for place in below(place_of(CONTRACT, schema)) if place.name.startswith(":")}
    assert {":short-1", ":RuleEnvelope"} <= named


@pytest.mark.slow
def test_text_has_every_class(draw: Draw) -> None:
    drawn = set(draw(values_of({"type": "string"}), 1_500))
    assert {name for name, samples in text.CLASSES.items() if not drawn & set(samples)} == set()


@pytest.mark.slow
def test_trees_nest_to_a_few_levels(draw: Draw) -> None:
    def depth(tree: dict[str, Any]) -> int:
        return 1 + max(
            (depth(inner) for members in tree.values() if isinstance(members, list) for inner in members), default=0
        )

    tree = {"$ref": "#/components/schemas/ConditionTree"}
    assert {depth(value) for value in draw(values_of(tree), 200)} == {1, 2, 3}


def test_the_simplest_value_is_simple() -> None:
    plain = settings(database=None, derandomize=True, phases=[Phase.generate, Phase.shrink])
    simplest = find(values_of(CONTRACT.body_schema), lambda _: True, settings=plain)
    assert simplest["steps"] == []
    assert set(simplest) == {"status", "trigger", "steps"}
    schema = {"oneOf": [{"type": "null"}, {"type": "string"}, {"type": "array", "items": {"type": "integer"}}]}
    assert find(values_of(schema), lambda value: value is not None, settings=plain) in ("", [])
    assert find(values_of(schema), lambda _: True, settings=plain) is None


def test_the_same_values_in_every_run(draw: Draw) -> None:
    first = draw(values_of(CONTRACT.body_schema), 30)
    assert first == draw(values_of(CONTRACT.body_schema), 30)


def test_values_share_nothing(draw: Draw) -> None:
    first, *others = draw(values_of({"type": "array", "items": OBJECT, "minItems": 2}), 40)
    for member in first:
        member["changed"] = True
    assert not any("changed" in member for value in others for member in value)


UNSUPPORTED: list[tuple[str, Any]] = [
    ("not", {"type": "null"}),
    ("if", {}),
    ("patternProperties", {}),
    ("propertyNames", {}),
    ("minProperties", 1),
    ("contains", {}),
    ("prefixItems", []),
    ("dependentRequired", {}),
    ("unevaluatedProperties", False),
    ("nullable", True),
    ("format", "email"),
    ("type", "text"),
    ("required", "name"),
    ("minLength", "3"),
    ("misspelt", 1),
]


@pytest.mark.parametrize(("keyword", "value"), UNSUPPORTED, ids=[keyword for keyword, _ in UNSUPPORTED])
def test_an_unsupported_keyword_is_named_with_its_place(keyword: str, value: Any, tmp_path: Path) -> None:
    document = copy.deepcopy(dict(CONTRACT.document))
    document["components"]["schemas"]["Condition"]["properties"]["value"][keyword] = value
    path = tmp_path / "unusual.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    contract = load(path)
    with pytest.raises(UnsupportedSchema) as refusal:
        values(contract, place_of(contract, contract.body_schema))
    assert refusal.value.place == f"/components/schemas/Condition/properties/value/{keyword}"
    assert refusal.value.place in str(refusal.value)


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"type": "object", "required": ["a"], "properties": {"a": False}},
        {"type": "array", "items": False, "minItems": 1},
        {"enum": ["a"], "type": "integer"},
    ],
)
def test_nothing_is_made_where_nothing_satisfies(schema: Any) -> None:
    assert values_of(schema).is_empty


def test_two_patterns_at_one_place_are_not_supported() -> None:
    with pytest.raises(UnsupportedSchema, match="'pattern'"):
        values_of({"allOf": [{"type": "string", "pattern": "a"}, {"type": "string", "pattern": "b"}]})
