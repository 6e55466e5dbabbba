"""A small set of bodies in which every pair of choices occurs.

Two choices are a pair where one body can have both, each list having one member that counts; which alternative
stands beside which is covered too. The set is built greedily: each body starts from a pair that is still missing,
and makes every other choice so that most further ones come with it. Nothing is random.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.choices import Choice, Decision, Option, decision_of
from rules_harness.strategies.examples import Body, body_of
from rules_harness.strategies.plausible import share_out
from rules_harness.strategies.schema import validator_of
from rules_harness.strategies.world import World

Pairs = list[int]
"""For each choice, by number, its partners, as the bits of an integer."""


@functools.lru_cache(maxsize=16)
def covering_set(contract: Contract, world: World) -> tuple[Body, ...]:
    """Plausible bodies without open features, among which each shape that this world can have and each pair of choices
    occurs.

    Most have one step with one action, so that a refusal points at its reason.
    """
    found = []
    is_valid = validator_of(contract, contract.body_schema).is_valid
    for value in _covering_values(decision_of(contract, world)):
        share_out(contract, value)
        if is_valid(value):  # not so where the alternatives of an unusual `oneOf` overlap
            found.append(body_of(contract, world, value))
    return tuple(found)


def _covering_values(root: Decision) -> Iterator[dict[str, Any]]:
    numbers: dict[Choice, int] = {}
    fork = _fork(root, numbers, {})
    missing = _to_cover(fork.pairs(len(numbers)), numbers)
    for turn in itertools.count():
        number = max(range(len(numbers)), key=lambda choice: missing[choice].bit_count())
        if not missing[number]:
            return
        partner = max(_bits(missing[number]), key=lambda choice: missing[choice].bit_count())
        walk = _Walk(missing, (1 << number) | (1 << partner))
        yield walk.through(fork, turn)
        for chosen in _bits(walk.chosen):
            missing[chosen] &= ~walk.chosen


def _to_cover(pairs: Pairs, numbers: dict[Choice, int]) -> Pairs:
    """Of all pairs the ones that count; each choice is a partner of itself, so that it occurs even where it has no
    other one."""
    apart = _mask(number for choice, number in numbers.items() if choice.pairs_with != "all")
    counting = [0 if apart >> number & 1 else partners & ~apart for number, partners in enumerate(pairs)]
    for first, second in _neighbours(numbers, pairs):
        counting[first] |= 1 << second
        counting[second] |= 1 << first
    return [partners | (1 << number) for number, partners in enumerate(counting)]


def _neighbours(numbers: dict[Choice, int], pairs: Pairs) -> Iterator[tuple[int, int]]:
    """The choices of an alternative for a first and for a second member, in one order only where there are both."""
    for second in [choice for choice in numbers if choice.pairs_with == "siblings"]:
        for first in [
            choice for choice in numbers if choice.pairs_with == "all" and choice.siblings == second.siblings
        ]:
            reverse = numbers.get(Choice(first.name, first.siblings, "siblings"), -1)
            if pairs[numbers[second]] >> numbers[first] & 1 and reverse <= numbers[second]:
                yield numbers[first], numbers[second]


class _Way(msgspec.Struct, eq=False):
    """An option, with the numbers of its choices, and all choices that can be made along with it."""

    option: Option
    numbers: tuple[int, ...]
    forks: tuple[_Fork, ...]
    reach: int
    paired: Pairs = []

    def pairs(self, size: int) -> Pairs:
        if not self.paired:
            self.paired = _united(size, [fork.pairs(size) for fork in self.forks])
            own = _mask(self.numbers)
            for index, group in enumerate([own, *(fork.reach for fork in self.forks)]):
                others = own | _union(fork.reach for place, fork in enumerate(self.forks, start=1) if place != index)
                for number in _bits(group):
                    self.paired[number] |= others & ~(1 << number)
        return self.paired


class _Fork(msgspec.Struct, eq=False):
    """A decision, as its ways."""

    ways: tuple[_Way, ...]
    reach: int
    paired: Pairs = []

    def pairs(self, size: int) -> Pairs:
        if not self.paired:
            self.paired = _united(size, [way.pairs(size) for way in self.ways])
        return self.paired


def _fork(decision: Decision, numbers: dict[Choice, int], done: dict[int, _Fork]) -> _Fork:
    if id(decision) not in done:
        ways = []
        for option in decision.options:
            own = tuple({numbers.setdefault(choice, len(numbers)): None for choice in option.choices})
            forks = tuple(_fork(inner, numbers, done) for inner in option.decisions())
            ways.append(_Way(option, own, forks, _mask(own) | _union(fork.reach for fork in forks)))
        done[id(decision)] = _Fork(tuple(ways), _union(way.reach for way in ways))
    return done[id(decision)]


class _Walk:
    """One way through all forks, past the two choices that are wanted."""

    def __init__(self, missing: Pairs, wanted: int) -> None:
        self._missing = missing
        self._wanted = wanted
        self.chosen = 0
        self._worth = [partners.bit_count() for partners in missing]
        self._gains: dict[int, int] = {}

    def through(self, fork: _Fork, turn: int) -> Any:
        way = self._best(fork)
        if way.numbers:
            self.chosen |= _mask(way.numbers)
            together = self.chosen | self._wanted
            self._worth = [4 * (partners & together).bit_count() + partners.bit_count() for partners in self._missing]
            self._gains.clear()
        return way.option.filled(turn, [self.through(inner, turn) for inner in way.forks])

    def _best(self, fork: _Fork) -> _Way:
        if len(fork.ways) == 1:
            return fork.ways[0]
        wanted = self._wanted & ~self.chosen & fork.reach
        return max((way for way in fork.ways if self._leads(way, wanted)), key=self._gain)

    def _leads(self, way: _Way, wanted: int) -> bool:
        """Whether all that is wanted, one choice or two, can be had together along this way."""
        if wanted & ~way.reach:
            return False
        numbers = list(_bits(wanted))
        return len(numbers) < 2 or bool(way.pairs(len(self._missing))[numbers[0]] >> numbers[1] & 1)

    def _gain(self, way: _Way) -> int:
        """How many missing pairs a way, and the best ones behind it, make with what is chosen."""
        gain = sum([self._worth[number] for number in way.numbers])
        return gain + sum([self._best_gain(fork) for fork in way.forks if fork.reach])

    def _best_gain(self, fork: _Fork) -> int:
        if id(fork) not in self._gains:
            self._gains[id(fork)] = max(map(self._gain, fork.ways))
        return self._gains[id(fork)]


def _mask(numbers: Iterable[int]) -> int:
    return _union(1 << number for number in numbers)


def _union(masks: Iterable[int]) -> int:
    return functools.reduce(int.__or__, masks, 0)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _united(size: int, all_pairs: list[Pairs]) -> Pairs:
    united = [0] * size
    for pairs in all_pairs:
        for number, partners in enumerate(pairs):
            if partners:
                united[number] |= partners
    return united
