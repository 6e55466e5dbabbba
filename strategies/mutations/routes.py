"""The ways from the top of a body to each place of its schema, and how to walk them in a given body.

A place may be reached in several ways: in each alternative of an action, and again inside itself.  A route is one of
them.  It is walked in any valid body; where the body has not what the route leads to, a piece of another one is put in.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.places import Place, Standing, body_place, visited

Key = str | int


class Gone:
    """Stands for no value: an edit that answers it removes what it was given."""


GONE: Final = Gone()


class RouteStep(msgspec.Struct, frozen=True, eq=False):
    """One level down: into the property `name`, or into any member of an array where that is None."""

    name: str | None
    place: Place
    chosen: tuple[tuple[Place, str], ...] = ()
    """The alternatives that hold at the place, the outer first, as the place that offers them and the label."""

    @property
    def goal(self) -> Place:
        """The place, or the innermost alternative of it that holds."""
        if not self.chosen:
            return self.place
        place, label = self.chosen[-1]
        return place.alternatives[label]

    def leads_to(self, value: Any) -> bool:
        """Whether `value` is one that the route goes on from."""
        if value is None:
            return False
        return all(place.alternative(value) is place.alternatives[label] for place, label in self.chosen)


class PlaceRoute(msgspec.Struct, frozen=True, eq=False):
    """A way to a place."""

    steps: tuple[RouteStep, ...]
    """From the body itself, which is the first step, to the place."""
    name: str
    """A JSON pointer into an ordinary body; the alternatives that the page's example has are left out."""
    place: Place
    fresh: bool
    """No earlier route leads to a place of the same schema, or to another alternative of the same choice."""
    within_known: bool = False
    """An earlier route leads to a place of the schema of the object around it."""
    recursive: bool = False
    """The place stands inside itself here; no route goes on."""
    discriminates: bool = False
    """The place says which alternative the one above is."""

    @property
    def path(self) -> str:
        """What coverage calls the place."""
        return self.place.name

    @property
    def standing(self) -> Standing:
        return self.place.standing

    @property
    def required(self) -> bool:
        """Whether the object around the place must have it."""
        return (
            self.steps[-1].name is not None and len(self.steps) > 1 and self.place.required and not self.is_alternative
        )

    @property
    def ends_at_a_property(self) -> bool:
        """Whether the route ends at whatever value a property has."""
        return self.steps[-1].name is not None and not self.steps[-1].chosen

    @property
    def is_alternative(self) -> bool:
        """Whether the route ends at one alternative, not at the place that offers it."""
        return self.place is not self.steps[-1].place


@functools.lru_cache(maxsize=16)
def routes(contract: Contract) -> tuple[PlaceRoute, ...]:
    """Every route of the contract's body, the outer before the inner, in the order of the document."""
    body = body_place(contract)
    return tuple(_Walk(contract).from_place(body, _Above((RouteStep("", body),), "")))


class _Above(msgspec.Struct, frozen=True, eq=False):
    """How a place was reached."""

    steps: tuple[RouteStep, ...]
    name: str
    known: bool = False
    """An earlier route leads to a place of the same schema as the one above."""
    discriminator: str | None = None
    """The property that says which alternative the place is."""
    discriminates: bool = False
    first: bool = True
    """The place is the first alternative of its choice, or none."""


class _Walk:
    def __init__(self, contract: Contract) -> None:
        body = body_place(contract)
        self._shown = frozenset(place.name for place, _, _ in visited(body, contract.example_body()))
        self._schemas: set[int] = set()
        self._passed: set[tuple[str, int]] = set()

    def from_place(self, place: Place, above: _Above) -> Iterator[PlaceRoute]:
        known = id(place.keywords) in self._schemas or (above.discriminates and not above.first)
        self._schemas.add(id(place.keywords))
        yield PlaceRoute(
            above.steps, above.name or "/", place, not known, above.known, discriminates=above.discriminates
        )
        yield from self._inside(place, _Above(above.steps, above.name, known=known))

    def _inside(self, place: Place, above: _Above) -> Iterator[PlaceRoute]:
        if not place.alternatives:
            yield from self._below(place, above)
        for index, (label, alternative) in enumerate(place.alternatives.items()):
            last = msgspec.structs.replace(above.steps[-1], chosen=(*above.steps[-1].chosen, (place, label)))
            inner = _Above(
                (*above.steps[:-1], last),
                above.name,
                known=above.known,
                discriminator=place.discriminator or above.discriminator,
                first=above.first and index == 0,
            )
            if alternative.path != place.path:
                if alternative.name not in self._shown:
                    inner = msgspec.structs.replace(inner, name=f"{above.name}:{label}")
                yield PlaceRoute(inner.steps, inner.name or "/", alternative, fresh=index == 0)
            yield from self._inside(alternative, inner)

    def _below(self, place: Place, above: _Above) -> Iterator[PlaceRoute]:
        children: list[tuple[str | None, Place]] = list(place.properties.items())
        if place.items is not None:
            children.append((None, place.items))
        for key, child in children:
            path = f"{place.path}/{'*' if key is None else key}"
            passed = (path, id(child.keywords))
            if passed in self._passed or not child.types:
                continue
            self._passed.add(passed)
            inner = _Above(
                (*above.steps, RouteStep(key, child)),
                f"{above.name}/{'0' if key is None else key}",
                known=above.known,
                discriminates=key is not None and key == above.discriminator,
                first=above.first,
            )
            if child.path != path:
                yield PlaceRoute(inner.steps, inner.name, child, fresh=False, recursive=True)
            else:
                yield from self.from_place(child, inner)


def walk(route: PlaceRoute, body: Any, *, to_null: bool = False) -> tuple[Key, ...] | None:
    """The keys that lead from a body along the route, as far as they go; None where the body is another alternative.

    The route is walked to its end where there are as many keys as steps below the body.  Null is not an end of it,
    unless `to_null`.
    """
    return _walk(body, route.steps, 1, to_null) if route.steps[0].leads_to(body) else None


def _walk(value: Any, steps: tuple[RouteStep, ...], index: int, to_null: bool) -> tuple[Key, ...]:
    if index == len(steps):
        return ()
    best: tuple[Key, ...] = ()
    for key, inner in _inner(value, steps[index].name):
        ends_here = to_null and inner is None and index == len(steps) - 1
        if not ends_here and not steps[index].leads_to(inner):
            continue
        keys = (key, *_walk(inner, steps, index + 1, to_null))
        if len(keys) == len(steps) - index:
            return keys
        if len(keys) > len(best):
            best = keys
    return best


def _inner(value: Any, name: str | None) -> Iterator[tuple[Key, Any]]:
    if name is None:
        yield from enumerate(value) if isinstance(value, list) else ()
    elif isinstance(value, dict) and name in value:
        yield name, value[name]


def reached(body: Any, keys: tuple[Key, ...]) -> Any:
    """What stands at these keys."""
    for key in keys:
        body = body[key]
    return body


def edited(body: Any, keys: tuple[Key, ...], edit: Callable[[Any], Any]) -> Any:
    """A copy of the body with what stands at these keys replaced, or removed; only what lies on the way is copied."""
    if not keys:
        return edit(body)
    copy = body.copy()
    changed = edited(body[keys[0]], keys[1:], edit)
    if changed is GONE:
        del copy[keys[0]]
    else:
        copy[keys[0]] = changed
    return copy


def constant(value: Any) -> Callable[[Any], Any]:
    """An edit that puts `value` in place of anything."""
    return lambda _replaced: value


def put_below(name: str | None, value: Any) -> Callable[[Any], Any]:
    """An edit that sets a property of an object, or the first member of an array."""
    return lambda around: [value, *around[1:]] if name is None else {**around, name: value}


def completed(
    route: PlaceRoute, body: Any, donor: Any, keys: tuple[Key, ...], *, to_null: bool = False
) -> tuple[Any, tuple[Key, ...]]:
    """The body with the piece of `donor` put in that lets the route be walked to its end, and the keys that do it.

    `keys` lead through the donor the whole way.
    """
    walked = walk(route, body, to_null=to_null)
    if walked is None:
        return donor, keys
    depth = len(walked)
    if depth == len(keys):
        return body, walked
    name = route.steps[depth + 1].name
    piece = reached(donor, keys[: depth + 1])
    return edited(body, walked, put_below(name, piece)), (*walked, 0 if name is None else name, *keys[depth + 1 :])
