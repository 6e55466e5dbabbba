"""Plausible bodies of an update: what the contract's schema allows and a back end can be expected to take.

Accounts exist and suit what is done with them, dates lie ahead, amounts stay within the world's cap, shares of one
source add up to no more than everything. Which field is which the roles of the contract's document say. Every body
moves money from one account only.
"""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import Any, Final, Literal

from hypothesis import strategies as st

from rules_harness.openapi.contract import Contract
from rules_harness.strategies import text
from rules_harness.strategies.contents import bounds_of, is_text
from rules_harness.strategies.covering import covering_set
from rules_harness.strategies.drawing import NOTHING, Listed, Made, is_empty, strategy_of
from rules_harness.strategies.examples import Acceptance, Body, body_of, example, inert
from rules_harness.strategies.places import Place
from rules_harness.strategies.plausible import (
    UnsuitableWorld,
    latest_start,
    plausible_place,
    share_out,
    soonest_start,
    sources,
)
from rules_harness.strategies.samples import combined_bodies, exact_bodies, open_bodies, variations
from rules_harness.strategies.scalars import instant_text
from rules_harness.strategies.scattered import scattered_bodies
from rules_harness.strategies.schema import Make, allowed, values
from rules_harness.strategies.shapes import all_shapes, places_of, shapes_of, standing_of, unreachable_shapes
from rules_harness.strategies.world import Account, World

__all__ = [
    "Acceptance",
    "Body",
    "bodies",
    "body_of",
    "combined_bodies",
    "covering_set",
    "exact_bodies",
    "example",
    "inert",
    "is_suitable",
    "open_bodies",
    "scattered_bodies",
    "variations",
]
__all__ += ["all_shapes", "places_of", "shapes_of", "standing_of", "unreachable_shapes"]

Manner = Literal["common", "exotic", "long"]
"""How a body is drawn: with ordinary text; with any text and form of date; with many steps."""

_MANNERS: Final[tuple[Manner, ...]] = (*("common",) * 14, *("exotic",) * 5, "long")
_FEW: Final = 2
_MANY: Final = 12
_MOST_CHARACTERS: Final = 40
_MOST_NUMBER: Final = 1_000_000
_BOUNDS: Final = frozenset({"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"})
_ZONES: Final = ("Z", "+00:00", "+02:00", "-11:30")
_FRACTIONS: Final = (0, 123_000, 500_000)


def is_suitable(contract: Contract, world: World) -> bool:
    """Whether the world has the accounts that a plausible body takes."""
    try:
        return bool(sources(contract, world))
    except UnsuitableWorld:
        return False


def bodies(contract: Contract, world: World) -> st.SearchStrategy[Body]:
    """Plausible bodies, all disabled; about one in four has text or a date that asks a question (`open_features`).

    They shrink toward one step with the contract's first kind of action, without conditions. Raises UnsuitableWorld.
    """
    picks = [(manner, source) for source in sources(contract, world) for manner in _MANNERS]
    return st.sampled_from(picks).flatmap(lambda pick: _bodies(contract, world, *pick))


@functools.lru_cache(maxsize=256)
def _bodies(contract: Contract, world: World, manner: Manner, source: Account) -> st.SearchStrategy[Body]:
    place = plausible_place(contract, world, source)
    return values(contract, place, override=_Plausible(contract, world, manner)).map(
        functools.partial(_finished, contract, world)
    )


def _finished(contract: Contract, world: World, value: dict[str, Any]) -> Body:
    share_out(contract, value)
    return body_of(contract, world, value)


class _Plausible:
    """What stands at the places where a schema alone would draw too much, too little or the unlikely."""

    def __init__(self, contract: Contract, world: World, manner: Manner) -> None:
        self._contract = contract
        self._manner = manner
        self._dates = _dates(contract, world, exotic=manner == "exotic")

    def __call__(self, place: Place, make: Make) -> Made | None:
        if place.items is not None and not place.keywords.get("uniqueItems"):
            return self._list(place, make(place.items))
        if "days-ahead" in place.plausible:
            return self._dates
        if is_text(place):
            return self._text(place)
        if place.types and place.types <= {"integer", "number"} and bounds_of(place) is None:
            return self._number(place)
        return None

    def _text(self, place: Place) -> Made | None:
        common = text.PLAIN + text.ORDINARY if place.standing == "documented" else text.BRIEF
        if self._manner != "exotic":
            listed = allowed(self._contract, place, common)
            return Listed(listed) if listed else None
        samples = strategy_of(Listed(allowed(self._contract, place, text.EXOTIC)))
        least, most = place.keywords.get("minLength", 0), place.keywords.get("maxLength", _MOST_CHARACTERS)
        return samples | text.any_text(min_size=least, max_size=max(least, min(most, _MOST_CHARACTERS)))

    def _number(self, place: Place) -> Made | None:
        """Numbers that nobody bounds, within what people write."""
        if place.keywords.keys() & _BOUNDS:
            return None
        return _FREE_NUMBERS if "number" in place.types else st.integers(-_MOST_NUMBER, _MOST_NUMBER)

    def _list(self, place: Place, member: Made) -> Made:
        if is_empty(member):
            return NOTHING
        least = max(place.keywords.get("minItems", 0), 1)
        long = self._manner == "long" and place.offers("parts")
        most = min(place.keywords.get("maxItems", _MANY), _MANY if long else least - 1 + _FEW)
        return st.lists(strategy_of(member), min_size=least, max_size=most)


_FREE_NUMBERS: Final[st.SearchStrategy[int | float]] = (
    st.integers(-_MOST_NUMBER, _MOST_NUMBER)
    | st.integers(-_MOST_NUMBER, _MOST_NUMBER).map(lambda hundredths: hundredths / 100)
    | st.sampled_from((0.1, 1e15, 2**53 - 1, -(2**53 - 1), 2**31, 1e-7))
)


def _dates(contract: Contract, world: World, *, exotic: bool) -> st.SearchStrategy[str]:
    soonest = soonest_start(contract, world)
    seconds = st.integers(0, int((latest_start(contract, world) - soonest).total_seconds()))
    if not exotic:
        return seconds.map(lambda after: instant_text(soonest + timedelta(seconds=after)))
    forms = st.sampled_from([(microseconds, zone) for zone in _ZONES for microseconds in _FRACTIONS])
    return st.tuples(seconds, forms).map(
        lambda drawn: instant_text(soonest + timedelta(seconds=drawn[0], microseconds=drawn[1][0]), drawn[1][1])
    )
