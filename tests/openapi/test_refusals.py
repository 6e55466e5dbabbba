"""What is said of a contract document that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rules_harness.openapi.contract import ContractError, load

Document = dict[str, Any]
Edit = Callable[[Document], object]

PUT = "/paths/~1rules~1{id}/put"


def put(document: Document) -> Document:
    operation: Document = document["paths"]["/rules/{id}"]["put"]
    return operation


def schemas(document: Document) -> Document:
    found: Document = document["components"]["schemas"]
    return found


def refusal(path: Path) -> ContractError:
    with pytest.raises(ContractError) as caught:
        load(path)
    error = caught.value
    assert error.problem
    assert error.remedy
    assert error.source == str(path)
    for part in (str(path), error.place, error.problem, error.remedy):
        assert part in str(error)
    assert "\n" not in str(error)
    return error


def edited(*path: str | int, value: Any) -> Edit:
    """Sets what stands at a path."""

    def edit(document: Document) -> None:
        node: Any = document
        for name in path[:-1]:
            node = node[name]
        node[path[-1]] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "place", "problem"),
    [
        (lambda d: d["paths"]["/rules/{id}"].pop("put"), "/paths", "PUT"),
        (lambda d: d.pop("paths"), "", "'paths' is missing"),
        (lambda d: put(d).pop("requestBody"), PUT, "'requestBody' is missing"),
        (
            lambda d: put(d)["requestBody"]["content"]["application/json"].pop("schema"),
            f"{PUT}/requestBody/content/application~1json",
            "'schema' is missing",
        ),
        (
            lambda d: put(d)["requestBody"]["content"]["application/json"].pop("examples"),
            f"{PUT}/requestBody/content/application~1json",
            "'example' is missing",
        ),
        (lambda d: put(d)["responses"].pop("200"), f"{PUT}/responses/200", "'200' is missing"),
        (lambda d: d["paths"].update({"/other/{id}": {"put": {}}}), "/paths/~1other~1{id}/put", "second PUT"),
        (
            lambda d: d.update(paths={"/rules": d["paths"]["/rules/{id}"]}),
            "/paths/~1rules/put",
            "has no parameter",
        ),
        (
            edited("components", "schemas", "RuleStep", "properties", "actions", "items", "$ref", value="#/nowhere"),
            "/components/schemas/RuleStep/properties/actions/items/$ref",
            "leads nowhere",
        ),
        (
            edited("components", "schemas", "RuleStep", value={"$ref": "other.yaml#/RuleStep"}),
            "/$ref",
            "leads out of the document",
        ),
        (
            edited("components", "schemas", "RuleStep", value={"$ref": "#/components/schemas/RuleStep"}),
            "/$ref",
            "leads back to itself",
        ),
        (
            edited("components", "schemas", "Trigger", "discriminator", "mapping", "MANUAL", value="NoTrigger"),
            "/components/schemas/Trigger/discriminator/mapping/MANUAL/$ref",
            "leads nowhere",
        ),
        (
            lambda d: [schemas(d)[name]["properties"]["nickname"].pop("x-role") for name in ("Rule", "RuleUpdate")],
            "",
            "'marker'",
        ),
        (
            lambda d: schemas(d)["Rule"]["properties"].update(label=schemas(d)["Rule"]["properties"].pop("nickname")),
            "/components/schemas/Rule/properties/label",
            "'nickname' and on 'label'",
        ),
        (lambda d: schemas(d)["RuleStatus"].pop("x-states"), "", "x-states"),
        (
            lambda d: schemas(d)["RuleStatus"]["x-states"].pop("enabled"),
            "/components/schemas/RuleStatus/x-states",
            "'enabled' is missing",
        ),
        (edited("servers", value=[]), "/servers/0", "'url' is missing"),
        (edited("x-production-hosts", value=["a", 7]), "/x-production-hosts/1", "7 is not text"),
        (lambda d: d.pop("x-requirements"), "", "'x-requirements' is missing"),
        (lambda d: d.pop("x-readings"), "", "'x-readings' is missing"),
        (lambda d: d["x-requirements"].append(d["x-requirements"][0]), "/id", "a second time"),
        (lambda d: d["x-readings"].append(d["x-readings"][0]), "/id", "a second time"),
        (edited("x-requirements", 0, "id", value="envelope"), "/x-requirements/0/id", "names no family"),
        (edited("x-requirements", 0, "level", value="may"), "/x-requirements/0/level", "'may' is not a level"),
        (edited("x-requirements", 0, "basis", value={"rumour": "."}), "/x-requirements/0/basis", "not one basis"),
        (
            edited("x-requirements", 0, "note", value={"so": "x"}),
            "/x-requirements/0/note/so",
            "neither a level",
        ),
        (edited("x-readings", 0, "id", value="validation"), "/x-readings/0/id", "not a reading's id"),
        (edited("x-readings", 0, "accepted", value=["500"]), "/x-readings/0/accepted/0", "none of the tokens"),
        (edited("x-resource", value={"singular": "$(id)", "plural": "x"}), "/x-resource/singular", "not a word"),
        (edited("x-readings", 0, "by-chance", value="500"), "/x-readings/0/by-chance", "none of the tokens"),
        (edited("x-readings", 0, "requirement", value="a.b"), "/x-readings/0/requirement", "no requirement 'a.b'"),
    ],
)
def test_unusable_document(written: Callable[[Edit], Path], edit: Edit, place: str, problem: str) -> None:
    error = refusal(written(edit))
    assert error.place.endswith(place)
    assert bool(error.place) == bool(place)
    assert problem in error.problem


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        (b"a: [1, 2", "line 2, column 1", "not YAML"),
        (b"a: 1\n  b: 2", "line 2, column 4", "not YAML"),
        (b"\xff\xfe\x00", "", "not YAML"),
        (b"", "", "not a mapping"),
        (b"- a list", "", "not a mapping"),
        (b"paths:\n  /a: {}\n  /b: {}\n  /a: {}", "line 4", "'/a' stands here a second time"),
        (b"? [a, b]\n: c", "line 1", "not text"),
        (b"paths: &p\n  /a: *p", "", "leads back to itself by the alias *p"),
    ],
)
def test_text_that_is_no_document(tmp_path: Path, text: bytes, place: str, problem: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(text)
    error = refusal(path)
    assert error.place == place
    assert problem in error.problem


def test_file_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "none.yaml").problem
    assert "cannot be read" in refusal(tmp_path).problem
