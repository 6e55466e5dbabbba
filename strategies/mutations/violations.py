"""Every way to break what the schema says of one place, each once."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

from rules_harness.strategies.mutations.edits import Edit, Level, Make, Scene, put
from rules_harness.strategies.mutations.routes import GONE, PlaceRoute
from rules_harness.strategies.mutations.scalars import number_violations, text_violations
from rules_harness.strategies.places import Place, has_type

_TEXT: Final = "harness"
_UNKNOWN_MEMBER: Final = "no-such-value"

TYPES: Final = {
    "numeric-string": "a number as text",
    "string": "text",
    "integer": "a number",
    "boolean": "a truth value",
    "null": "null",
    "array": "an array around the value",
    "object": "an object",
    "single-member": "a member without its array",
}
"""The wrong types that are tried, and what they are called."""
FALSY: Final[tuple[tuple[str, Any], ...]] = (
    ("false", False),
    ("zero", 0),
    ("empty text", ""),
    ("empty array", []),
    ("empty object", {}),
)
"""Values that programs take for none."""
_PROTOTYPE: Final = ("constructor", "__proto__", "toString")
"""Names that every object of JavaScript has."""


def violations(route: PlaceRoute) -> Iterator[Edit]:
    """The violations of a place: all on the first route to its schema, a missing field and a wrong type on others.

    Inside an object that an earlier route has led to, a field that must not be missing is given no wrong type as well.
    Where a schema holds itself, its choices and null are tried further down too: the outermost one is often all that is
    looked at.
    """
    if route.is_alternative:
        yield from _objects(route.place)
        return
    if route.required:
        yield _missing(route)
    if not route.fresh:
        if not (route.within_known and route.required):
            yield from itertools.islice(_types(route), 1)
        if route.recursive:
            yield from (edit for edit in _types(route) if edit.kind == "type:null")
            yield from _objects(route.place)
        if route.discriminates:
            yield from itertools.islice(_members(route.place), 1)
        return
    yield from _types(route)
    yield from _falsy(route)
    yield from _members(route.place)
    yield from _members_of_others(route.place)
    yield from number_violations(route.place)
    yield from text_violations(route.place)
    yield from _arrays(route.place)
    yield from _later_members(route.place)
    yield from _objects(route.place)


def misspelt(routes: Iterable[PlaceRoute]) -> Iterator[tuple[PlaceRoute, Edit]]:
    """Each required name once, in another case: a name is what it is, to the letter (RFC 8259, section 8.3)."""
    done: set[int] = set()
    for route in routes:
        if "object" not in route.place.types or route.place.alternatives:
            continue
        for name, inner in route.place.properties.items():
            if inner.required and id(inner.keywords) not in done:
                done.add(id(inner.keywords))
                yield route, _in_another_case(name, level="must" if len(route.steps) == 1 else "should")


def _in_another_case(name: str, *, level: Level) -> Edit:
    def make(value: Any, _scene: Scene) -> Any:
        return {other.swapcase() if other == name else other: inner for other, inner in value.items()}

    detail = f"{name.swapcase()} in place of {name}"
    return Edit("required", "required:case", detail, make, "validation.required", level=level, below=name)


def _missing(route: PlaceRoute) -> Edit:
    level: Level = "must" if len(route.steps) == 2 else "should"
    return Edit("required", "required", "left out", put(GONE), "validation.required", level=level)


def _types(route: PlaceRoute) -> Iterator[Edit]:
    place = route.place
    admitted = frozenset().union(*(inner.types for inner in place.alternatives.values())) or place.types
    numeric = "integer" in admitted or "number" in admitted
    for name, what in TYPES.items():
        if name == "numeric-string":
            wrong = numeric and "string" not in admitted
        elif name == "integer":
            wrong = not numeric
        elif name == "single-member":
            wrong = admitted == {"array"} and place.items is not None and place.items.types == {"object"}
        elif name == "null":
            # A field that may be left out may be null: the contract compares the two as equal.
            wrong = not place.nullable and (place.required or route.steps[-1].name is None)
        else:
            wrong = name not in admitted
        if wrong:
            requirement = "validation.type" if len(route.steps) > 1 else "validation.syntax"
            detail = f"{what} in place of {_words(admitted)}"
            yield Edit("type", f"type:{name}", detail, _of_type(name, place), requirement)


def _falsy(route: PlaceRoute) -> Iterator[Edit]:
    """One value that a language takes for nothing and that is of another type, in turn, place by place."""
    place = route.place
    admitted = frozenset().union(*(inner.types for inner in place.alternatives.values())) or place.types
    wrong = [(name, value) for name, value in FALSY if not has_type(value, admitted)]
    if len(route.steps) > 1 and wrong:
        name, value = wrong[sum(map(ord, route.path)) % len(wrong)]
        detail = f"{name} in place of {_words(admitted)}"
        yield Edit("type", f"type:{name.replace(' ', '-')}", detail, put(value), "validation.type")


def _of_type(name: str, place: Place) -> Make:
    makers: dict[str, Make] = {
        "numeric-string": lambda value, _scene: str(value),
        "string": lambda value, _scene: str(value).lower() if isinstance(value, bool) else _TEXT,
        "integer": _epoch if place.keywords.get("format") == "date-time" else put(1),
        "boolean": put(True),
        "null": put(None),
        "array": lambda value, _scene: [value],
        "object": _as_object,
        "single-member": lambda value, _scene: value[0] if value else {},
    }
    return makers[name]


def _epoch(_value: Any, scene: Scene) -> int:
    """Seconds since 1970, of an instant a year ahead."""
    return int(scene.world.now.timestamp()) + 366 * 24 * 3600


def _as_object(value: Any, _scene: Scene) -> Any:
    if isinstance(value, list):
        return {str(index): member for index, member in enumerate(value)}
    return {"value": value}


def _words(types: frozenset[str]) -> str:
    return " or ".join(sorted(types - ({"integer"} if "number" in types else set())))


def _members(place: Place) -> Iterator[Edit]:
    members = place.keywords.get("enum")
    if members is None:
        return
    yield _member("unknown", "a value that is not listed", put(_UNKNOWN_MEMBER))
    texts = [member for member in members if isinstance(member, str)]
    if not texts:
        return

    def near(change: Any) -> Make:
        return lambda value, _scene: change(value if value in texts else texts[0])

    yield _member("case", "a listed value in another case", near(lambda text: text.swapcase()))
    yield _member("space", "a listed value and a space", near(lambda text: f"{text} "))
    yield _member("line-end", "a listed value and the end of its line", near(lambda text: f"{text}\n"))
    yield _member("empty", "an empty text", put(""))
    yield _member("ordinal", "the number of a listed value, as text", put("1"))
    inherited = _PROTOTYPE[sum(map(ord, place.path)) % len(_PROTOTYPE)]
    yield _member("inherited", "a name that every object of JavaScript has", put(inherited))


def _member(name: str, detail: str, make: Make) -> Edit:
    return Edit("enum", f"enum:{name}", detail, make, "validation.enum")


def _members_of_others(place: Place) -> Iterator[Edit]:
    """A listed value of the field beside it."""
    lists = {name: inner.keywords["enum"] for name, inner in place.properties.items() if "enum" in inner.keywords}
    choices = {name: members for name, members in lists.items() if len(members) > 1}
    for (name, own), (other, members) in itertools.permutations(choices.items(), 2):
        foreign = [member for member in members if isinstance(member, str) and member not in own]
        if foreign:
            make = partial(_with_member, name, foreign[-1])
            yield Edit("enum", f"enum:{other}", f"{name} is a value of {other}", make, "validation.enum", below=name)


def _with_member(name: str, member: Any, value: dict[str, Any], _scene: Scene) -> dict[str, Any]:
    return {**value, name: member}


def _arrays(place: Place) -> Iterator[Edit]:
    keywords = place.keywords
    least, most, items = keywords.get("minItems", 0), keywords.get("maxItems"), place.items
    if least > 0:
        yield _array("minItems", "-1", "a member too few", lambda value, _scene: value[: least - 1])
    if items is not None:
        sample = items

        def filled(value: list[Any], scene: Scene, length: int) -> list[Any]:
            return [*value, *itertools.repeat(scene.sample(sample), length - len(value))]

        if most is not None:
            yield _array("maxItems", "+1", "a member too many", lambda value, scene: filled(value, scene, most + 1))
        if keywords.get("uniqueItems"):
            yield _array(
                "uniqueItems", "twice", "a member twice", lambda _value, scene: filled([], scene, max(2, least))
            )


def _later_members(place: Place) -> Iterator[Edit]:
    """A broken member behind those that are there, for a target that looks at the first one of a list alone."""
    items = place.items
    if items is None or items.types != {"object"}:
        return
    member = items

    def behind(broken: Make) -> Make:
        return lambda value, scene: [*value, broken(scene.sample(member), scene)]

    alternatives = member.alternatives.values() or (member,)
    shared = set.intersection(*(set(inner.keywords.get("required", ())) for inner in alternatives))
    if shared:
        name = min(shared)
        yield Edit(
            "required",
            "required:later",
            f"a further member without {name}",
            behind(lambda value, _scene: {key: inner for key, inner in value.items() if key != name}),
            "validation.required",
            level="should",
        )
    for kind, what, value in (("later", "text", _TEXT), ("null-later", "null", None)):
        yield Edit("type", f"type:{kind}", f"a further member that is {what}", behind(put(value)), "validation.type")
    label = member.discriminator
    if label is not None:
        yield Edit(
            "enum",
            "enum:later",
            f"a further member of an unknown {label}",
            behind(lambda value, _scene: {**value, label: _UNKNOWN_MEMBER}),
            "validation.enum",
        )


def _array(keyword: str, name: str, detail: str, make: Make) -> Edit:
    return Edit(keyword, f"{keyword}:{name}", detail, make, "validation.bounds", level="should")


def _objects(place: Place) -> Iterator[Edit]:
    if place.keywords.get("additionalProperties") is False and not place.alternatives:
        yield Edit(
            "additionalProperties",
            "additionalProperties:unknown",
            "a property that is not listed",
            lambda value, _scene: {**value, "harness_unknown_property": _TEXT},
            "validation.type",
        )
    if place.discriminator is None:
        for first, other in itertools.combinations(place.alternatives.items(), 2):
            yield from _both(first, other)


def _both(first: tuple[str, Place], other: tuple[str, Place]) -> Iterator[Edit]:
    """Two alternatives at once, where each has a field that the other does not ask for."""
    fields = [(place, _own(place, rival)) for (_, place), (_, rival) in ((first, other), (other, first))]
    if not all(names for _, names in fields):
        return

    def make(value: Any, scene: Scene) -> Any:
        samples = [(scene.sample(place), names) for place, names in fields]
        return {**value, **{name: sample[name] for sample, names in samples for name in names}}

    detail = f"two alternatives at once: {first[0]} and {other[0]}"
    yield Edit("oneOf", f"oneOf:{first[0]}+{other[0]}", detail, make, "validation.type", level="should")


def _own(place: Place, rival: Place) -> list[str]:
    required = rival.keywords.get("required", ())
    return [name for name in place.keywords.get("required", ()) if name not in required]
