"""Overlays: what they change in a contract, and what is said of those that cannot be applied."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules_harness.openapi.contract import ContractError, load
from rules_harness.openapi.document import parse
from rules_harness.openapi.overlay import apply

PUT = "$.paths['/rules/{id}'].put"
Write = Callable[..., Path]


@pytest.fixture
def overlay(tmp_path: Path) -> Write:
    def write(*actions: dict[str, Any], **fields: Any) -> Path:
        path = tmp_path / f"overlay{len(list(tmp_path.iterdir()))}.yaml"
        information = {"title": "Ours", "version": "1"}
        path.write_text(
            yaml.safe_dump({"overlay": "1.0.0", "info": information, "actions": list(actions)} | fields),
            encoding="utf-8",
        )
        return path

    return write


def applied(document: dict[str, Any], *actions: dict[str, Any]) -> dict[str, Any]:
    apply(document, {"overlay": "1.0.0", "info": {}, "actions": list(actions)})
    return document


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ([{"target": "$", "update": {"a": {"b": 2}}}], {"a": {"b": 2, "c": [1]}, "d": [{"n": 1}, {"n": 2}]}),
        ([{"target": "$.a", "update": {"c": [2]}}], {"a": {"b": 1, "c": [1, 2]}, "d": [{"n": 1}, {"n": 2}]}),
        ([{"target": "$.a", "update": {"b": {"x": 1}}}], {"a": {"b": {"x": 1}, "c": [1]}, "d": [{"n": 1}, {"n": 2}]}),
        ([{"target": "$.d", "update": {"n": 3}}], {"a": {"b": 1, "c": [1]}, "d": [{"n": 1}, {"n": 2}, {"n": 3}]}),
        ([{"target": "$.d[?@.n > 0]", "remove": True}], {"a": {"b": 1, "c": [1]}, "d": []}),
        (
            [{"target": "$.d[*]", "update": {"m": 0}}],
            {"a": {"b": 1, "c": [1]}, "d": [{"n": 1, "m": 0}, {"n": 2, "m": 0}]},
        ),
        (
            [{"target": "$.a", "remove": True}, {"target": "$", "update": {"a": {"c": [9]}}}],
            {"a": {"c": [9]}, "d": [{"n": 1}, {"n": 2}]},
        ),
    ],
)
def test_actions(actions: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    assert applied({"a": {"b": 1, "c": [1]}, "d": [{"n": 1}, {"n": 2}]}, *actions) == expected


def test_what_one_alias_repeats_is_changed_in_one_place() -> None:
    document = parse(b"a: &it {x: [1]}\nb: *it\n")
    assert applied(document, {"target": "$.a.x", "update": 2}) == {"a": {"x": [1, 2]}, "b": {"x": [1]}}


def test_two_updates_of_one_value_do_not_share_it() -> None:
    document = applied({"a": {}, "b": {}}, {"target": "$.*", "update": {"x": []}}, {"target": "$.a.x", "update": 1})
    assert document == {"a": {"x": [1]}, "b": {"x": []}}


def test_a_contract_with_overlays_in_their_order(overlay: Write) -> None:
    once = overlay({"target": "$.info", "update": {"title": "First"}})
    twice = overlay({"target": "$.info", "update": {"title": "Second"}})
    contract = load(None, [once, twice])
    assert contract.title == "Second"
    assert contract.sha256 not in (load().sha256, load(None, [once]).sha256)
    assert load().title == "Sequence rules"
    assert contract.names.production_hosts == load().names.production_hosts


@pytest.mark.parametrize(
    ("action", "place", "problem"),
    [
        ({"target": "$.paths[", "update": {}}, "/actions/0/target", "is not a JSONPath"),
        ({"target": "paths", "update": {}}, "/actions/0/target", "is not a JSONPath"),
        ({"target": "$.nowhere", "update": {}}, "/actions/0/target", "'$.nowhere' selects nothing"),
        ({"target": "$.paths[?@.patch]", "remove": True}, "/actions/0/target", "selects nothing"),
        ({"target": "$.info.title", "update": {}}, "/actions/0/target", "neither a mapping nor a list"),
        ({"target": "$.info", "update": "text"}, "/actions/0/update", "cannot be merged"),
        ({"target": "$.info"}, "/actions/0", "neither updates nor removes"),
        ({"target": "$.info", "replace": {}}, "/actions/0/replace", "no field of an action"),
        ({"target": "$.info", "remove": "yes"}, "/actions/0/remove", "neither true nor false"),
        ({"target": "$", "remove": True}, "/actions/0/target", "the whole document"),
        ({"update": {}}, "/actions/0", "'target' is missing"),
        ({"target": "$..[*]", "update": {"a": 1}}, "/actions/0/target", "neither a mapping nor a list"),
    ],
)
def test_an_action_that_cannot_be_carried_out(overlay: Write, action: dict[str, Any], place: str, problem: str) -> None:
    path = overlay(action)
    with pytest.raises(ContractError) as caught:
        load(None, [path])
    assert caught.value.source == str(path)
    assert caught.value.place == place
    assert problem in caught.value.problem
    assert caught.value.remedy


def test_an_overlay_of_another_version(overlay: Write) -> None:
    with pytest.raises(ContractError, match=r"/overlay: '2.0.0' is not a version that is known here"):
        load(None, [overlay({"target": "$", "update": {}}, overlay="2.0.0")])


@pytest.mark.slow
def test_an_overlay_that_multiplies(overlay: Write) -> None:
    doubling = {"target": "$.info.x[*]", "update": {"x": [[0] * 50]}}
    actions = [{"target": "$.info", "update": {"x": [{} for _ in range(9_999)]}}, *([doubling] * 4)]
    with pytest.raises(ContractError, match="more than 500,000 values"):
        load(None, [overlay(*actions)])


def test_what_an_overlay_breaks_names_both(overlay: Write) -> None:
    path = overlay({"target": PUT, "remove": True})
    with pytest.raises(ContractError, match=f"rules.yaml with {path}: /paths: no path has a PUT"):
        load(None, [path])


@pytest.fixture(scope="module")
def large() -> dict[str, Any]:
    """The packaged contract among 500 further operations, 5 MB of them."""
    document: dict[str, Any] = json.loads(json.dumps(load().document))
    fields = {
        f"field_{n}": {"type": ["string", "null"], "maxLength": 500, "description": "What the service has of it. " * 3}
        for n in range(60)
    }
    for n in range(250):
        document["components"]["schemas"][f"Thing{n}"] = {"type": "object", "properties": fields}
        body = {"content": {"application/json": {"schema": {"type": "object", "properties": fields}}}}
        answers = {
            "200": {
                "description": "It.",
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/Thing{n}"}}},
            }
        }
        document["paths"][f"/things{n}/{{id}}"] = {
            "get": {"operationId": f"getThing{n}", "responses": answers},
            "put": {"operationId": f"putThing{n}", "requestBody": body, "responses": answers},
        }
    return document


@pytest.mark.slow
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_one_operation_of_a_large_document(form: str, large: dict[str, Any], overlay: Write, tmp_path: Path) -> None:
    path = tmp_path / f"large.{form}"
    comment = "# what begins like this is YAML, and JSON is YAML too\n"
    path.write_text((comment if form == "yaml" else "") + json.dumps(large, indent=1), encoding="utf-8")
    assert path.stat().st_size > 5_000_000
    with pytest.raises(ContractError, match="a second PUT operation; mark the one that is judged"):
        load(path)
    marked = overlay({"target": PUT, "update": {"x-role": "update"}})
    contract = load(path, [marked])
    assert contract.update == load().update
    assert set(contract.document["paths"]) == set(load().document["paths"])
    assert contract.document["components"] == load().document["components"]
    assert contract.standalone(contract.body_schema) == load().standalone(load().body_schema)


def test_an_operation_that_refers_to_another_ones_parts(tmp_path: Path) -> None:
    document = json.loads(json.dumps(load().document))
    body = document["paths"]["/rules/{id}"]["put"]["requestBody"]
    document["paths"]["/other"] = {"post": {"requestBody": body, "responses": {}}}
    document["paths"]["/rules/{id}"]["put"]["requestBody"] = {"$ref": "#/paths/~1other/post/requestBody"}
    path = tmp_path / "inner.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert load(path).example_body() == load().example_body()
