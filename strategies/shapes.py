"""All the choices that the contract offers a body, and where each stands; `strategies.contents` tells how they are
named."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.contents import bounds_of, contents_of, listed_shapes
from rules_harness.strategies.places import Place, Standing, below, body_place, visited
from rules_harness.strategies.plausible import account_types, plausible_place, sources
from rules_harness.strategies.world import Account, World


def places_of(contract: Contract, value: Any) -> frozenset[str]:
    """The paths of the places that a body has, alternatives included, whatever stands there."""
    return frozenset(place.name for place, _, _ in visited(body_place(contract), value))


def standing_of(contract: Contract, place: str) -> Standing:
    """Whether the page shows this place, or this shape. What is below a place that is not listed has the standing of
    that place."""
    standings = _standings(contract)
    while place not in standings:
        place = place[: max(place.rfind(mark) for mark in "/:=")] if any(mark in place for mark in "/:=") else ""
    return standings[place]


@functools.lru_cache(maxsize=16)
def _standings(contract: Contract) -> dict[str, Standing]:
    standings: dict[str, Standing] = {}
    for place in below(body_place(contract)):
        standings.setdefault(place.name, place.standing)
        for value in place.keywords.get("x-inferred-values", ()):
            standings[f"{place.path}={value}"] = "inferred"
    return standings | dict.fromkeys(shapes_of(contract, contract.example_body()), "documented")


def shapes_of(contract: Contract, value: Any) -> frozenset[str]:
    """The shapes that a body contains. The most of an amount is the cap of a default world."""
    return contents_of(contract, complete_world(contract), value).shapes


def is_kind(shape: str) -> bool:
    """Whether a shape says of which kind something is, and no more."""
    return shape.count(":") == 1 and "=" not in shape and "/" not in shape.partition(":")[2]


def all_shapes(contract: Contract) -> tuple[str, ...]:
    """Every shape that a body can have, in the order of the contract's document. Needs a world with accounts of each
    type."""
    return _reachable(contract, complete_world(contract))


def unreachable_shapes(contract: Contract, world: World) -> Mapping[str, str]:
    """The shapes that no plausible body has in this world, each with what the world lacks."""
    reachable = frozenset(_reachable(contract, world))
    return {shape: _lack(contract, world, shape) for shape in all_shapes(contract) if shape not in reachable}


def _lack(contract: Contract, world: World, shape: str) -> str:
    field, _, value = shape.rpartition("=")
    types = {account.type for account in world.accounts}
    names_type = any(place.path == field and place.offers("account-ref-type") for place in below(body_place(contract)))
    if names_type and value not in types:
        return f"the world has no account of type {value}"
    if not any(account.liability for account in world.accounts):
        return "the world has no account that is a liability"
    return "the world has no two accounts that suit it"


@functools.lru_cache(maxsize=64)
def _reachable(contract: Contract, world: World) -> tuple[str, ...]:
    shapes: dict[str, None] = {}
    for source in sources(contract, world):
        shapes |= dict.fromkeys(_offered(plausible_place(contract, world, source), set()))
    in_order = dict.fromkeys(_offered(plausible_place(contract, world), set()))
    return tuple(shape for shape in in_order if shape in shapes)


def _offered(place: Place, seen: set[int]) -> Iterator[str]:
    """The shapes of a place and of all below it, the outer first; places that share a path repeat them."""
    if id(place) in seen:
        return
    seen.add(id(place))
    if place.nullable:
        yield f"{place.path}=null"
    if place.alternatives:
        for inner in place.alternatives.values():
            yield inner.name
            yield from _offered(inner, seen)
        return
    yield from listed_shapes(place).values()
    if "array" in place.types:
        yield from _sizes(place)
    if bounds_of(place) is not None:
        yield from (f"{place.path}=least", f"{place.path}=most")
    for inner in place.properties.values():
        yield from _presence(inner)
        yield from _offered(inner, seen)
    if place.items is not None:
        yield from _offered(place.items, seen)


def _sizes(place: Place) -> Iterator[str]:
    least, most = place.keywords.get("minItems", 0), place.keywords.get("maxItems", 2)
    if least == 0:
        yield f"{place.path}=empty"
    if least <= 1:
        yield f"{place.path}=one"
    if most > 1:
        yield f"{place.path}=several"


def _presence(field: Place) -> Iterator[str]:
    if not field.required or field.offers("conditions"):
        yield f"{field.path}=absent"
    if field.types and (field.nullable or not field.required):
        yield f"{field.path}=present"


@functools.lru_cache(maxsize=16)
def complete_world(contract: Contract) -> World:
    """A world that lacks nothing: accounts of each type; those that money only reaches are there as liabilities too."""
    types = account_types(contract)
    plain = [Account(id=f"source-{kind}", type=kind) for kind in types.sources]
    reached = [
        Account(id=f"liability-{kind}", type=kind, liability=True)
        for kind in types.destinations
        if kind not in types.sources
    ]
    others = [Account(id=f"other-{kind}", type=kind) for kind in types.destinations]
    return World(accounts=(*plain, *others, *reached), now=datetime(2030, 1, 1, tzinfo=UTC))
