"""A JSON Schema with its `$ref`s and `allOf`s folded in, so that one record says all that holds at one place.

The vocabulary is that of JSON Schema 2020-12 as OpenAPI 3.1 documents use it. What is not listed here is refused,
with its place, and never ignored: a keyword that nobody obeys would make every value wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any, Final

import msgspec

from rules_harness.openapi.document import nodes, pointer
from rules_harness.openapi.errors import ContractError
from rules_harness.openapi.plausibility import PLAUSIBLE

Schema = Mapping[str, Any] | bool
Resolve = Callable[[Mapping[str, Any]], Mapping[str, Any]]

TYPES: Final = ("null", "boolean", "integer", "number", "string", "array", "object")
FORMATS: Final = frozenset({"date-time", "uuid", "int32", "int64", "float", "double", "password"})
_ANNOTATIONS: Final = frozenset(
    {"title", "description", "examples", "example", "default", "deprecated", "readOnly", "writeOnly"}
    | {"$comment", "$schema", "$id", "$defs"}
)


def _common_multiple(left: float, other: float) -> float:
    """The least number that is a multiple of both, as decimal numbers are written."""
    first, second = Fraction(str(left)), Fraction(str(other))
    multiple = Fraction(lcm(first.numerator, second.numerator), gcd(first.denominator, second.denominator))
    return multiple.numerator if multiple.denominator == 1 else float(multiple)


_MERGED: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "minimum": max,
    "exclusiveMinimum": max,
    "minLength": max,
    "minItems": max,
    "maximum": min,
    "exclusiveMaximum": min,
    "maxLength": min,
    "maxItems": min,
    "uniqueItems": lambda left, other: left or other,
    "required": lambda left, other: [*left, *(name for name in other if name not in left)],
    "enum": lambda left, other: [value for value in left if any(same(value, further) for further in other)],
    "multipleOf": _common_multiple,
}
_NUMBER: Final = (int, float)
_SUPPORTED: Final[Mapping[str, tuple[type, ...]]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"), _NUMBER),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), (int,)),
    **dict.fromkeys(("required", "enum", "allOf", "oneOf", "anyOf"), (list,)),
    **dict.fromkeys(("properties", "discriminator"), (dict,)),
    **dict.fromkeys(("items", "additionalProperties"), (dict, bool)),
    **dict.fromkeys(("$ref", "pattern", "format"), (str,)),
    "type": (str, list),
    "uniqueItems": (bool,),
    "const": (object,),
}
"""The keywords that are obeyed, and what each is in the document."""


class UnsupportedSchema(ContractError):
    """The schema uses a word, or a combination of words, that values cannot be made from. `place` is where it stands
    in the document."""


class Group(msgspec.Struct, frozen=True, eq=False):
    """The schemas of one `oneOf` (`exclusive`) or `anyOf`."""

    schemas: tuple[Schema, ...]
    exclusive: bool
    discriminated_by: str | None = None
    """The property that tells the alternatives apart."""
    mapping: Mapping[str, str] = {}
    """References by the values of that property."""


class Form(msgspec.Struct, frozen=True, eq=False):
    """All that holds at one place, apart from alternatives that are still to be chosen from."""

    keywords: Mapping[str, Any]
    types: frozenset[str]
    """Of JSON; `number` stands beside `integer` where numbers need not be integers."""
    roles: frozenset[str] = frozenset()
    references: frozenset[str] = frozenset()
    """By which the schema was found: what has the same ones is the same place again."""
    groups: tuple[Group, ...] = ()
    pointer: str = ""
    """Where in the document the outermost of its schemas stands."""


class Folder:
    """Folds the schemas of one document. The same schema always gives the same form, which is how recursion is
    noticed."""

    def __init__(self, document: Mapping[str, Any], resolve: Resolve) -> None:
        self._resolve = resolve
        self._pointers = {id(node): place for place, node in nodes(document)}
        self._forms: dict[int, Form] = {}
        self._joined: dict[tuple[int, int], Mapping[str, Any]] = {}
        self._kept: list[Any] = [document]

    def place(self, schema: Schema) -> str:
        """Where the schema stands in the document, as a JSON pointer; empty for one that is not of the document."""
        return self._pointers.get(id(schema), "")

    def fold(self, schema: Schema) -> Form:
        """Raises UnsupportedSchema for what is not of the vocabulary."""
        if isinstance(schema, bool):
            return Form({}, frozenset(TYPES if schema else ()))
        if id(schema) not in self._forms:
            self._kept.append(schema)
            self._forms[id(schema)] = self._fold(schema, frozenset())
        return self._forms[id(schema)]

    def _fold(self, schema: Schema, opened: frozenset[str]) -> Form:
        if isinstance(schema, bool):
            return self.fold(schema)
        self._check(schema)
        form = self._own(schema)
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference in opened:
                raise self._unsupported(schema, "$ref", "the schema contains itself, with nothing in between")
            target = self._fold(self._resolve({"$ref": reference}), opened | {reference})
            form = self.merge(form, msgspec.structs.replace(target, references=target.references | {reference}))
        for part in schema.get("allOf", ()):
            form = self.merge(form, self._fold(part, opened))
        return form

    def _own(self, schema: Mapping[str, Any]) -> Form:
        keywords = {
            name: value
            for name, value in schema.items()
            if name not in ("$ref", "allOf", "oneOf", "anyOf", "discriminator", "type", "const")
        }
        if "const" in schema:
            const = [schema["const"]]
            keywords["enum"] = _MERGED["enum"](const, schema["enum"]) if "enum" in schema else const
        tagged = schema.get("discriminator", {})
        groups = tuple(
            Group(tuple(schema[word]), word == "oneOf", tagged.get("propertyName"), tagged.get("mapping", {}))
            for word in ("oneOf", "anyOf")
            if word in schema
        )
        roles = frozenset({schema["x-role"]} if "x-role" in schema else ())
        return Form(keywords, _types(schema.get("type")), roles, frozenset(), groups, self.place(schema))

    def merge(self, outer: Form, inner: Form) -> Form:
        """What satisfies both. Annotations are those of `outer`, where both have one."""
        keywords = dict(outer.keywords)
        for name, value in inner.keywords.items():
            if name not in keywords:
                keywords[name] = value
            elif name in _MERGED:
                keywords[name] = _MERGED[name](keywords[name], value)
            elif name == "x-standing":
                keywords[name] = "inferred" if "inferred" in (value, keywords[name]) else value
            elif name == PLAUSIBLE:
                keywords[name] = {**value, **keywords[name]}  # a field says it before what it refers to
            elif name in ("items", "additionalProperties"):
                keywords[name] = self.join(keywords[name], value)
            elif name in ("pattern", "format") and value != keywords[name]:
                problem = f"two values of {name!r} hold at one place: {keywords[name]!r} and {value!r}"
                raise UnsupportedSchema(outer.pointer or inner.pointer, problem, "keep one of them")
        if "properties" in outer.keywords or "properties" in inner.keywords:
            keywords["properties"] = self._properties(outer.keywords, inner.keywords)
        return Form(
            keywords,
            outer.types & inner.types,
            outer.roles | inner.roles,
            outer.references | inner.references,
            outer.groups + inner.groups,
            outer.pointer or inner.pointer,
        )

    def _properties(self, outer: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Schema]:
        here, there = outer.get("properties", {}), inner.get("properties", {})
        others_here, others_there = outer.get("additionalProperties", True), inner.get("additionalProperties", True)
        return {
            name: self.join(here.get(name, others_here), there.get(name, others_there)) for name in {**here, **there}
        }

    def join(self, left: Schema, other: Schema) -> Schema:
        """A schema that says both; the same one whenever the same two are joined."""
        if left is True or left is other:
            return other
        if other is True:
            return left
        if isinstance(left, bool) or isinstance(other, bool):
            return False
        key = (id(left), id(other))
        if key not in self._joined:
            self._joined[key] = {"allOf": [left, other]}
            self._kept += (left, other)
        return self._joined[key]

    def _check(self, schema: Any) -> None:
        if not isinstance(schema, Mapping):
            raise UnsupportedSchema("", f"{schema!r} is not a schema", "write a mapping")
        for name, value in schema.items():
            if name in _ANNOTATIONS or name.startswith("x-"):
                continue
            if name not in _SUPPORTED:
                raise self._unsupported(schema, name, f"no values are made for the keyword {name!r}")
            if not isinstance(value, _SUPPORTED[name]):
                raise self._unsupported(schema, name, f"{value!r} is nothing that {name!r} can be")
            if name == "format" and value not in FORMATS:
                raise self._unsupported(schema, name, f"no values are made for the format {value!r}")
        types = schema.get("type", [])
        if not all(kind in TYPES for kind in ([types] if isinstance(types, str) else types)):
            raise self._unsupported(schema, "type", f"{types!r} is not a type of JSON")

    def _unsupported(self, schema: Mapping[str, Any], name: str, problem: str) -> UnsupportedSchema:
        return UnsupportedSchema(
            self.place(schema) + pointer(name), problem, "express it with the words that strategies/folding.py lists"
        )


def _types(declared: str | Sequence[str] | None) -> frozenset[str]:
    if declared is None:
        return frozenset(TYPES)
    types = frozenset([declared] if isinstance(declared, str) else declared)
    return types | {"integer"} if "number" in types else types


def same(left: Any, other: Any) -> bool:
    """Equality of JSON values: 1 equals 1.0, and `true` does not equal 1."""
    if isinstance(left, bool) or isinstance(other, bool):
        return left is other
    if isinstance(left, dict) and isinstance(other, dict):
        return left.keys() == other.keys() and all(same(value, other[name]) for name, value in left.items())
    if isinstance(left, list) and isinstance(other, list):
        return len(left) == len(other) and all(map(same, left, other))
    return bool(left == other)
