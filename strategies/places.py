"""The places of a schema: what may stand where, under one readable path each, whatever `$ref`s and `allOf`s say it.

A path is like a JSON pointer, with `*` for any member of an array and `:alternative` behind a place that offers
several: `/trigger:SCHEDULED/start_date`, `/steps/*/actions/*:top_up/amount_in_cents`. A schema that contains itself
has its places once, at the first occurrence: the tree in a tree of conditions is `/steps/*/conditions` again.
Alternatives that only differ in how fields of the place itself are set (the four targets of `top_up`) do not
lengthen the paths of those fields.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from openapi.contract import Contract
from strategies.folding import Folder, Form, Group, Schema, same

Standing = Literal["documented", "inferred"]


class Place(msgspec.Struct, eq=False):
    """A place, and what may stand there. Frozen once built; mutable only so that a place can contain itself."""

    path: str
    name: str
    """The path, and the alternative where this place is one."""
    keywords: Mapping[str, Any]
    types: frozenset[str]
    """JSON types, without `null`; `number` includes `integer`."""
    nullable: bool
    required: bool
    standing: Standing
    roles: frozenset[str]
    properties: dict[str, Place] = {}
    items: Place | None = None
    additional: Place | None = None
    """What unlisted properties satisfy, where the schema says; None: it does not say, or allows none."""
    alternatives: dict[str, Place] = {}
    discriminator: str | None = None
    """The property whose value is the alternative's label."""
    excluded: frozenset[str] = frozenset()
    """Properties that stay absent, because with them another alternative would hold as well."""
    unproven: tuple[Schema, ...] = ()
    """The `oneOf` of which this is an alternative, where only a validator can tell whether a value satisfies another
    one too."""
    pins: tuple[Mapping[str, Any], ...] = ()
    """Settings of some properties that belong together, one of which holds: the id and the type of each account that
    may stand here."""

    def offers(self, role: str) -> bool:
        return role in self.roles

    def fits(self, value: Any) -> bool:
        """Whether a value that satisfies one of several alternatives satisfies this one; decided from its own
        fields."""
        if not has_type(value, self.types):
            return value is None and self.nullable
        if "enum" in self.keywords and not any(same(value, member) for member in self.keywords["enum"]):
            return False
        if not isinstance(value, dict):
            return True
        if any(name not in value for name in self.keywords.get("required", ())):
            return False
        return all(
            place.fits(value[name])
            for name, place in self.properties.items()
            if name in value and not place.alternatives
        )

    def alternative(self, value: Any) -> Place | None:
        """The alternative that `value` is, if this place has several."""
        if self.discriminator is not None:
            label = value.get(self.discriminator) if isinstance(value, dict) else None
            return self.alternatives.get(label) if isinstance(label, str) else None
        return next((place for place in self.alternatives.values() if place.fits(value)), None)


def has_type(value: Any, types: frozenset[str]) -> bool:
    """Whether a JSON value other than null is of one of these types. A float without a fraction is an integer (JSON
    Schema 2020-12, 6.1.1)."""
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, str):
        return "string" in types
    if isinstance(value, int | float):
        return "number" in types or ("integer" in types and value == value // 1)
    return ("object" in types and isinstance(value, dict)) or ("array" in types and isinstance(value, list))


class _Builder:
    def __init__(self, contract: Contract) -> None:
        self.folder = Folder(contract.document, contract.resolve)
        self._places: dict[tuple[str, int, bool], Place] = {}
        self._merged: dict[tuple[int, int], Form] = {}
        self._kept: list[Form] = []

    def place(self, form: Form, path: str, *, required: bool, standing: Standing, opened: Mapping[str, str]) -> Place:
        form, nullable = self._settled(form)
        path = next((opened[reference] for reference in sorted(form.references) if reference in opened), path)
        opened = {**{reference: path for reference in form.references}, **opened}
        key = (path, id(form), required)
        if key not in self._places:
            place = self._bare(form, path, path, required, standing)
            place.nullable = nullable
            self._places[key] = place
            self._fill(place, form, path, opened)
        return self._places[key]

    def _bare(self, form: Form, path: str, name: str, required: bool, standing: Standing) -> Place:
        below: Standing = "inferred" if "inferred" in (standing, form.keywords.get("x-standing")) else "documented"
        return Place(
            path, name, form.keywords, form.types - {"null"}, "null" in form.types, required, below, form.roles
        )

    def _merge(self, one: Form, schema: Schema) -> Form:
        """The form of an alternative; the same one each time, so that recursion through alternatives ends."""
        other = self.folder.fold(schema)
        key = (id(one), id(other))
        if key not in self._merged:
            self._kept += (one, other)
            self._merged[key] = self.folder.merge(one, other)
        return self._merged[key]

    def _without(self, form: Form) -> Form:
        key = (id(form), 0)
        if key not in self._merged:
            self._kept.append(form)
            self._merged[key] = msgspec.structs.replace(form, groups=form.groups[1:])
        return self._merged[key]

    def _options(self, form: Form) -> tuple[Form, list[tuple[Schema, Form]]]:
        rest = self._without(form)
        merged = [(schema, self._merge(rest, schema)) for schema in form.groups[0].schemas]
        return rest, [(schema, option) for schema, option in merged if self._possible(option)]

    def _possible(self, form: Form) -> bool:
        if not form.types or form.keywords.get("enum") == []:
            return False
        if form.types - {"object"}:
            return True
        properties = form.keywords.get("properties", {})
        required = (properties[name] for name in form.keywords.get("required", ()) if name in properties)
        return all(self._possible(self._settled(self.folder.fold(schema))[0]) for schema in required)

    def _settled(self, form: Form) -> tuple[Form, bool]:
        """The form without groups that leave no choice but null, and whether null may stand there."""
        while form.groups:
            _, options = self._options(form)
            others = [option for _, option in options if option.types != {"null"}]
            holders = sum(self._settled(option)[1] for _, option in options)
            nullable = holders == 1 if form.groups[0].exclusive else holders > 0
            if len(others) > 1:
                return form, nullable
            if not others:
                return (
                    options[0][1] if options else msgspec.structs.replace(form, types=frozenset(), groups=())
                ), nullable
            inner, _ = self._settled(others[0])
            return inner, nullable
        return form, "null" in form.types and _allows_null(form)

    def _fill(self, place: Place, form: Form, path: str, opened: Mapping[str, str]) -> None:
        if form.groups:
            self._alternatives(place, form, opened)
            form = self._without(form)
        children = {
            name: self.place(
                self.folder.fold(schema),
                f"{path}/{name}",
                required=name in form.keywords.get("required", ()),
                standing=place.standing,
                opened=opened,
            )
            for name, schema in form.keywords.get("properties", {}).items()
        }
        place.properties = {name: child for name, child in children.items() if child.types or child.nullable}
        common = {"required": True, "standing": place.standing, "opened": opened}
        if "items" in form.keywords and "array" in form.types:
            place.items = self.place(self.folder.fold(form.keywords["items"]), f"{path}/*", **common)
        if isinstance(form.keywords.get("additionalProperties"), Mapping):
            place.additional = self.place(
                self.folder.fold(form.keywords["additionalProperties"]), f"{path}/…", **common
            )

    def _alternatives(self, place: Place, form: Form, opened: Mapping[str, str]) -> None:
        rest, options = self._options(form)
        group = form.groups[0]
        chosen = [(schema, option) for schema, option in options if option.types != {"null"}]
        place.discriminator = group.discriminator["propertyName"] if group.discriminator else None
        own = rest.keywords.get("properties", {})
        polymorphic = any(name not in own for _, option in chosen for name in option.keywords.get("properties", {}))
        for index, (schema, option) in enumerate(chosen):
            option = self._pinned(option, schema, group)
            label = re.sub(r"[/:=*]", "-", self._label(option, group, [other for _, other in chosen], index))
            name = f"{place.path}:{label}"
            path = name if polymorphic else place.path
            alternative = self._bare(option, path, name, place.required, place.standing)
            alternative.nullable = False
            place.alternatives = {**place.alternatives, label: alternative}
            nested = {**{reference: path for reference in option.references - form.references}, **opened}
            self._fill(alternative, option, path, nested)
        place.types &= frozenset().union(*(alternative.types for alternative in place.alternatives.values()))
        if group.exclusive:
            _exclude(list(place.alternatives.values()), group.schemas)

    def _pinned(self, option: Form, schema: Schema, group: Group) -> Form:
        """With a discriminator whose property the alternative leaves open, its value is the one that the mapping, or
        the name, gives."""
        if group.discriminator is None or not isinstance(schema, Mapping) or "$ref" not in schema:
            return option
        name = group.discriminator["propertyName"]
        if "enum" in self.folder.fold(option.keywords.get("properties", {}).get(name, True)).keywords:
            return option
        mapping = {reference: value for value, reference in group.discriminator.get("mapping", {}).items()}
        value = mapping.get(schema["$ref"], schema["$ref"].rpartition("/")[2])
        return self.folder.merge(option, self.folder.fold({"required": [name], "properties": {name: {"const": value}}}))

    def _label(self, option: Form, group: Group, options: list[Form], index: int) -> str:
        if group.discriminator is not None:
            named = self.folder.fold(option.keywords["properties"][group.discriminator["propertyName"]])
            return str(named.keywords["enum"][0])
        if "title" in option.keywords:
            return str(option.keywords["title"])
        if "enum" in option.keywords and len(option.keywords["enum"]) == 1:
            return str(option.keywords["enum"][0])
        others = [other for other in options if other is not option]
        marks = [
            name
            for name in option.keywords.get("required", ())
            if all(name not in other.keywords.get("required", ()) for other in others)
        ]
        if marks:
            return str(marks[0])
        if all(option.types != other.types for other in others):
            return "-or-".join(sorted(option.types))
        return str(index)


def _allows_null(form: Form) -> bool:
    return "enum" not in form.keywords or None in form.keywords["enum"]


def _exclude(alternatives: list[Place], schemas: tuple[Schema, ...]) -> None:
    """Keeps every alternative of a `oneOf` from satisfying another one, by leaving out fields or else by asking for
    a validator."""
    for place in alternatives:
        for other in alternatives:
            if other is place or _disjoint(place, other):
                continue
            marks = [
                name for name in other.keywords.get("required", ()) if name not in place.keywords.get("required", ())
            ]
            if marks and place.types == {"object"} and place.additional is None:
                place.excluded |= {marks[0]} & place.properties.keys()
            else:
                place.unproven = schemas


def _disjoint(one: Place, other: Place) -> bool:
    """Whether no value can satisfy both; false where that is not plain."""
    if not (one.types & other.types) and not (one.nullable and other.nullable):
        return True
    if "enum" in one.keywords and "enum" in other.keywords:
        return not any(same(a, b) for a in one.keywords["enum"] for b in other.keywords["enum"])
    if (one.types | other.types) != {"object"}:
        return False
    required = {*one.keywords.get("required", ()), *other.keywords.get("required", ())}
    shared = required & one.properties.keys() & other.properties.keys()
    return any(_disjoint(one.properties[name], other.properties[name]) for name in shared)


@functools.lru_cache(maxsize=16)
def body_place(contract: Contract) -> Place:
    """The body of an update, as the contract has it."""
    return place_of(contract, contract.body_schema)


def place_of(contract: Contract, schema: Schema) -> Place:
    """The place that a schema describes, with all places below it. Raises UnsupportedSchema."""
    builder = _Builder(contract)
    return builder.place(builder.folder.fold(schema), "", required=True, standing="documented", opened={})


def below(place: Place) -> Iterator[Place]:
    """`place`, and every place that a value of it can have, each once; the outer before the inner."""
    seen: set[int] = set()
    waiting = [place]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [*current.alternatives.values(), *current.properties.values(), current.items, current.additional]
        waiting += [child for child in reversed(inner) if child is not None]


def visited(
    place: Place, value: Any, pointer: tuple[str | int, ...] = ()
) -> Iterator[tuple[Place, tuple[str | int, ...], Any]]:
    """The places of a value, each with where in the value it is and what stands there; unknown fields have none."""
    yield place, pointer, value
    if place.alternatives:
        chosen = place.alternative(value)
        if chosen is not None:
            yield from visited(chosen, value, pointer)
            return
    if isinstance(value, dict):
        for name, inner in value.items():
            child = place.properties.get(name)
            if child is not None:
                yield from visited(child, inner, (*pointer, name))
    elif isinstance(value, list) and place.items is not None:
        for index, inner in enumerate(value):
            yield from visited(place.items, inner, (*pointer, index))
