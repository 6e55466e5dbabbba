"""Values that a target alters easily, in the places where they are rarely tried, several places in one body."""

from __future__ import annotations

import calendar
import copy
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from rules_harness.openapi.contract import Contract
from rules_harness.strategies import text
from rules_harness.strategies.accounts import accounts_in, source_of
from rules_harness.strategies.contents import is_text, listed_shapes
from rules_harness.strategies.covering import covering_set
from rules_harness.strategies.examples import Body, at, example, put, with_role
from rules_harness.strategies.places import Place, Pointer, below, body_place, visited
from rules_harness.strategies.plausible import soonest_start
from rules_harness.strategies.samples import UNLUCKY, allowed_openly, smallest_first
from rules_harness.strategies.scalars import instant_text
from rules_harness.strategies.world import World

_FURTHER_AMOUNTS: Final = (
    (7, 57, 99, 100, 101, *UNLUCKY[1:]),
    (32_767, 32_768, 65_535, 16_777_217, 2**31 - 1, 2**32),
)
"""Several in one body: where a coin, 16 and 32 bits and single precision end."""
_SCATTERED: Final = (*UNLUCKY, 16_777_217, 2**31, 2**53 - 1)
"""Amounts for every place at once: some of which a hundredth is no double, and the ends of the common types."""
_GROUPS: Final = ((127, 128), (255, 256, 300), (32_767, 32_768), (65_536, 2**31))
"""Where 7, 8, 15, 16 and 31 bits end."""
_FINE_SHARES: Final = (0, 0.125, 33.33333)
"""Percentages of which it is open whether a target takes them: none, and those of more than two digits."""


@functools.lru_cache(maxsize=16)
def scattered_bodies(contract: Contract, world: World) -> tuple[Body, ...]:
    """Values that a target alters easily at every place that may hold them, several places in one body.

    Whether a target takes such a combination is open.
    """
    return allowed_openly(contract, world, _scattered(contract, world))


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
    for body in smallest_first(contract, world):
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
    for body in smallest_first(contract, world):
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
    covered = [body.value for body in smallest_first(contract, world)]
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
