"""What a body contains: the choices it makes, and the open questions that it asks.

A *shape* is a choice at a place: an alternative (`/trigger:MANUAL`), an optional or nullable field
(`/nickname=absent`, `=null`, `=present`), a listed value (`/trigger:SCHEDULED/schedule_type=DAILY`), a bound
(`…/amount_in_cents=least`, `=most`), a number of members (`/steps=empty`, `=one`, `=several`). Bounds are those of
plausible bodies. The state has no shape: bodies say `disabled`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies import text
from rules_harness.strategies.accounts import ACCOUNT_IDS
from rules_harness.strategies.places import Place, body_place, visited
from rules_harness.strategies.plausible import plausible_place
from rules_harness.strategies.scalars import ends_of
from rules_harness.strategies.world import World

_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?P<fraction>\.\d+)?(?:Z|(?P<offset>[+-]\d\d:\d\d))")
_TAKEN_FROM_WORLD: Final = ACCOUNT_IDS | {"status"}
"""Roles of fields whose values are not choices of the contract's."""


class Contents(msgspec.Struct, frozen=True):
    """The shapes of a body, and its open questions."""

    shapes: frozenset[str]
    open_features: tuple[str, ...]
    """In alphabetical order."""


def contents_of(contract: Contract, world: World, value: Any) -> Contents:
    """What a body contains, whatever else is wrong with it; unknown fields are not part of it."""
    shapes: set[str] = set()
    open_features: set[str] = set()
    _reader(contract, world).read(value, shapes, open_features)
    return Contents(frozenset(shapes), tuple(sorted(open_features)))


def place_asking(contract: Contract, value: Any, feature: str) -> str:
    """Where the first text of a body stands that asks this question; empty where none does."""
    asking = (
        place.path
        for place, _, inner in visited(body_place(contract), value)
        if isinstance(inner, str) and is_text(place) and feature in text.features(inner)
    )
    return next(asking, "")


def listed_shapes(place: Place) -> dict[str | bool, str]:
    """The shapes of the values that a place lists; none where there is only one, or where the world says which there
    are."""
    if place.roles & _TAKEN_FROM_WORLD:
        return {}
    if place.types == {"boolean"}:
        return {True: f"{place.path}=true", False: f"{place.path}=false"}
    values = [value for value in place.keywords.get("enum", ()) if isinstance(value, str)]
    choice = len(values) > 1 or place.offers("account-ref-type")
    return {value: f"{place.path}={value}" for value in values} if choice else {}


def bounds_of(place: Place) -> tuple[float, float] | None:
    """The least and the most number of a place that has both."""
    if not place.types & {"integer", "number"} or len(place.types - {"integer", "number"}) > 0:
        return None
    return ends_of(place.keywords, whole="number" not in place.types)


def is_text(place: Place) -> bool:
    """Whether any text may stand at a place, as far as its schema goes."""
    free = not place.keywords.keys() & {"enum", "format", "pattern"}
    return "string" in place.types and free and not place.roles & _TAKEN_FROM_WORLD


class _Reader:
    """What to look for at one place, worked out once, so that reading a body is quick."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._alternatives: dict[str, _Reader] = {}
        self._properties: list[tuple[str, _Reader, str | None, str | None]] = []
        self._items: _Reader | None = None
        self._null = f"{place.path}=null" if place.nullable else None
        self._sizes = tuple(f"{place.path}={size}" for size in ("empty", "one", "several"))
        self._empty = f"empty-{place.path.rpartition('/')[2]}"
        self._listed = listed_shapes(place)
        self._bounds = bounds_of(place)
        self._is_text = is_text(place)

    @classmethod
    def of(cls, place: Place, known: dict[int, _Reader]) -> _Reader:
        if id(place) in known:
            return known[id(place)]
        reader = known[id(place)] = cls(place)
        reader._alternatives = {label: cls.of(inner, known) for label, inner in place.alternatives.items()}
        for name, inner in place.properties.items():
            absent = None if inner.required else f"{inner.path}=absent"
            present = f"{inner.path}=present" if inner.types and (inner.nullable or not inner.required) else None
            reader._properties.append((name, cls.of(inner, known), absent, present))
        reader._items = cls.of(place.items, known) if place.items is not None else None
        return reader

    def read(self, value: Any, shapes: set[str], open_features: set[str]) -> None:
        """Adds what a value contains; one may be nested deeper than functions can call each other."""
        waiting: list[tuple[_Reader, Any]] = [(self, value)]
        while waiting:
            reader, inner = waiting.pop()
            waiting += reader._read(inner, shapes, open_features)

    def _read(self, value: Any, shapes: set[str], open_features: set[str]) -> Iterator[tuple[_Reader, Any]]:
        """Adds what stands at the place itself; yields what stands below it, each with its reader."""
        if value is None:
            if self._null is not None:
                shapes.add(self._null)
        elif isinstance(value, dict):
            yield from self._read_object(value, shapes, open_features)
        elif isinstance(value, list):
            yield from self._read_array(value, shapes, open_features)
        elif self._listed:
            shape = self._listed.get(value)
            if shape is not None:
                shapes.add(shape)
        elif isinstance(value, str):
            self._read_text(value, open_features)
        elif not isinstance(value, bool):
            self._read_number(value, shapes, open_features)

    def _read_object(
        self, value: dict[str, Any], shapes: set[str], open_features: set[str]
    ) -> Iterator[tuple[_Reader, Any]]:
        if self._alternatives:
            chosen = self._chosen(value)
            if chosen is not None:
                shapes.add(chosen._place.name)
                yield from chosen._read_object(value, shapes, open_features)
                return
        for name, reader, absent, present in self._properties:
            if name in value:
                inner = value[name]
                if present is not None and inner is not None:
                    shapes.add(present)
                yield reader, inner
            else:
                if absent is not None:
                    shapes.add(absent)
                if "conditions" in reader._place.roles:
                    shapes.add(f"{reader._place.path}=absent")
                    open_features.add("absent-conditions")

    def _chosen(self, value: dict[str, Any]) -> _Reader | None:
        if self._place.discriminator is not None:
            label = value.get(self._place.discriminator)
            return self._alternatives.get(label) if isinstance(label, str) else None
        return next((reader for reader in self._alternatives.values() if reader._place.fits(value)), None)

    def _read_array(self, value: list[Any], shapes: set[str], open_features: set[str]) -> Iterator[tuple[_Reader, Any]]:
        shapes.add(self._sizes[min(len(value), 2)])
        if not value:
            open_features.add(self._empty)
        elif self._items is not None:
            yield from ((self._items, inner) for inner in value)

    def _read_text(self, value: str, open_features: set[str]) -> None:
        if self._is_text:
            open_features |= text.features(value)
        elif "start-date" in self._place.roles:
            open_features.update(_open_forms(value))

    def _read_number(self, value: float, shapes: set[str], open_features: set[str]) -> None:
        if self._bounds is None:
            return
        if value <= self._bounds[0]:
            shapes.add(f"{self._place.path}=least")
        if value >= self._bounds[1]:
            shapes.add(f"{self._place.path}=most")
        if value == 0 and "amount" in self._place.roles:
            open_features.add("zero-amount")
        if "percentage" in self._place.roles:
            if value == 0:
                open_features.add("zero-percentage")
            if -Decimal(str(value)).normalize().as_tuple().exponent > 2:  # type: ignore[operator]
                open_features.add("percentage-digits")


def _open_forms(date_time: str) -> Iterator[str]:
    """What of a date-time no target has to take: each is a question of its own."""
    parts = _DATE_TIME.fullmatch(date_time)
    if parts is None:
        yield "date-time-form"
        return
    if parts["fraction"] is not None:
        yield "date-time-fraction"
    if parts["offset"] is not None:
        yield "date-time-offset"


@functools.lru_cache(maxsize=64)
def _reader(contract: Contract, world: World) -> _Reader:
    return _Reader.of(plausible_place(contract, world), {})
