"""A YAML document as plain values, and finding one's way in it: JSON pointers (RFC 6901) and `$ref`s."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import yaml

from rules_harness.openapi.bounds import Unbounded
from rules_harness.openapi.errors import ContractError
from rules_harness.openapi.parsing import values

Schema = Mapping[str, Any]

_V = TypeVar("_V")

_DATA_KEYWORDS: Final = frozenset({"const", "enum", "default", "example", "examples"})
"""Keywords whose values are data: a `$ref` inside them is not a reference."""

_NAMES_ARE_FREE: Final = ("/properties", "/schemas", "/responses")
"""Ends of places below which a name is not a keyword."""


def parse(text: bytes) -> dict[str, Any]:
    """The document's values.

    Raises ContractError where it is not YAML, too deep or too large, repeats a name, or is not a mapping.
    """
    try:
        document = values(text)
    except Unbounded as error:
        raise ContractError("", f"it {error}", "give a document that says the same in fewer words") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ContractError(place, f"not YAML: {error.problem or error}", "correct the file's syntax") from error
    except (yaml.YAMLError, ValueError) as error:
        problem = "not YAML: " + " ".join(str(error).split())
        raise ContractError("", problem, "save the file as UTF-8 text in YAML or JSON") from error
    if not isinstance(document, dict):
        raise ContractError("", "not an OpenAPI document: it is not a mapping", "give an OpenAPI 3.1 document")
    return document


def pointer(*names: str | int) -> str:
    """The JSON pointer of these names, one below the other."""
    return "".join("/" + str(name).replace("~", "~0").replace("/", "~1") for name in names)


def at(document: Mapping[str, Any], place: str) -> Any:
    """The value at a JSON pointer. Raises KeyError where there is none."""
    value: Any = document
    for part in place.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            raise KeyError(place)
    return value


def follow(document: Mapping[str, Any], node: Any, place: str = "") -> Any:
    """The node that `node` refers to, by way of further references if need be; `node` itself where it has no `$ref`.

    `place` is where `node` stands, for the error. Raises ContractError for a reference that leads nowhere, out of the
    document or in a circle.
    """
    return located(document, node, place)[1]


def located(document: Mapping[str, Any], node: Any, place: str) -> tuple[str, Any]:
    """As `follow`, with the place where the node that is referred to stands."""
    seen: set[str] = set()
    while isinstance(node, dict) and isinstance(reference := node.get("$ref"), str):
        where = f"{place}/$ref" if place else reference
        if not reference.startswith("#"):
            remedy = "put what it refers to under `components`"
            raise ContractError(where, f"{reference!r} leads out of the document", remedy)
        if reference in seen:
            raise ContractError(where, f"{reference!r} leads back to itself", "refer to what says something")
        seen.add(reference)
        place = unquote(reference[1:])
        try:
            node = at(document, place)
        except KeyError:
            remedy = "define what it refers to, or correct the name"
            raise ContractError(where, f"{reference!r} leads nowhere", remedy) from None
    return place, node


def nodes(value: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of a document with its place, the outer before the inner; data (examples, enums, …) is left out."""
    children: Iterator[tuple[str | int, Any]]
    if isinstance(value, dict):
        yield place, value
        children = iter(value.items())
    else:
        children = iter(enumerate(value))
    for name, child in children:
        if isinstance(child, dict | list) and (name not in _DATA_KEYWORDS or place.endswith(_NAMES_ARE_FREE)):
            yield from nodes(child, place + pointer(name))


def standalone(document: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """A JSON Schema (2020-12) that says what `schema` says and needs no document.

    What it refers to stands under `$defs`; annotations are kept.
    """
    definitions: dict[str, Any] = {}

    def moved(reference: str) -> str:
        place = unquote(reference[1:])
        name = re.sub(r"[^A-Za-z0-9._-]", ".", place.removeprefix("/components/schemas/"))
        if name not in definitions:
            definitions[name] = None
            definitions[name] = copied(at(document, place))
        return f"#/$defs/{name}"

    def copied(node: Any) -> Any:
        if isinstance(node, list):
            return [copied(item) for item in node]
        if not isinstance(node, dict):
            return node
        copy: dict[str, Any] = {}
        for name, child in node.items():
            if name == "$ref" and isinstance(child, str):
                copy[name] = moved(child)
            elif name == "discriminator" and isinstance(child, dict):
                mapping = {value: moved(reference) for value, reference in discriminated(node).items()}
                copy[name] = {**child, "mapping": mapping}
            elif name == "properties" and isinstance(child, dict):
                copy[name] = {field: copied(inner) for field, inner in child.items()}
            else:
                copy[name] = child if name in _DATA_KEYWORDS else copied(child)
        return copy

    root = copied(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "$defs": definitions}


def discriminated(node: Mapping[str, Any]) -> dict[str, str]:
    """The references of a schema's discriminator by the value that chooses them; plain names are written out."""
    discriminator = node.get("discriminator")
    mapping = discriminator.get("mapping") if isinstance(discriminator, dict) else None
    if not isinstance(mapping, dict):
        return {}
    return {
        value: target if "/" in target else f"#/components/schemas/{target}"
        for value, target in mapping.items()
        if isinstance(target, str)
    }


def member(node: Any, name: str, kind: type[_V], place: str, *, remedy: str) -> _V:
    """`node[name]`, which must be there and of this kind (of JSON). Raises ContractError otherwise."""
    value = node.get(name) if isinstance(node, Mapping) else None
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    kinds: dict[type, str] = {dict: "mapping", list: "list", str: "text", int: "whole number"}
    problem = f"{name!r} is missing" if value is None else f"{name!r} is no {kinds[kind]}"
    raise ContractError(place, problem, remedy)


def texts(node: Any, name: str, place: str, *, remedy: str) -> tuple[str, ...]:
    """`node[name]`, which must be a list of texts. Raises ContractError otherwise."""
    values = member(node, name, list, place, remedy=remedy)
    for index, value in enumerate(values):
        if not isinstance(value, str):
            raise ContractError(place + pointer(name, index), f"{value!r} is not text", "put it between quotes")
    return tuple(values)
