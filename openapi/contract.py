"""The contract as frozen values: operations, schemas, names, requirements and readings, from one OpenAPI document."""

from __future__ import annotations

import copy
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from rules_harness.openapi.document import Schema, follow, member, pointer, standalone
from rules_harness.openapi.documents import Text, applied, texts_of
from rules_harness.openapi.errors import ContractError, named
from rules_harness.openapi.modern import modern
from rules_harness.openapi.names import Names, read_names, roles_in
from rules_harness.openapi.operations import Operation, companion, excerpt, operations, update_of
from rules_harness.openapi.plausibility import check_plausible
from rules_harness.openapi.promises import Reading, Requirement, borrowed, read_promises
from rules_harness.openapi.words import Noun, noun_of, words_of

__all__ = ["Contract", "ContractError", "Names", "Operation", "Reading", "Requirement", "load", "recorded"]

_JSON: Final = "application/json"


class Contract(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """What a target is held to.

    Two contracts are equal when they are the same object, so that a contract can be the key of a cache.
    """

    title: str
    version: str
    sha256: str
    """Of the bytes of the document and its overlays, in hexadecimal."""
    document: Mapping[str, Any]
    """With the overlays applied, and without what neither the update nor a companion needs."""
    update: Operation
    methods: tuple[str, ...]
    """Those that the document has on the update's path."""
    read: Operation | None
    trigger: Operation | None
    names: Names
    noun: Noun
    """What people call that which is updated."""
    body_schema: Schema
    """Of the update's request body."""
    rule_schema: Schema
    """Of a rule as it is answered."""
    requirements: Mapping[str, Requirement]
    readings: Mapping[str, Reading]
    unpromised: Mapping[str, str]
    """Requirements that speak of what the document has not: why each is not promised by it."""
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


def load(path: Path | None = None, overlays: Sequence[Path] = ()) -> Contract:
    """The contract of this document, or else the packaged one, with overlays applied in order. Raises ContractError.

    A document may name further production hosts; those of the packaged one are production hosts whatever it says.
    """
    if path is None and not overlays:
        return _packaged()
    return _own(texts_of(path, overlays))


def recorded(document: Mapping[str, Any]) -> Contract:
    """The contract of a document that was taken from one before. Raises ContractError."""
    return _own([("the recorded contract", json.dumps(document).encode())])


def _own(texts: Sequence[Text]) -> Contract:
    own = _read(texts)
    packaged = _packaged().names.production_hosts
    hosts = tuple(dict.fromkeys((*packaged, *own.names.production_hosts)))
    return msgspec.structs.replace(own, names=msgspec.structs.replace(own.names, production_hosts=hosts))


@functools.cache
def _packaged() -> Contract:
    return _read(texts_of(None))


def _read(texts: Sequence[Text]) -> Contract:
    document = applied(texts)
    digest = hashlib.sha256(b"".join(text for _, text in texts))
    with named(" with ".join(name for name, _ in texts)):
        return _contract(document, digest.hexdigest())


def _contract(document: dict[str, Any], sha256: str) -> Contract:
    info = member(document, "info", dict, "", remedy="give the document an `info` with title and version")
    described = list(operations(document))
    update = update_of(described)
    operation = update.operation
    document = modern(
        excerpt(document, [update, *(operation for operation in described if "x-companion" in operation.node)])
    )
    check_plausible(document)
    body_place, body = _body(document, update.place, update.node)
    schema = member(body, "schema", dict, body_place, remedy="give the request body a schema")
    names = read_names(document)
    read, trigger = companion(described, "read"), companion(described, "trigger")
    companions = {"read": read, "trigger": trigger}
    has = {*roles_in(document), *(f"{role} companion" for role, companion_of in companions.items() if companion_of)}
    has |= {"full replacement" if operation.is_full_replacement else "partial update"}
    has |= {"required field"} if follow(document, schema).get("required") else set()
    noun = noun_of(document)
    words = words_of(document, names, noun, operation, schema)
    if "x-requirements" in document or "x-readings" in document:
        promises = read_promises(document, has, words)
    else:
        promises = borrowed(read_promises(applied(texts_of(None)), has, words, elsewhere=True))
    return Contract(
        title=member(info, "title", str, "/info", remedy="give the document a title"),
        version=member(info, "version", str, "/info", remedy="give the document a version, between quotes"),
        sha256=sha256,
        document=document,
        update=operation,
        methods=tuple(operation.method.upper() for operation in described if operation.path == update.path),
        read=read,
        trigger=trigger,
        names=names,
        noun=noun,
        body_schema=schema,
        rule_schema=_rule_schema(document, update.place, update.node, names),
        requirements=promises.requirements,
        readings=promises.readings,
        unpromised=promises.unpromised,
        _example=_example(document, body, body_place),
    )


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
    remedy = "describe the success as a JSON object that carries what was updated"
    node: Any = follow(document, member(update.get("responses"), "200", dict, place, remedy=remedy), place)
    for name in ("content", _JSON, "schema", "properties"):
        node = follow(document, member(node, name, dict, place, remedy=remedy), place)
    return member(node, names.data, dict, place, remedy=remedy)
