"""`draft`: the overlay that it proposes for an ordinary document makes a contract of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules_harness.openapi.contract import load
from rules_harness.openapi.draft import draft, jsonpath
from rules_harness.openapi.overlay import apply
from tests.gate.runs import command


def plain(node: Any) -> Any:
    """A document without any extension."""
    if isinstance(node, dict):
        return {name: plain(inner) for name, inner in node.items() if not name.startswith("x-")}
    return [plain(inner) for inner in node] if isinstance(node, list) else node


@pytest.fixture
def ordinary(tmp_path: Path) -> Path:
    path = tmp_path / "ordinary.json"
    path.write_text(json.dumps(plain(dict(load().document))), encoding="utf-8")
    return path


@pytest.fixture
def overlay(ordinary: Path, tmp_path: Path) -> Path:
    path = tmp_path / "overlay.yaml"
    ended = command("draft", ordinary, "--operation", "updateRule", "--out", path, environ={}, folder=tmp_path)
    assert ended.code == 0, ended.err
    return path


def test_each_proposal_has_a_reason_and_is_to_be_checked(overlay: Path) -> None:
    text = overlay.read_text(encoding="utf-8")
    actions = yaml.safe_load(text)["actions"]
    assert len(text.splitlines()) <= 150
    assert len(actions) > 15
    assert all(action["description"] for action in actions)
    targets = [line for line in text.splitlines() if line.startswith("  - target:")]
    assert len(targets) == len(actions)
    assert all(line.endswith("# check this") for line in targets)


def test_what_is_proposed_is_what_the_packaged_contract_says(ordinary: Path, overlay: Path) -> None:
    drafted, packaged = load(ordinary, [overlay]), load()
    assert drafted.update == packaged.update
    assert drafted.read == packaged.read
    names = {name: getattr(packaged.names, name) for name in packaged.names.__struct_fields__ if name != "scopes"}
    assert {name: getattr(drafted.names, name) for name in names} == names


def test_a_document_that_lists_no_requirements_borrows_those_that_it_can_promise(ordinary: Path, overlay: Path) -> None:
    drafted, packaged = load(ordinary, [overlay]), load()
    assert set(packaged.requirements) - set(drafted.requirements) == set(drafted.unpromised) - set(packaged.unpromised)
    assert drafted.unpromised == {
        "authz.foreign-account": "nothing in the document is its account-ref",
        "status.not-triggerable": "nothing in the document is its trigger companion",
        "update.omitted-stays": "nothing in the document is its partial update",
    }
    assert {requirement.basis_kind for requirement in drafted.requirements.values()} == {
        "inferred",
        "safety",
        "standard",
    }
    assert drafted.readings.keys() == packaged.readings.keys()
    options = ("--contract", ordinary, "--overlay", overlay)
    ended = command("explain", "status.not-triggerable", *options, environ={}, folder=Path())
    assert ended.out.startswith("status.not-triggerable is not promised by this contract")
    ended = command("check", "--select", "status.not-triggerable", *options, environ={}, folder=Path())
    assert (ended.code, "is not promised by this contract" in ended.err) == (2, True)


@pytest.mark.slow
def test_a_target_is_judged_by_it(ordinary: Path, overlay: Path, tmp_path: Path) -> None:
    options = ("--contract", ordinary, "--overlay", overlay, "--select", "request-id,status.stored", "--quiet")
    ended = command("check", *options, "--out", tmp_path / "out", environ={}, folder=tmp_path / "out")
    assert ended.code == 0, ended.out + ended.err
    assert set(ended.verdicts.values()) == {"passed"}


def test_another_shape() -> None:
    """Camel case, a Bearer token, a list of errors, a resource without wrapper, and other states."""
    mandate = {
        "type": "object",
        "properties": {
            "mandateId": {"type": "string", "format": "uuid"},
            "label": {"type": "string"},
            "state": {"type": "string", "enum": ["ACTIVE", "PAUSED"]},
            "limitAmount": {"type": "string", "pattern": "^[0-9]+[.][0-9]{2}$"},
        },
    }
    errors = {"type": "object", "properties": {"code": {"type": "string"}, "title": {"type": "string"}}}
    problem = {"type": "object", "properties": {"errors": {"type": "array", "items": errors}}}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "Mandates", "version": "1"},
        "servers": [{"url": "https://api.bank.example"}, {"url": "https://sandbox.bank.example"}],
        "security": [{"token": []}],
        "paths": {
            "/people/{who}/mandates/{id}": {
                "patch": {
                    "operationId": "changeMandate",
                    "parameters": [
                        {
                            "name": "Idempotency-Id",
                            "in": "header",
                            "description": "Kept for 1 hour.",
                            "schema": {"type": "string"},
                        },
                        {"name": "X-Correlation-Id", "in": "header", "schema": {"type": "string"}},
                    ],
                    "requestBody": {"content": {"application/json": {"schema": mandate}}},
                    "responses": {
                        "200": {"description": "It.", "content": {"application/json": {"schema": mandate}}},
                        "404": {
                            "description": "None.",
                            "content": {
                                "application/json": {
                                    "schema": problem,
                                    "example": {"errors": [{"code": "NO_SUCH_MANDATE", "title": "None."}]},
                                }
                            },
                        },
                    },
                }
            }
        },
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }
    proposed = yaml.safe_load(draft(json.loads(json.dumps(document)), "changeMandate", "mandates.json"))
    apply(document, proposed)
    patch = document["paths"]["/people/{who}/mandates/{id}"]["patch"]  # type: ignore[index]  # a mapping, as it stands above
    key, correlation = patch["parameters"]
    assert (patch["x-role"], key["x-role"], key["x-window-seconds"]) == ("update", "idempotency-key", 3_600)
    assert correlation["x-role"] == "request-id-header"
    assert document["x-production-hosts"] == ["api.bank.example"]
    scheme = document["components"]["securitySchemes"]["token"]  # type: ignore[index]  # a mapping, as it stands above
    assert (scheme["x-role"], scheme["x-auth-scheme"]) == ("authorization", "Bearer")
    answers = patch["responses"]
    wrapped = answers["404"]["content"]["application/json"]["schema"]["properties"]["errors"]
    inner = wrapped["items"]["properties"]
    assert (wrapped["x-role"], inner["code"]["x-role"], inner["title"]["x-role"]) == ("error", "code", "message")
    assert inner["code"]["x-codes"]["not-found"] == "NO_SUCH_MANDATE"
    sent = patch["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert (sent["label"]["x-role"], sent["limitAmount"]["x-role"]) == ("marker", "amount")
    assert sent["state"]["x-states"] == {"enabled": "ACTIVE", "disabled": "PAUSED"}
    got = answers["200"]["content"]["application/json"]["schema"]["properties"]
    assert got["mandateId"] == {"type": "string", "format": "uuid", "x-role": "id", "x-server-owned": True}


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("", "$"),
        ("/paths/~1a~1{id}/put", "$.paths['/a/{id}'].put"),
        ("/list/0/it's", "$.list[0]['it\\'s']"),
        ("/a b/\u00e9", "$['a b']['\u00e9']"),
    ],
)
def test_places_as_paths(place: str, path: str) -> None:
    document = {"paths": {"/a/{id}": {"put": {}}}, "list": [{"it's": {}}], "a b": {"\u00e9": {}}}
    assert json.loads(jsonpath(document, place)) == path
    apply(document, {"overlay": "1.0.0", "actions": [{"target": path, "update": {"seen": True}}]})
    assert json.dumps(document).count("seen") == 1


def test_an_operation_that_is_not_there(ordinary: Path) -> None:
    ended = command("draft", ordinary, "--operation", "nothing", environ={}, folder=Path())
    assert (ended.code, "there are: getRule, triggerRule, updateRule" in ended.err) == (2, True)
