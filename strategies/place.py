"""One place of a schema, what may stand there, and the way from a place to those below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from rules_harness.openapi.plausibility import PLAUSIBLE
from rules_harness.strategies.folding import Schema, same

Standing = Literal["documented", "inferred"]
Pointer = tuple[str | int, ...]
"""Where in a value something stands: names and indices, the outer first."""


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

    @property
    def plausible(self) -> Mapping[str, Any]:
        """What a back end wants here beyond the schema (`x-plausible`)."""
        wanted: Mapping[str, Any] = self.keywords.get(PLAUSIBLE, {})
        return wanted

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


def visited(place: Place, value: Any) -> Iterator[tuple[Place, Pointer, Any]]:
    """The places of a value, each with where in the value it is and what stands there; unknown fields have none.

    Values may be nested deeper than functions can call each other.
    """
    waiting: list[tuple[Place, Pointer, Any]] = [(place, (), value)]
    while waiting:
        place, pointer, value = waiting.pop()
        yield place, pointer, value
        chosen = place.alternative(value) if place.alternatives else None
        if chosen is not None:
            waiting.append((chosen, pointer, value))
        elif isinstance(value, dict):
            known = [(place.properties.get(name), (*pointer, name), inner) for name, inner in value.items()]
            waiting += [(child, at, inner) for child, at, inner in reversed(known) if child is not None]
        elif isinstance(value, list) and place.items is not None:
            waiting += [(place.items, (*pointer, index), value[index]) for index in reversed(range(len(value)))]
