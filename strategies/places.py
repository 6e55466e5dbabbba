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
import threading
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.folding import Folder, Form, Group, Schema, same
from rules_harness.strategies.place import Place, Pointer, Standing, below, has_type, visited

__all__ = ["Place", "Pointer", "Standing", "below", "body_place", "has_type", "place_of", "visited"]


_IMPOSSIBLE: Final = Form({}, frozenset())


class _Builder:
    """Builds the places of one schema."""

    def __init__(self, contract: Contract) -> None:
        self.folder = Folder(contract.document, contract.resolve)
        self._places: dict[tuple[str, int, bool], Place] = {}
        self._merged: dict[tuple[int, int], Form] = {}
        self._kept: list[Form] = []

    def place(self, form: Form, path: str, *, required: bool, standing: Standing, opened: Mapping[str, str]) -> Place:
        form, nullable = self._settled(form)
        path = next((opened[reference] for reference in sorted(form.references) if reference in opened), path)
        opened = {**dict.fromkeys(form.references, path), **opened}
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

    def _merge(self, form: Form, schema: Schema) -> Form:
        """The form of an alternative; the same one each time, so that recursion through alternatives ends."""
        other = self.folder.fold(schema)
        key = (id(form), id(other))
        if key not in self._merged:
            self._kept += (form, other)
            self._merged[key] = self.folder.merge(form, other)
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
                return (options[0][1] if options else _IMPOSSIBLE), nullable
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
        inner = functools.partial(self.place, required=True, standing=place.standing, opened=opened)
        if "items" in form.keywords and "array" in form.types:
            place.items = inner(self.folder.fold(form.keywords["items"]), f"{path}/*")
        if isinstance(form.keywords.get("additionalProperties"), Mapping):
            place.additional = inner(self.folder.fold(form.keywords["additionalProperties"]), f"{path}/…")

    def _alternatives(self, place: Place, form: Form, opened: Mapping[str, str]) -> None:
        rest, options = self._options(form)
        group = form.groups[0]
        chosen = [(schema, option) for schema, option in options if option.types != {"null"}]
        own = rest.keywords.get("properties", {})
        polymorphic = any(name not in own for _, option in chosen for name in option.keywords.get("properties", {}))
        forms = [self._pinned(option, schema, group) for schema, option in chosen]
        labels = self._labels(forms, group)
        if all([label] == self._told(option, group) for option, label in zip(forms, labels, strict=True)):
            place.discriminator = group.discriminated_by
        for option, label in zip(forms, labels, strict=True):
            name = f"{place.path}:{label}"
            path = name if polymorphic else place.path
            alternative = self._bare(option, path, name, place.required, place.standing)
            alternative.nullable = False
            place.alternatives = {**place.alternatives, label: alternative}
            nested = {**dict.fromkeys(option.references - form.references, path), **opened}
            self._fill(alternative, option, path, nested)
        place.types &= frozenset().union(*(alternative.types for alternative in place.alternatives.values()))
        if group.exclusive:
            _exclude(list(place.alternatives.values()), group.schemas)

    def _told(self, option: Form, group: Group) -> list[Any]:
        """The values of the discriminator with which an alternative goes."""
        schema = option.keywords.get("properties", {}).get(group.discriminated_by, True)
        values: list[Any] = self.folder.fold(schema).keywords.get("enum", [])
        return values

    def _pinned(self, option: Form, schema: Schema, group: Group) -> Form:
        """With a discriminator that the alternative leaves open, its value is what the mapping, or the name, gives."""
        name = group.discriminated_by
        if name is None or self._told(option, group) or not isinstance(schema, Mapping) or "$ref" not in schema:
            return option
        mapping = {reference: value for value, reference in group.mapping.items()}
        value = mapping.get(schema["$ref"], schema["$ref"].rpartition("/")[2])
        return self.folder.merge(option, self.folder.fold({"required": [name], "properties": {name: {"const": value}}}))

    def _labels(self, options: list[Form], group: Group) -> list[str]:
        labels: list[str] = []
        for option in options:
            others = [other for other in options if other is not option]
            label = re.sub(r"[/:=*]", "-", self._label(option, group, others) or str(len(labels)))
            labels.append(f"{label}-{len(labels)}" if label in labels else label)
        return labels

    def _label(self, option: Form, group: Group, others: list[Form]) -> str:
        """What tells an alternative from the others; empty where nothing short does."""
        only = self._told(option, group) or option.keywords.get("enum", [])
        required = [other.keywords.get("required", ()) for other in others]
        marks = [name for name in option.keywords.get("required", ()) if not any(name in names for names in required)]
        if group.discriminated_by is None and "title" in option.keywords:
            return str(option.keywords["title"])
        if len(only) == 1:
            return str(only[0])
        if marks:
            return str(marks[0])
        return "" if any(option.types == other.types for other in others) else "-or-".join(sorted(option.types))


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


def _disjoint(left: Place, other: Place) -> bool:
    """Whether no value can satisfy both; false where that is not plain."""
    if not (left.types & other.types) and not (left.nullable and other.nullable):
        return True
    if "enum" in left.keywords and "enum" in other.keywords:
        return not any(same(a, b) for a in left.keywords["enum"] for b in other.keywords["enum"])
    if (left.types | other.types) != {"object"}:
        return False
    required = {*left.keywords.get("required", ()), *other.keywords.get("required", ())}
    shared = required & left.properties.keys() & other.properties.keys()
    return any(_disjoint(left.properties[name], other.properties[name]) for name in shared)


_BODY_PLACES: WeakKeyDictionary[Contract, Place] = WeakKeyDictionary()
_BODY_PLACES_LOCK = threading.Lock()


def body_place(contract: Contract) -> Place:
    """The body of an update, as the contract has it; the same one as long as the contract lives, since places of it are
    told by their identity."""
    with _BODY_PLACES_LOCK:
        if contract not in _BODY_PLACES:
            _BODY_PLACES[contract] = place_of(contract, contract.body_schema)
        return _BODY_PLACES[contract]


@functools.lru_cache(maxsize=64)
def fields_with(contract: Contract, role: str) -> tuple[str, ...]:
    """The fields of a body that have a role, or have it somewhere below them."""
    fields = body_place(contract).properties
    return tuple(name for name, field in fields.items() if any(place.offers(role) for place in below(field)))


def parts_of(contract: Contract, value: Mapping[str, Any]) -> list[Any]:
    """What a body consists of, one member each; nothing where the contract has no such list."""
    return [] if contract.names.parts is None else list(value.get(contract.names.parts) or ())


def place_of(contract: Contract, schema: Schema) -> Place:
    """The place that a schema describes, with all places below it. Raises UnsupportedSchema."""
    builder = _Builder(contract)
    return builder.place(builder.folder.fold(schema), "", required=True, standing="documented", opened={})
