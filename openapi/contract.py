"""The contract as frozen values: operations, schemas, names, requirements and readings, from one OpenAPI document."""

from __future__ import annotations

import copy
import functools
import hashlib
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from rules_harness.openapi.bounds import Unbounded, read
from rules_harness.openapi.document import Schema, check_references, follow, member, parse, pointer, standalone
from rules_harness.openapi.errors import ContractError
from rules_harness.openapi.names import Names, read_names
from rules_harness.openapi.promises import Reading, Requirement, read_readings, read_requirements

__all__ = ["Contract", "ContractError", "Names", "Operation", "Reading", "Requirement", "load"]

_PACKAGED: Final = "rules.yaml"
_METHODS: Final = ("get", "put", "post", "patch", "delete", "head", "options", "trace")
_JSON: Final = "application/json"


class Operation(msgspec.Struct, frozen=True):
    """A method on a path of the document, relative to the base URL."""

    method: str
    path: str

    def path_for(self, rule_id: str) -> str:
        """The path with this rule's id in it, percent-encoded (RFC 3986, section 2.1)."""
        return re.sub(r"\{[^}]*\}", quote(rule_id, safe=""), self.path)


class Contract(msgspec.Struct, frozen=True, eq=False):
    """What a target is held to.

    Two contracts are equal when they are the same object, so that a contract can be the key of a cache.
    """

    title: str
    version: str
    sha256: str
    """Of the document's bytes, in hexadecimal."""
    document: Mapping[str, Any]
    update: Operation
    read: Operation | None
    trigger: Operation | None
    names: Names
    body_schema: Schema
    """Of the update's request body."""
    rule_schema: Schema
    """Of a rule as it is answered."""
    requirements: Mapping[str, Requirement]
    readings: Mapping[str, Reading]
    _example: Mapping[str, Any]

    def resolve(self, schema: Schema) -> Schema:
        """The schema that `schema` refers to, by way of further references if need be, or `schema` itself."""
        target: Schema = follow(self.document, schema)
        return target

    def standalone(self, schema: Schema) -> dict[str, Any]:
        """A JSON Schema (2020-12) that says what `schema` says and needs no document.

        What it refers to stands under `$defs`; annotations are kept.
        """
        return standalone(self.document, schema)

    def example_body(self) -> dict[str, Any]:
        """The documentation's example of a request body, a fresh copy each time."""
        return copy.deepcopy(dict(self._example))


def load(path: Path | None = None) -> Contract:
    """The contract of this document, or else the packaged one. Raises ContractError.

    A document may name further production hosts; those of the packaged one are production hosts whatever it says.
    """
    if path is None:
        return _packaged()
    try:
        text = read(path)
    except Unbounded as error:
        raise ContractError("", f"it {error}", "name the OpenAPI document of this one operation", str(path)) from error
    except OSError as error:
        raise ContractError(
            "", f"cannot be read: {error.strerror or error}", "name a file that is there", str(path)
        ) from error
    own = _read(text, str(path))
    packaged = _packaged().names.production_hosts
    hosts = tuple(dict.fromkeys((*packaged, *own.names.production_hosts)))
    return msgspec.structs.replace(own, names=msgspec.structs.replace(own.names, production_hosts=hosts))


@functools.cache
def _packaged() -> Contract:
    return _read(resources.files(__package__).joinpath(_PACKAGED).read_bytes(), _PACKAGED)


def _read(text: bytes, source: str) -> Contract:
    try:
        return _contract(text)
    except ContractError as error:
        raise ContractError(error.place, error.problem, error.remedy, source) from error.__cause__
    except RecursionError as error:
        problem = "its values are nested without end, or nearly so"
        raise ContractError("", problem, "take out aliases (`*name`) that lead back to themselves", source) from error


def _contract(text: bytes) -> Contract:
    document = parse(text)
    check_references(document)
    info = member(document, "info", dict, "", remedy="give the document an `info` with title and version")
    operations = list(_operations(document))
    place, path, update = _update(operations)
    body_place, body = _body(document, place, update)
    names = read_names(document)
    requirements = read_requirements(document)
    return Contract(
        title=member(info, "title", str, "/info", remedy="give the document a title"),
        version=member(info, "version", str, "/info", remedy="give the document a version, between quotes"),
        sha256=hashlib.sha256(text).hexdigest(),
        document=document,
        update=_operation("put", path, place),
        read=_companion(operations, "read"),
        trigger=_companion(operations, "trigger"),
        names=names,
        body_schema=member(body, "schema", dict, body_place, remedy="give the request body a schema"),
        rule_schema=_rule_schema(document, place, update, names),
        requirements=requirements,
        readings=read_readings(document, requirements),
        _example=_example(document, body, body_place),
    )


_Found = tuple[str, str, dict[str, Any]]
"""Place, path and node of an operation; the method is the last name of the place."""


def _operations(document: Mapping[str, Any]) -> Iterator[_Found]:
    paths = member(document, "paths", dict, "", remedy="give the document the path of a rule")
    for path, item in paths.items():
        place = pointer("paths", path)
        target = follow(document, item, place)
        for method in _METHODS:
            if isinstance(target, dict) and isinstance(operation := target.get(method), dict):
                yield place + pointer(method), path, operation


def _update(operations: list[_Found]) -> _Found:
    match [found for found in operations if found[0].endswith("/put")]:
        case [update]:
            return update
        case []:
            raise ContractError("/paths", "no path has a PUT operation", "give the path of a rule its `put`")
        case [_, (place, _, _), *_]:
            raise ContractError(place, "a second PUT operation", "leave the update of a rule only")
    raise AssertionError


def _companion(operations: list[_Found], role: str) -> Operation | None:
    for place, path, operation in operations:
        if operation.get("x-companion") == role:
            return _operation(place.rpartition("/")[2], path, place)
    return None


def _operation(method: str, path: str, place: str) -> Operation:
    if path.count("{") != 1:
        raise ContractError(
            place, f"the path {path!r} has not exactly one parameter", "put the rule's id into it, as in /rules/{id}"
        )
    return Operation(method=method.upper(), path=path)


def _body(document: Mapping[str, Any], place: str, update: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The JSON request body of the update, and its place."""
    body_place = place + pointer("requestBody")
    body = follow(
        document, member(update, "requestBody", dict, place, remedy="describe the body of the update"), body_place
    )
    content = member(body, "content", dict, body_place, remedy=f"describe the body as {_JSON}")
    content_place = body_place + pointer("content")
    media = member(content, _JSON, dict, content_place, remedy=f"describe the body as {_JSON}")
    return content_place + pointer(_JSON), media


def _example(document: Mapping[str, Any], body: dict[str, Any], place: str) -> Mapping[str, Any]:
    remedy = "give the request body the example that the documentation shows"
    named = body.get("examples")
    if isinstance(named, dict) and named:
        name, example = next(iter(named.items()))
        place += pointer("examples", name)
        return member(follow(document, example, place), "value", dict, place, remedy=remedy)
    return member(body, "example", dict, place, remedy=remedy)


def _rule_schema(document: Mapping[str, Any], place: str, update: dict[str, Any], names: Names) -> Schema:
    """The schema of what a successful update carries in its envelope."""
    place += pointer("responses", "200")
    remedy = "describe the success as a JSON object that carries the rule"
    node: Any = follow(document, member(update.get("responses"), "200", dict, place, remedy=remedy), place)
    for name in ("content", _JSON, "schema", "properties"):
        node = follow(document, member(node, name, dict, place, remedy=remedy), place)
    return member(node, names.data, dict, place, remedy=remedy)
