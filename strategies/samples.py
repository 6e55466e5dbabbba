"""Small lists of bodies that ask one thing each: what has to be accepted, what has to survive exactly, and what the
contract leaves open."""

from __future__ import annotations

import copy
import functools
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies import text
from rules_harness.strategies.covering import covering_set
from rules_harness.strategies.examples import Body, at, body_of, example, put, with_role
from rules_harness.strategies.places import Place, Pointer, below, body_place, visited
from rules_harness.strategies.plausible import soonest_start
from rules_harness.strategies.scalars import instant_text
from rules_harness.strategies.schema import validator_of
from rules_harness.strategies.world import World

UNLUCKY: Final = (29, 115, 1_999)
"""Cents that come back as one less where they go through dollars in binary, and the fraction is cut off."""
_AMOUNTS: Final = (1, 29, 65_536, 99_999, 2**31, 2**53 - 1)
"""In cents, each in a body of its own, which the page asks a target to take up to the amount of its example."""
_PERCENTAGES: Final = (0.01, 0.29, 1.1, 12.5, 33.33, 57.35, 99.99, 100)
"""Among them some of which a hundred times is not a whole double."""
COMBINED: Final = 5
"""Bodies whose parts are put into one."""
_NUMBERS: Final = (0, -1, 0.1, -0.01, 1234567.89, 1e15, 2**31, 2**53 - 1, 1e-7)
_FORMS: Final = (
    (timedelta(hours=12, microseconds=500_000), "Z"),
    (timedelta(hours=20, microseconds=5_000), "+05:30"),
    (timedelta(hours=3), "-11:30"),
    (timedelta(hours=20), "+14:00"),
    (timedelta(hours=12), "-00:30"),
)
"""Times of day in UTC with fractions of a second, and offsets of both signs; some of them are on another day there."""
_SHARES: Final = (39.2, 18.06, 24.37, 18.37)
"""In all exactly 100, and a little more where doubles are added up."""
_THIRDS: Final = (33.33, 33.33, 33.33)
"""In all a little less than 100."""


@functools.lru_cache(maxsize=16)
def variations(contract: Contract, world: World) -> tuple[Body, ...]:
    """The page's example with nickname, description, amount and date varied: what a target has to accept."""
    documented = example(contract, world)
    names = contract.names
    shortest, longest = min(text.PLAIN, key=len), max(text.PLAIN, key=len)
    varied = [{**documented.value, name: value} for name in names.texts for value in (None, shortest, longest)]
    varied += [_without(documented.value, name) for name in names.texts]
    varied += [with_role(contract, documented.value, "amount", amount) for amount in (1, world.max_amount_in_cents)]
    starts = (soonest_start(contract, world), soonest_start(contract, world) + timedelta(days=365))
    varied += [with_role(contract, documented.value, "start-date", instant_text(start)) for start in starts]
    return tuple(body_of(contract, world, copy.deepcopy(value)) for value in varied if value != documented.value)


def _without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {other: inner for other, inner in value.items() if other != name}


@functools.lru_cache(maxsize=16)
def exact_bodies(contract: Contract, world: World) -> tuple[Body, ...]:
    """Bodies whose numbers and texts a target alters easily: amounts up to the world's cap, fractions, large
    numbers, exotic text."""
    return allowed_bodies(contract, world, _exact(contract, world))


def _exact(contract: Contract, world: World) -> Iterator[dict[str, Any]]:
    documented = example(contract, world).value
    cap = world.max_amount_in_cents
    for amount in dict.fromkeys([*(amount for amount in _AMOUNTS if amount < cap), cap]):
        yield with_role(contract, documented, "amount", amount)
    for path in _amount_places(contract, world):
        cents = [amount for amount in UNLUCKY[:1] if amount < cap]  # the others stand in `scattered_bodies`
        yield from _with_each(contract, world, functools.partial(_is_at, path), cents)
    yield from _with_each(contract, world, lambda place: place.offers("percentage"), _PERCENTAGES)
    yield from _with_each(
        contract, world, lambda place: "number" in place.types and not place.offers("percentage"), _NUMBERS
    )
    for samples in text.CLASSES.values():
        if any("exotic-text" in text.features(sample) for sample in samples):
            for sample, other in itertools.zip_longest(samples[::2], samples[1::2], fillvalue=samples[0]):
                yield {**documented, **dict(zip(contract.names.texts, (sample, other), strict=False))}
    day = (soonest_start(contract, world) + timedelta(days=45)).replace(hour=0, minute=30, second=15, microsecond=0)
    for time_of_day, zone in _FORMS:
        yield with_role(contract, documented, "start-date", instant_text(day + time_of_day, zone))
    yield from _shared_out(contract, world)


def _shared_out(contract: Contract, world: World) -> Iterator[dict[str, Any]]:
    """For each kind of action that moves a share: several that move, together, exactly everything, and in a further
    part several that leave a little."""
    done: set[str] = set()
    for body in smallest_first(contract, world):
        for place, pointer, inner in visited(body_place(contract), body.value):
            if inner is None or not place.offers("percentage") or place.path in done:
                continue
            done.add(place.path)
            changed, parts = _with_shares(body.value, pointer, _SHARES), contract.names.parts
            if parts == pointer[0]:
                changed[parts] = [*changed[parts], *_with_shares(body.value, pointer, _THIRDS)[parts]]
            yield changed


def _with_shares(value: dict[str, Any], pointer: Pointer, shares: Iterable[float]) -> dict[str, Any]:
    """A copy of a body with as many members as shares, where one stands that moves a share."""
    changed = copy.deepcopy(value)
    *around, member, name = pointer
    action = at(changed, (*around, member))
    put(changed, tuple(around), [{**action, name: share} for share in shares])
    return changed


@functools.lru_cache(maxsize=16)
def combined_bodies(contract: Contract, world: World) -> tuple[Body, ...]:
    """Parts of several bodies in one, and their lists in one part: what a target does right for the first of a list
    alone shows behind it.

    Whether a target takes such a combination is open: shares may add up to more than there is.
    """
    return allowed_openly(contract, world, _combined(contract, world))


def _combined(contract: Contract, world: World) -> Iterator[dict[str, Any]]:
    name = contract.names.parts
    if name is None:
        return
    bodies = [body.value for body in covering_set(contract, world) if body.value[name]]
    for start in range(0, len(bodies), COMBINED):
        first = bodies[start]
        parts = [part for body in bodies[start : start + COMBINED] for part in body[name]]
        yield {**first, name: parts}
        lists = [field for field, value in parts[0].items() if isinstance(value, list)]
        for field in lists:
            several = [member for part in parts for member in part[field]]
            yield {**first, name: [parts[0], {**parts[0], field: several}]}


@functools.lru_cache(maxsize=16)
def open_bodies(contract: Contract, world: World) -> tuple[Body, ...]:
    """For each question that the contract leaves a body to ask (`Body.open_features`), one that asks it and no other.

    Exotic text is not among them: `exact_bodies` has it.
    """
    return allowed_bodies(contract, world, _open(contract, world))


def allowed_bodies(contract: Contract, world: World, values: Iterable[dict[str, Any]]) -> tuple[Body, ...]:
    """The bodies that the contract's schema allows; another document may forbid what the page leaves open."""
    is_valid = validator_of(contract, contract.body_schema).is_valid
    return tuple(body_of(contract, world, value) for value in values if is_valid(value))


def allowed_openly(contract: Contract, world: World, values: Iterable[dict[str, Any]]) -> tuple[Body, ...]:
    """The same of values of which it is open whether a target takes them."""
    bodies = allowed_bodies(contract, world, values)
    return tuple(msgspec.structs.replace(body, acceptance="open") for body in bodies)


def _open(contract: Contract, world: World) -> Iterator[dict[str, Any]]:
    documented = example(contract, world).value
    for path in dict.fromkeys(place.path for place in below(body_place(contract)) if place.items is not None):
        yield from _with_each(contract, world, functools.partial(_is_at, path), [[]])
    yield from _without_conditions(contract, documented)
    yield with_role(contract, documented, "amount", 0)
    yield from _with_each(contract, world, lambda place: place.offers("percentage"), (0, 33.333))
    start = soonest_start(contract, world) + timedelta(days=30)
    for date_time in (instant_text(start, "+02:00"), instant_text(start + timedelta(milliseconds=123))):
        yield with_role(contract, documented, "start-date", date_time)
    for name, sample in itertools.product(contract.names.texts, ("", " ", " Rent\u00a0\n", "Re\u0000nt")):
        yield {**documented, name: sample}


def _amount_places(contract: Contract, world: World) -> tuple[str, ...]:
    """Where amounts stand in the covering set, beside those of the example."""
    usual = {place.path for place, _, _ in visited(body_place(contract), example(contract, world).value)}
    visits = (visited(body_place(contract), body.value) for body in covering_set(contract, world))
    places = (place for visit in visits for place, _, _ in visit if place.offers("amount"))
    return tuple(dict.fromkeys(place.path for place in places if place.path not in usual))


def _is_at(path: str, place: Place) -> bool:
    return place.path == path


def _without_conditions(contract: Contract, documented: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for place, pointer, _ in visited(body_place(contract), documented):
        if place.offers("conditions"):
            value = copy.deepcopy(documented)
            del at(value, pointer[:-1])[pointer[-1]]
            yield value
            return


def _with_each(
    contract: Contract, world: World, wanted: Callable[[Place], bool], replacements: Sequence[Any]
) -> Iterator[dict[str, Any]]:
    """The smallest body of the covering set that has something at a wanted place, with each replacement in its
    stead."""
    for body in smallest_first(contract, world):
        for place, pointer, value in visited(body_place(contract), body.value):
            if value is not None and wanted(place):
                for replacement in replacements:
                    changed = copy.deepcopy(body.value)
                    put(changed, pointer, replacement)
                    yield changed
                return


@functools.lru_cache(maxsize=16)
def smallest_first(contract: Contract, world: World) -> tuple[Body, ...]:
    """The bodies of the covering set, the shortest first."""
    return tuple(sorted(covering_set(contract, world), key=lambda body: len(json.dumps(body.value))))
