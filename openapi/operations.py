"""The operations of a document: the update that is judged, its companions, and the part of the document they need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote

import msgspec

from rules_harness.openapi.document import at, discriminated, follow, member, nodes, pointer
from rules_harness.openapi.errors import ContractError

METHODS: Final = ("get", "put", "post", "patch", "delete", "head", "options", "trace")
UPDATE: Final = "update"
"""The role (`x-role`) of the operation that is judged, where a document has more than one PUT."""


class Operation(msgspec.Struct, frozen=True):
    """A method on a path of the document, relative to the base URL.

    The base URL of a target holds all of a path up to its last parameter but one, filled in: ``path`` has one.
    """

    method: str
    path: str
    place: str
    """Where the document describes it."""

    @property
    def is_full_replacement(self) -> bool:
        """Whether a body says all that is there afterwards (PUT: RFC 9110, section 9.3.4), or only what changes."""
        return self.method == "PUT"

    @property
    def prefix(self) -> str:
        """What the document's path has before ``path``, with parameters to be filled in."""
        path = self.place.split("/")[2].replace("~1", "/").replace("~0", "~")
        return path.removesuffix(self.path)

    def path_for(self, rule_id: str) -> str:
        """The path with this rule's id in it, percent-encoded (RFC 3986, section 2.1)."""
        return re.sub(r"\{[^}]*\}", quote(rule_id, safe=""), self.path)


class Described(msgspec.Struct, frozen=True):
    """An operation where the document describes it."""

    place: str
    method: str
    path: str
    node: dict[str, Any]

    @property
    def operation(self) -> Operation:
        """Raises ContractError where the path does not name one resource."""
        last = self.path.rfind("{")
        if last < 0:
            problem = f"the path {self.path!r} has no parameter"
            raise ContractError(self.place, problem, "put the resource's id into it, as in /rules/{id}")
        return Operation(self.method.upper(), self.path[self.path.rfind("}", 0, last) + 1 :], self.place)


def operations(document: Mapping[str, Any]) -> Iterator[Described]:
    """All operations of a document. Raises ContractError."""
    paths = member(document, "paths", dict, "", remedy="give the document the path of the update")
    for path, item in paths.items():
        place = pointer("paths", path)
        target = follow(document, item, place)
        for method in METHODS:
            if isinstance(target, dict) and isinstance(node := target.get(method), dict):
                yield Described(place + pointer(method), method, path, node)


def update_of(described: Sequence[Described]) -> Described:
    """The operation that is judged: the one with the role, or else the only PUT. Raises ContractError."""
    marked = [operation for operation in described if operation.node.get("x-role") == UPDATE]
    match marked or [operation for operation in described if operation.method == "put"]:
        case [update]:
            return update
        case []:
            remedy = f"give the path of a resource its `put`, or mark another operation with `x-role: {UPDATE}`"
            raise ContractError("/paths", "no path has a PUT operation", remedy)
        case [_, second, *_] if marked:
            raise ContractError(second.place, f"a second operation with the role {UPDATE!r}", "give the role to one")
        case [_, second, *_]:
            raise ContractError(
                second.place, "a second PUT operation", f"mark the one that is judged with `x-role: {UPDATE}`"
            )
    raise AssertionError


def companion(described: Sequence[Described], role: str) -> Operation | None:
    """The operation with this `x-companion`. Raises ContractError where its path does not name one resource."""
    return next((candidate.operation for candidate in described if candidate.node.get("x-companion") == role), None)


def excerpt(document: Mapping[str, Any], described: Sequence[Described]) -> dict[str, Any]:
    """The document with these operations alone, and of its components what they lead to; the rest is not looked at.

    Raises ContractError for a `$ref` that leads out of the document or nowhere.
    """
    kept = {operation.place for operation in described}
    paths = {}
    for path, item in document["paths"].items():
        place = pointer("paths", path)
        target = follow(document, item, place)
        if not isinstance(target, dict):
            continue
        left = {name: inner for name, inner in target.items() if name not in METHODS or place + pointer(name) in kept}
        if any(name in METHODS for name in left):
            paths[path] = left
    rest = {name: inner for name, inner in document.items() if name not in ("components", "webhooks")}
    short = {**rest, "paths": paths}
    components = document.get("components")
    if not isinstance(components, dict):
        return short
    needed = _needed(document, short)
    if not all(place.startswith("/components/") for place in needed):
        return dict(document)  # it refers to what stands in another operation
    kinds = {kind: _those(kind, entries, needed) for kind, entries in components.items()}
    ordered = {"components": {kind: entries for kind, entries in kinds.items() if entries}}
    return {name: (short | ordered)[name] for name in document if name in short or name == "components"}


def _those(kind: str, entries: Any, needed: set[str]) -> Any:
    """The components of a kind that are needed; security schemes are, by name and not by reference."""
    if kind == "securitySchemes" or not isinstance(entries, dict):
        return entries
    return {name: entry for name, entry in entries.items() if pointer("components", kind, name) in needed}


def _needed(document: Mapping[str, Any], start: Mapping[str, Any]) -> set[str]:
    """The places of all components, or of what else is referred to, that `start` leads to."""
    needed: set[str] = set()
    waiting: list[tuple[str, Any]] = [("", start)]
    if isinstance(schemes := document["components"].get("securitySchemes"), dict):
        waiting.append((pointer("components", "securitySchemes"), schemes))
    while waiting:
        outer, value = waiting.pop()
        for place, node in nodes(value, outer):
            for where, reference in _references(node):
                follow(document, {"$ref": reference}, place + where)
                target = "/".join(unquote(reference[1:]).split("/")[:4])
                if target not in needed:
                    needed.add(target)
                    waiting.append((target, at(document, target)))
    return needed


def _references(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each reference of a mapping, and where below it."""
    if isinstance(reference := node.get("$ref"), str):
        yield "", reference
    for value, reference in discriminated(node).items():
        yield pointer("discriminator", "mapping", value), reference
