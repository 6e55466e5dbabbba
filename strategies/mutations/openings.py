"""What may be done at a place and breaks nothing: fields that nobody listed, names that stand twice, fields left open.

What a target does with each is a reading, or, for fields that the server alone sets, something that it must not heed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.accounts import ACCOUNT_IDS
from rules_harness.strategies.mutations.edits import Edit, Make, Scene, put
from rules_harness.strategies.mutations.routes import GONE, PlaceRoute
from rules_harness.strategies.places import Place, place_of

UNKNOWN_PROPERTY: Final = "harness_unknown_property"
FIRST_TEXT: Final = "harness first"
LAST_TEXT: Final = "harness last"
INHERITED: Final = ("hasOwnProperty", "toString")
"""Names that every object of JavaScript has: a program may call what it then finds there."""
LONG_AGO: Final = "2001-02-03T04:05:06Z"
FAR_AHEAD: Final = "2099-02-03T04:05:06Z"
"""What a body says where the server alone sets a date-time; of its last update, which some take where it is later."""

SOMEBODY_ELSES: Final = "harness-other-"
"""What a body's values for other fields of the server begin with."""


def openings(contract: Contract, routes: Iterable[PlaceRoute]) -> Iterator[tuple[PlaceRoute, Edit]]:
    """All of them, with the route to the place that each is done at."""
    nested = next((route for route in routes if len(route.steps) > 1 and route.fresh and _free_text(route.place)), None)
    for route in routes:
        if len(route.steps) == 1:
            yield from ((route, edit) for edit in _server_owned(contract))
            yield route, _duplicate(contract.names.marker)
            for name, place in route.place.properties.items():
                if place.types == {"object"} and place.discriminator is not None:
                    yield route, _duplicate_object(name, place)
        if route is nested:
            yield route, _duplicate(_free_text(route.place))
        yield from ((route, edit) for edit in _at(route))


def _at(route: PlaceRoute) -> Iterator[Edit]:
    place = route.place
    if not route.fresh:
        return
    if (
        place.types == {"object"}
        and not place.alternatives
        and place.keywords.get("additionalProperties", True) is True
    ):
        yield _open("unknown-property", "a property that nobody listed", _unknown, "reading.unknown-properties")
    if place.roles & ACCOUNT_IDS:
        yield _open("empty", "an empty text", put(""), "reading.empty")
    if place.types == {"integer"}:
        yield _open("integral-float", "a whole number with a point", _as_float, "reading.integral-float")
    if place.offers("conditions") and not place.required and not route.is_alternative:
        yield _open("absent", "left out", put(GONE), "reading.null-conditions", on_null=True)


def _open(kind: str, detail: str, make: Make, reading: str, *, on_null: bool = False) -> Edit:
    return Edit("", kind, detail, make, reading=reading, claims=False, on_null=on_null)


def _unknown(value: Any, _scene: Scene) -> Any:
    return {**value, **dict.fromkeys((UNKNOWN_PROPERTY, *INHERITED), "harness")}


def _as_float(value: Any, _scene: Scene) -> Any:
    return msgspec.Raw(f"{int(value)}.0".encode())


def _server_owned(contract: Contract) -> Iterator[Edit]:
    """Fields of a rule that the server alone sets, each with a value that tells whether the server took it."""
    rule = place_of(contract, contract.rule_schema)
    owned = {name: place for name, place in rule.properties.items() if place.keywords.get("x-server-owned")}
    for name in (*owned, *rule.keywords.get("x-server-owned-names", ())):
        dated = name in owned and owned[name].keywords.get("format") == "date-time"
        moment = FAR_AHEAD if name == contract.names.updated_at else LONG_AGO
        yield Edit(
            "",
            "server-owned",
            "a field that the server alone sets",
            _with(name, moment if dated else SOMEBODY_ELSES + name),
            requirement="update.identity",
            claims=False,
            below=name,
        )


def _with(name: str, text: str) -> Make:
    return lambda value, _scene: {**value, name: text}


def _free_text(place: Place) -> str:
    """The first property of an object that takes any text and may be left out; empty where there is none."""
    for name, inner in place.properties.items():
        free = inner.types == {"string"} and inner.nullable and not inner.required and not inner.roles
        if free and not inner.keywords.keys() & {"enum", "format", "pattern", "maxLength", "x-server-filled"}:
            return name
    return ""


def _duplicate(name: str) -> Edit:
    detail = f"the name twice, with {FIRST_TEXT!r} before {LAST_TEXT!r}"
    return _twice(name, detail, lambda _value: (FIRST_TEXT, LAST_TEXT))


def _duplicate_object(name: str, place: Place) -> Edit:
    """An object twice: the last one lacks an optional field of the first, and has another value in a listed one."""

    def objects(value: Any) -> tuple[Any, Any]:
        first = value[name]
        chosen = place.alternative(first) or place
        optional = {key for key, inner in chosen.properties.items() if not inner.required}
        last = {key: inner for key, inner in first.items() if key not in optional}
        for key, inner in chosen.properties.items():
            others = [member for member in inner.keywords.get("enum", ()) if member != first.get(key)]
            if key in last and others and key != place.discriminator:
                return first, {**last, key: others[0]}
        return first, last

    return _twice(name, "the name twice, with two objects", objects)


def _twice(name: str, detail: str, values: Callable[[Any], tuple[Any, Any]]) -> Edit:
    def make(value: Any, _scene: Scene) -> msgspec.Raw:
        rest = msgspec.json.encode({key: inner for key, inner in value.items() if key != name})
        twice = b",".join(msgspec.json.encode({name: inner})[1:-1] for inner in values(value))
        return msgspec.Raw(rest[:-1] + (b"," if len(rest) > 2 else b"") + twice + b"}")

    return Edit("", "duplicate-name", detail, make, reading="reading.duplicate-names", claims=False, below=name)
