"""`lint`: each rule speaks of a document that has the flaw, and of none that has not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rules_harness.openapi.contract import load
from rules_harness.openapi.lines import lines_of
from rules_harness.openapi.lint import RULES, lint
from tests.gate.runs import Ended, command

ROOT = Path(__file__).parents[2]
RULES_DOCUMENT = ROOT / "openapi/rules.yaml"
SARIF = ROOT / "tests/reports/schemas/sarif-2.1.0.json"
Document = dict[str, Any]
Edit = Callable[[Document], object]

THING = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "state": {"type": "string", "enum": ["ACTIVE", "PAUSED"], "description": "One of `ACTIVE`, `PAUSED`."},
        "name": {"type": "string", "maxLength": 40, "description": "At most 40 characters."},
        "since": {"type": "string", "format": "date-time", "description": "ISO 8601."},
    },
}
PROBLEM = {"type": "object", "properties": {"code": {"type": "string"}, "traceId": {"type": "string"}}}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Kept for one hour. A key that comes with another body is answered 409.",
    "schema": {"type": "string"},
}
TRACE = {
    "name": "X-Trace",
    "in": "header",
    "description": "Echoed in the response's `X-Trace` header and in the `traceId` field.",
    "schema": {"type": "string"},
}


def answer(schema: Document, example: Document) -> Document:
    schema = {**schema, "properties": {**schema["properties"], "traceId": {"type": "string"}}}
    content = {"application/json": {"schema": schema, "example": example}}
    return {"description": "It.", "headers": {"x-trace": {"schema": {"type": "string"}}}, "content": content}


def good() -> Document:
    """A document of which nothing is to be said."""
    operation = {
        "operationId": "pauseThing",
        "description": "Sets the state to PAUSED. Returns 404 where there is no such thing. Takes things.write.",
        "security": [{"key": []}],
        "parameters": [KEY, TRACE],
        "requestBody": {"content": {"application/json": {"schema": THING, "example": {"state": "ACTIVE"}}}},
        "responses": {
            "200": answer(THING, {"state": "PAUSED"}),
            "404": answer(PROBLEM, {"code": "THING_NOT_FOUND"}),
            "409": answer(PROBLEM, {"code": "KEY_REUSED"}),
            "422": answer(PROBLEM, {"code": "INVALID"}),
        },
    }
    scheme = {"type": "http", "scheme": "bearer", "x-scopes": ["things.read", "things.write"]}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "paths": {"/things/{id}": {"patch": operation}},
        "components": {"securitySchemes": {"key": scheme}},
    }
    written: Document = json.loads(json.dumps(document))  # in which nothing is shared
    return written


def patch(document: Document) -> Document:
    operation: Document = document["paths"]["/things/{id}"]["patch"]
    return operation


def content(document: Document, status: str) -> Document:
    media: Document = patch(document)["responses"][status]["content"]["application/json"]
    return media


def field(document: Document, name: str) -> Document:
    found: Document = patch(document)["requestBody"]["content"]["application/json"]["schema"]["properties"][name]
    return found


FLAWS: dict[str, tuple[Edit, str]] = {
    "example-schema": (lambda d: content(d, "200").update(example={"name": 3}), "name"),
    "example-status": (lambda d: content(d, "409").update(example={"code": "THING_NOT_FOUND"}), "the 409"),
    "example-prose": (lambda d: content(d, "200").update(example={"state": "ACTIVE"}), "set to 'PAUSED'"),
    "status-schema": (lambda d: content(d, "409").pop("schema"), "the 409 has no schema"),
    "status-refusal": (lambda d: patch(d)["responses"].pop("422"), "a body that is refused"),
    "status-prose": (lambda d: patch(d)["responses"].pop("404"), "404 is in the prose"),
    "prose-field": (lambda d: content(d, "409")["schema"]["properties"].pop("traceId"), "409 lack it"),
    "prose-header": (lambda d: patch(d)["responses"]["422"].pop("headers"), "422 lack it"),
    "prose-bound": (lambda d: field(d, "name").pop("maxLength"), "at most 40"),
    "prose-values": (lambda d: field(d, "state").pop("enum"), "ACTIVE, PAUSED"),
    "prose-date": (lambda d: field(d, "since").pop("format"), "any text"),
    "question-scope": (lambda d: patch(d).update(description="Sets the state to PAUSED."), "2 scopes"),
    "question-window": (
        lambda d: patch(d)["parameters"][0].update(description="With another body: 409."),
        "for how long",
    ),
    "question-key-reuse": (
        lambda d: patch(d)["parameters"][0].update(description="Kept for one hour."),
        "another body",
    ),
}


def test_nothing_is_said_of_a_good_document() -> None:
    assert lint(good()) == []


def test_every_rule_has_a_document() -> None:
    assert list(FLAWS) == [rule.id for rule in RULES]


@pytest.mark.parametrize("rule", FLAWS)
def test_a_flaw_is_said_once_and_nothing_else_is(rule: str) -> None:
    edit, text = FLAWS[rule]
    document = good()
    edit(document)
    (notice,) = lint(document)
    assert notice.rule.id == rule
    assert text in notice.text
    assert lines_of(json.dumps(document, indent=1).encode(), [notice.place])[notice.place] > 1


def test_nullable_of_openapi_3_0_allows_null() -> None:
    document = good()
    document["openapi"] = "3.0.3"
    field(document, "name").update(nullable=True)
    patch(document)["requestBody"]["content"]["application/json"]["example"] = {"name": None}
    assert lint(document) == []


def test_one_operation_alone() -> None:
    document = good()
    patch(document)["responses"].pop("422")
    document["paths"]["/other"] = {"get": {"operationId": "other", "responses": {}}}
    assert lint(copy.deepcopy(document), "other") == []
    assert len(lint(document, "pauseThing")) == 1


def linted(*arguments: str | Path) -> Ended:
    return command("lint", *arguments, environ={}, folder=Path())


def test_the_rules_contract_and_what_to_settle_with_its_maintainers() -> None:
    ended = linted(RULES_DOCUMENT, "--operation", "updateRule")
    assert ended.code == 0
    said = {line.rpartition("[")[2].rstrip("]"): line for line in ended.out.splitlines()[:-1]}
    assert "no status is documented for a body that is refused; 400 is inferred" in said["status-refusal"]
    assert "9 scopes, and nothing says which" in said["question-scope"]
    assert "status is 'enabled', and the prose says that it is set to 'disabled'" in said["example-prose"]
    assert "'request_id' is promised for answers, and 400, 401, 403, 404 lack it" in said["prose-field"]
    assert "the 400 is illustrated with 'resource_not_found'" in said["example-status"]
    assert "example-schema" not in said


@pytest.mark.parametrize(("lowest", "code"), [("error", 0), ("warning", 1), ("question", 1)])
def test_the_exit_code(lowest: str, code: int) -> None:
    assert linted(RULES_DOCUMENT, "--fail-on", lowest).code == code


def test_lines_are_those_of_the_file() -> None:
    text = RULES_DOCUMENT.read_text(encoding="utf-8").splitlines()
    for line in linted(RULES_DOCUMENT).out.splitlines()[:-1]:
        number = int(line.removeprefix(f"{RULES_DOCUMENT}:").partition(":")[0])
        if "example-status" in line:
            assert "resource_not_found" in text[number - 1]
        if "question-key-reuse" in line:
            assert text[number - 1].strip() == "IdempotencyKey:"


def test_sarif_and_annotations() -> None:
    document = json.loads(linted(RULES_DOCUMENT, "--format", "sarif").out)
    jsonschema.validate(document, json.loads(SARIF.read_text(encoding="utf-8")))
    results = document["runs"][0]["results"]
    annotations = linted(RULES_DOCUMENT, "--format", "github").out.splitlines()
    assert len(results) == len(annotations) > 5
    assert {result["level"] for result in results} == {"warning", "note"}
    assert {line.split(" ")[0] for line in annotations} == {"::warning", "::notice"}


def test_an_overlay_settles_a_question(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(
        'overlay: "1.0.0"\ninfo: {title: t, version: "1"}\nactions:\n- target: $.components.responses.Refused\n'
        "  update: {x-standing: documented}\n",
        encoding="utf-8",
    )
    assert "status-refusal" in linted(RULES_DOCUMENT).out
    assert "status-refusal" not in linted(RULES_DOCUMENT, "--overlay", overlay).out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [(("nowhere.yaml",), "cannot be read"), ((RULES_DOCUMENT, "--operation", "nothing"), "there are: getRule")],
)
def test_bad_input(arguments: tuple[str | Path, ...], problem: str) -> None:
    ended = linted(*arguments)
    assert (ended.code, problem in ended.err) == (2, True)


def test_a_document_of_openapi_3_0_is_a_contract(tmp_path: Path) -> None:
    document = json.loads(json.dumps(load().document))
    document["openapi"] = "3.0.3"
    nickname = document["components"]["schemas"]["RuleUpdate"]["properties"]["nickname"]
    nickname.update(type="string", nullable=True)
    path = tmp_path / "older.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    contract = load(path)
    assert contract.standalone(contract.body_schema) == load().standalone(load().body_schema)
