"""A small set of bodies in which every pair of choices occurs.

Two choices are a pair where one body can have both, each list having one member that counts; which alternative
stands beside which is covered too. The set is built greedily: each body starts from a pair that is still missing,
and makes every other choice so that most further ones come with it. Nothing is random.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
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
    bodies = []
    is_valid = validator_of(contract, contract.body_schema).is_valid
    for value in _covering_values(decision_of(contract, world)):
        share_out(contract, value)
        if is_valid(value):  # not so where the alternatives of an unusual `oneOf` overlap
            bodies.append(body_of(contract, world, value))
    return tuple(bodies)


def _covering_values(root: Decision) -> Iterator[dict[str, Any]]:
    forks = _Forks()
    fork, numbers = forks.fork(root), forks.numbers
    missing = _to_cover(fork.pairs(len(numbers)), numbers)
    for turn in itertools.count():
        number = max(range(len(numbers)), key=lambda choice: missing[choice].bit_count())
        if not missing[number]:
            return
        partner = max(_bits(missing[number]), key=lambda choice: missing[choice].bit_count())
        walk = _Walk(missing, (1 << number) | (1 << partner))
        yield walk.through(root, fork, turn)
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
    """What is chosen with an option: the numbers of its own choices, also as bits, and what can be chosen behind it."""

    numbers: tuple[int, ...]
    mask: int
    forks: tuple[_Fork, ...]
    reach: int
    paired: Pairs = []

    def pairs(self, size: int) -> Pairs:
        if not self.paired:
            self.paired = _united(size, [fork.pairs(size) for fork in self.forks])
            for index, group in enumerate([self.mask, *(fork.reach for fork in self.forks)]):
                others = self.mask | _union(
                    fork.reach for place, fork in enumerate(self.forks, start=1) if place != index
                )
                for number in _bits(group):
                    self.paired[number] |= others & ~(1 << number)
        return self.paired


class _Fork(msgspec.Struct, eq=False):
    """What can be chosen at a decision: a way for each of its options."""

    ways: tuple[_Way, ...]
    reach: int
    paired: Pairs = []

    def pairs(self, size: int) -> Pairs:
        if not self.paired:
            self.paired = _united(size, [way.pairs(size) for way in self.ways])
        return self.paired


class _Forks:
    """The forks of decisions: one for all decisions that offer the same choices, which are far more."""

    def __init__(self) -> None:
        self.numbers: dict[Choice, int] = {}
        self._ways: dict[tuple[tuple[int, ...], tuple[_Fork, ...]], _Way] = {}
        self._forks: dict[tuple[_Way, ...], _Fork] = {}

    def fork(self, decision: Decision) -> _Fork:
        ways = tuple([self._way(option) for option in decision.options])
        if ways not in self._forks:
            self._forks[ways] = _Fork(ways, _union(way.reach for way in ways))
        return self._forks[ways]

    def _way(self, option: Option) -> _Way:
        numbers = tuple({self.numbers.setdefault(choice, len(self.numbers)): None for choice in option.choices})
        forks = tuple([self.fork(inner) for inner in option.decisions()])
        if (numbers, forks) not in self._ways:
            mask = _mask(numbers)
            self._ways[numbers, forks] = _Way(numbers, mask, forks, mask | _union(fork.reach for fork in forks))
        return self._ways[numbers, forks]


class _Walk:
    """One way through all forks, past the two choices that are wanted."""

    def __init__(self, missing: Pairs, wanted: int) -> None:
        self._missing = missing
        self._wanted = wanted
        self.chosen = 0
        self._together = 0
        self._worth = [partners.bit_count() for partners in missing]
        self._gains: dict[_Fork, int] = {}

    def through(self, decision: Decision, fork: _Fork, turn: int) -> Any:
        way, option = self._best(fork, decision.options)
        self._choose(way.mask)
        parts = [self.through(*inner, turn) for inner in zip(option.decisions(), way.forks, strict=True)]
        return option.filled(turn, parts)

    def _choose(self, mask: int) -> None:
        """Make choices: each missing pair with one of them, or with one that is wanted, is now worth more."""
        if not mask:
            return
        self.chosen |= mask
        changed = 0
        for number in _bits((self.chosen | self._wanted) & ~self._together):
            self._together |= 1 << number
            changed |= self._missing[number]
            for partner in _bits(self._missing[number]):
                self._worth[partner] += 4
        if changed:
            self._gains = {fork: gain for fork, gain in self._gains.items() if not fork.reach & changed}

    def _best(self, fork: _Fork, options: Sequence[Option]) -> tuple[_Way, Option]:
        ways = zip(fork.ways, options, strict=True)
        if len(options) == 1:
            return next(ways)
        wanted = self._wanted & ~self.chosen & fork.reach
        return max((way for way in ways if self._leads(way[0], wanted)), key=lambda way: self._gain(way[0]))

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
        if fork not in self._gains:
            self._gains[fork] = max(map(self._gain, fork.ways))
        return self._gains[fork]


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
