"""Small lists of bodies that ask one thing each: what has to be accepted, what has to survive exactly, and what the
contract leaves open."""

from __future__ import annotations

import calendar
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
from rules_harness.strategies.accounts import accounts_in, source_of
from rules_harness.strategies.contents import is_text, listed_shapes
from rules_harness.strategies.covering import covering_set
from rules_harness.strategies.examples import Body, Pointer, at, body_of, example, put, with_role
from rules_harness.strategies.places import Place, below, body_place, visited
from rules_harness.strategies.plausible import soonest_start
from rules_harness.strategies.scalars import instant_text
from rules_harness.strategies.schema import validator_of
from rules_harness.strategies.world import World

_UNLUCKY: Final = (29, 115, 1_999)
"""Cents that come back as one less where they go through dollars in binary, and the fraction is cut off."""
_AMOUNTS: Final = (1, 29, 65_536, 99_999, 2**31, 2**53 - 1)
"""In cents, each in a body of its own, which the page asks a target to take up to the amount of its example."""
_FURTHER_AMOUNTS: Final = (
    (7, 57, 99, 100, 101, *_UNLUCKY[1:]),
    (32_767, 32_768, 65_535, 16_777_217, 2**31 - 1, 2**32),
)
"""Several in one body: where a coin, 16 and 32 bits and single precision end."""
_SCATTERED: Final = (*_UNLUCKY, 16_777_217, 2**31, 2**53 - 1)
"""Amounts for every place at once: some of which a hundredth is no double, and the ends of the common types."""
_PERCENTAGES: Final = (0.01, 0.29, 1.1, 12.5, 33.33, 57.35, 99.99, 100)
"""Among them some of which a hundred times is not a whole double."""
COMBINED: Final = 5
"""Bodies whose parts are put into one."""
_NUMBERS: Final = (0, -1, 0.1, -0.01, 1234567.89, 1e15, 2**31, 2**53 - 1, 1e-7)
_GROUPS: Final = ((127, 128), (255, 256, 300), (32_767, 32_768), (65_536, 2**31))
"""Where 7, 8, 15, 16 and 31 bits end."""
_FORMS: Final = (
    (timedelta(hours=12, microseconds=5_000), "Z"),
    (timedelta(hours=20, microseconds=999_000), "+05:30"),
    (timedelta(hours=3), "-11:30"),
    (timedelta(hours=20), "+14:00"),
    (timedelta(hours=12), "-00:30"),
)
"""Times of day in UTC with fractions of a second, and offsets of both signs; some of them are on another day there."""
_FINE_SHARES: Final = (0, 0.125, 33.333)
_SHARES: Final = (39.2, 18.06, 24.37, 18.37)
"""In all exactly 100, and a little more where doubles are added up."""


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
    return _allowed(contract, world, _exact(contract, world))


def _exact(contract: Contract, world: World) -> Iterator[dict[str, Any]]:
    documented = example(contract, world).value
    cap = world.max_amount_in_cents
    for amount in dict.fromkeys([*(amount for amount in _AMOUNTS if amount < cap), cap]):
        yield with_role(contract, documented, "amount", amount)
    for path in _amount_places(contract, world):
        cents = [amount for amount in _UNLUCKY[:1] if amount < cap]  # the others stand in `scattered_bodies`
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


@functools.lru_cache(maxsize=16)
def scattered_bodies(contract: Contract, world: World) -> tuple[Body, ...]:
    """Values that a target alters easily at every place that may hold them, several places in one body.

    Whether a target takes such a combination is open.
    """
    allowed = _allowed(contract, world, _scattered(contract, world))
    return tuple(msgspec.structs.replace(body, acceptance="open") for body in allowed)


def _scattered(contract: Contract, world: World) -> Iterator[dict[str, Any]]:
    parts = contract.names.parts
    if parts is None:
        return
    for further in _FURTHER_AMOUNTS:
        yield _several(contract, world, parts, [amount for amount in further if amount < world.max_amount_in_cents])
    amounts = _around(contract, world, parts, _is_amount)
    for amount in dict.fromkeys(min(amount, world.max_amount_in_cents) for amount in _SCATTERED):
        yield _set(contract, amounts, _is_amount, itertools.repeat(amount))
    yield _set(contract, amounts, _is_amount, itertools.repeat(0))
    shares = _around(contract, world, parts, _is_percentage)
    for share in _FINE_SHARES:
        yield _set(contract, shares, _is_percentage, itertools.repeat(share))
    documented = example(contract, world).value
    yield from _of_each_timing(contract, world)
    yield from _of_other_sources(contract, world)
    for indices in _GROUPS:
        several = {**documented, parts: [copy.deepcopy(part) for part in documented[parts] for _ in indices]}
        yield _set(contract, several, lambda place: place.offers("group-index"), indices)
    yield from _all_set(contract, world)
    for date_time in _last_days(world):
        yield with_role(contract, documented, "start-date", date_time)
    inner = _around(contract, world, parts, _is_inner_text)
    for samples in text.CLASSES.values():
        if any("exotic-text" in text.features(sample) for sample in samples):
            yield _set(contract, inner, _is_inner_text, itertools.cycle(samples))


def _several(contract: Contract, world: World, parts: str, amounts: Sequence[int]) -> dict[str, Any]:
    """The page's example with as many members in its first part, each with its amount."""
    documented = example(contract, world).value
    part = documented[parts][0]
    members = {name: inner * max(1, len(amounts)) for name, inner in part.items() if isinstance(inner, list)}
    return _set(contract, {**documented, parts: [{**part, **members}]}, _is_amount, amounts)


def _all_set(contract: Contract, world: World) -> Iterator[dict[str, Any]]:
    """For each place with fields of which one is to hold something: the smallest body in which all of them do."""
    values: dict[str, dict[str, Any]] = {}
    first: dict[str, tuple[dict[str, Any], Pointer]] = {}
    for body in _smallest_first(contract, world):
        for place, pointer, value in visited(body_place(contract), body.value):
            names = [name for name, field in place.properties.items() if "one-of" in field.plausible]
            if isinstance(value, dict) and names:
                first.setdefault(place.path, (body.value, pointer))
                for name in names:
                    if value.get(name) is not None:
                        values.setdefault(place.path, {}).setdefault(name, value[name])
    for path, (value, pointer) in first.items():
        changed = copy.deepcopy(value)
        at(changed, pointer).update(values.get(path, {}))
        yield changed


def _last_days(world: World) -> Iterator[str]:
    """The end of the year that begins next, the next day that only leap years have, and one whose seconds 31 bits do
    not hold."""
    year = world.now.year + 1
    yield f"{year}-12-31T23:59:59Z"
    yield f"{next(year for year in itertools.count(year) if calendar.isleap(year))}-02-29T09:00:00Z"
    yield f"{max(year, 2039)}-03-01T09:00:00Z"


def _of_each_timing(contract: Contract, world: World) -> Iterator[dict[str, Any]]:
    """For each choice beside a date, a date of which every part counts: a fraction, and another day by its offset."""
    day = (soonest_start(contract, world) + timedelta(days=46)).replace(hour=23, minute=30, second=15, microsecond=0)
    dated = instant_text(day + timedelta(microseconds=5_000), "+05:30")
    left = {
        shape
        for place in below(body_place(contract))
        if any(field.offers("start-date") for field in place.properties.values())
        for field in place.properties.values()
        for shape in listed_shapes(field).values()
    }
    for body in _smallest_first(contract, world):
        if left & body.shapes:
            left -= body.shapes
            yield with_role(contract, body.value, "start-date", dated)


def _of_other_sources(contract: Contract, world: World) -> Iterator[dict[str, Any]]:
    """The page's example from an account of each type that no plausible body takes money from."""
    documented = example(contract, world).value
    source = source_of(contract, documented)
    if source is None or source.type_at is None:
        return
    bodies = (body.value for body in covering_set(contract, world))
    usual = {named.type for body in bodies for named in accounts_in(contract, body) if named.side == "source"}
    for account in {account.type: account for account in world.accounts if account.type not in usual}.values():
        value = copy.deepcopy(documented)
        put(value, source.id_at, account.id)
        put(value, source.type_at, account.type)
        yield value


def _is_percentage(place: Place) -> bool:
    return place.offers("percentage")


def _is_amount(place: Place) -> bool:
    return place.offers("amount")


def _is_inner_text(place: Place) -> bool:
    """Whether a place inside the parts takes any text of the client's."""
    return is_text(place) and place.path.count("/") > 1 and not place.keywords.get("x-server-filled")


def _around(contract: Contract, world: World, parts: str, wanted: Callable[[Place], bool]) -> dict[str, Any]:
    """A body with the parts of the smallest ones that have, between them, every wanted place, all of one source."""
    covered = [body.value for body in _smallest_first(contract, world)]
    chosen: list[dict[str, Any]] = []
    reached: set[str] = set()
    for value in covered:
        places = {place.path for place, _, inner in visited(body_place(contract), value) if inner and wanted(place)}
        if places - reached and (not chosen or _same_source(contract, value, chosen[0])):
            reached |= places
            chosen.append(value)
    return {**(chosen or covered)[0], parts: [part for value in chosen for part in value[parts]]}


def _same_source(contract: Contract, left: dict[str, Any], other: dict[str, Any]) -> bool:
    sources = (source_of(contract, value) for value in (left, other))
    return len({source.id if source else None for source in sources}) == 1


def _set(
    contract: Contract, value: dict[str, Any], wanted: Callable[[Place], bool], replacements: Iterable[Any]
) -> dict[str, Any]:
    """A copy of a body with the replacements, one after the other, at the wanted places where something stands."""
    changed = copy.deepcopy(value)
    places = (
        pointer for place, pointer, inner in visited(body_place(contract), value) if inner is not None and wanted(place)
    )
    for pointer, replacement in zip(list(places), replacements, strict=False):
        put(changed, pointer, replacement)
    return changed


def _shared_out(contract: Contract, world: World) -> Iterator[dict[str, Any]]:
    """For each kind of action that moves a share: several that move, together, exactly everything."""
    done: set[str] = set()
    for body in _smallest_first(contract, world):
        for place, pointer, inner in visited(body_place(contract), body.value):
            if inner is None or not place.offers("percentage") or place.path in done:
                continue
            done.add(place.path)
            changed = copy.deepcopy(body.value)
            *around, member, name = pointer
            action = at(changed, (*around, member))
            put(changed, tuple(around), [{**action, name: share} for share in _SHARES])
            yield changed


@functools.lru_cache(maxsize=16)
def combined_bodies(contract: Contract, world: World) -> tuple[Body, ...]:
    """Parts of several bodies in one, and their lists in one part: what a target does right for the first of a list
    alone shows behind it.

    Whether a target takes such a combination is open: shares may add up to more than there is.
    """
    allowed = _allowed(contract, world, _combined(contract, world))
    return tuple(msgspec.structs.replace(body, acceptance="open") for body in allowed)


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
    return _allowed(contract, world, _open(contract, world))


def _allowed(contract: Contract, world: World, values: Iterable[dict[str, Any]]) -> tuple[Body, ...]:
    """The bodies that the contract's schema allows; another document may forbid what the page leaves open."""
    is_valid = validator_of(contract, contract.body_schema).is_valid
    return tuple(body_of(contract, world, value) for value in values if is_valid(value))


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
    for name, sample in itertools.product(contract.names.texts, ("", " ", " Rent\u00a0", "Re\u0000nt")):
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
    for body in _smallest_first(contract, world):
        for place, pointer, value in visited(body_place(contract), body.value):
            if value is not None and wanted(place):
                for replacement in replacements:
                    changed = copy.deepcopy(body.value)
                    put(changed, pointer, replacement)
                    yield changed
                return


def _smallest_first(contract: Contract, world: World) -> list[Body]:
    return sorted(covering_set(contract, world), key=lambda body: len(json.dumps(body.value)))
