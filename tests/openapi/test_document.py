"""rules.yaml against OpenAPI, against itself and against the documentation page."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from rules_harness.openapi.contract import load

DATA = Path(__file__).parents[1] / "data"
PAGE = (DATA / "update-rule.txt").read_text(encoding="utf-8")
IDS = tomllib.loads((DATA / "contract-ids.toml").read_text(encoding="utf-8"))
CONTRACT = load()
DOCUMENT = CONTRACT.document
UPDATE = DOCUMENT["paths"][CONTRACT.update.path]["put"]


def answers_of_the_page() -> list[Any]:
    """The page's example answers, in its order."""
    return [json.JSONDecoder().raw_decode(PAGE, match.start())[0] for match in re.finditer(r"^\{$", PAGE, re.MULTILINE)]


def examples(node: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every example of the document with its place and its schema."""
    if isinstance(node, dict):
        if "examples" in node:
            for name, example in node["examples"].items():
                yield f"{place}/examples/{name}", node["schema"], example["value"]
        assert "example" not in node, "an example that this test would not see"
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield from examples(child, f"{place}/{name}")


def test_is_openapi() -> None:
    validate(dict(DOCUMENT))


@pytest.mark.parametrize(("schema", "value"), [pytest.param(s, v, id=p) for p, s, v in examples(DOCUMENT)])
def test_example_satisfies_its_schema(schema: Any, value: Any) -> None:
    judge = jsonschema.Draft202012Validator(
        CONTRACT.standalone(schema), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    judge.validate(value)


def test_examples_are_the_page_s() -> None:
    sent = re.search(r"-d '(.*)'$", PAGE, re.MULTILINE)
    assert sent is not None
    assert CONTRACT.example_body() == json.loads(sent[1].replace("\\", ""))
    answers = [CONTRACT.resolve(answer) for answer in UPDATE["responses"].values()]
    shown = [answer["content"]["application/json"]["examples"]["page"]["value"] for answer in answers]
    assert shown == answers_of_the_page()
    assert list(UPDATE["responses"]) == ["200", "400", "401", "403", "404"]


@pytest.mark.parametrize("requirement", CONTRACT.requirements.values(), ids=lambda requirement: requirement.id)
def test_requirement_rests_on_something(requirement: Any) -> None:
    match requirement.basis_kind:
        case "quotation":
            assert requirement.basis in PAGE
        case "standard":
            assert re.match(r"RFC \d+, sections? \d", requirement.basis)
        case _:
            assert requirement.basis


def test_descriptions_are_the_page_s() -> None:
    assert UPDATE["description"] in PAGE
    assert UPDATE["x-availability"] in PAGE
    components = DOCUMENT["components"]
    for parameter in components["parameters"].values():
        assert parameter["description"] in PAGE
    scheme = components["securitySchemes"]["ApiKeyAuth"]
    assert scheme["description"] in PAGE
    for scope in scheme["x-scopes"]:
        assert f"\n{scope['scope']}{scope['resources']}{scope['grants']}\n" in PAGE


def test_body_has_the_fields_of_the_page() -> None:
    rows = re.findall(r"^\+?(\w+)([?*])$", PAGE.partition("FieldTypeDescription")[2], re.MULTILINE)
    body = CONTRACT.resolve(CONTRACT.body_schema)
    assert list(body["properties"]) == [name for name, _ in rows]
    assert body["required"] == [name for name, mark in rows if mark == "*"]


def test_every_requirement_is_there_with_its_level() -> None:
    assert {identity: requirement.level for identity, requirement in CONTRACT.requirements.items()} == IDS[
        "requirements"
    ]


def test_every_reading_is_there_with_its_tokens() -> None:
    readings = CONTRACT.readings.values()
    found = {r.id: {"tokens": list(r.tokens), "accepted": list(r.accepted)} for r in readings}
    assert found == IDS["readings"]
    assert {r.requirement for r in readings} <= IDS["requirements"].keys()


def test_only_conditional_levels_have_a_note() -> None:
    notes = {identity: requirement.note for identity, requirement in CONTRACT.requirements.items() if requirement.note}
    assert notes["idempotency.not-poisoned"] == "must for 401; reading.refusal-replayed for 403"
    assert {identity.partition(".")[0] for identity in notes} == {"update", "status", "idempotency", "validation"}
