"""What a campaign has reached: shapes, mutations, pairs of them and of factors, requirements by shape, kinds of
answer, scenarios."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from rules_harness.harness.campaign.messages import Reached
from rules_harness.harness.exchange import Answer, Exchange
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import all_shapes, is_suitable, unreachable_shapes
from rules_harness.strategies.design import Combination, Row, named, pairs_of
from rules_harness.strategies.mutations import Mutation, apply, catalogue
from rules_harness.strategies.pairs import all_pairs
from rules_harness.strategies.shapes import is_kind
from rules_harness.strategies.world import World

T = TypeVar("T")
SHAPES: Final = "shapes"
MUTATIONS: Final = "mutations"
PAIRS: Final = "pairs"
FACTORS: Final = "pairs of factors"
REQUIREMENTS: Final = "requirement x shape"
ANSWERS: Final = "answers"
SCENARIOS_RUN: Final = "scenarios"
_MISSED_SHOWN: Final = 200
_VARYING: Final = re.compile(r"\d+|\"[^\"]*\"|'[^']*'|[A-Za-z]*_?[0-9A-Z]{6,}\w*|[0-9a-f]{8}-[0-9a-f-]{27}")


class Map(msgspec.Struct, frozen=True):
    """The lists that the numbers of a coverage point into; equal wherever the contract and the world are."""

    shapes: tuple[str, ...]
    kinds: tuple[str, ...]
    """The shapes that say which trigger and which action a body has."""
    mutations: tuple[Mutation, ...]
    requirements: tuple[str, ...]
    factors: tuple[Combination, ...]
    """Every two values that an update can meet together."""


def _numbers(names: Sequence[T]) -> dict[T, int]:
    return {name: number for number, name in enumerate(names)}


def map_of(contract: Contract, world: World, *, risky: bool) -> Map:
    """The map of a target; ``risky`` counts mutations in that a lax target might carry out."""
    beyond = set(unreachable_shapes(contract, world)) if is_suitable(contract, world) else set()
    shapes = tuple(shape for shape in all_shapes(contract) if shape not in beyond)
    kinds = tuple(shape for shape in shapes if is_kind(shape))
    mutations = tuple(m for m in catalogue(contract) if m.is_to_be_refused and (risky or not m.risky))
    if is_suitable(contract, world):
        for mutation in mutations:
            # Done once before several threads do it: what the first one works out, the others look up.
            apply(contract, world, mutation)
    return Map(shapes, kinds, mutations, tuple(contract.requirements), tuple(sorted(all_pairs(contract))))


class Coverage:
    """What was reached so far, and what is new since it was last told; used by one thread at a time."""

    def __init__(self, chart: Map, reached: Reached | None = None) -> None:
        self.map = chart
        self._reached: dict[str, set[int | str]] = {
            name: set((reached or {}).get(name, ()))
            for name in (SHAPES, MUTATIONS, PAIRS, FACTORS, REQUIREMENTS, ANSWERS, SCENARIOS_RUN)
        }
        self._new: dict[str, list[int | str]] = {}
        self._shapes = _numbers(chart.shapes)
        self._kinds = _numbers(chart.kinds)
        self._requirements = _numbers(chart.requirements)
        self._factors = _numbers(chart.factors)

    def add(self, reached: Reached) -> None:
        """Take over what somebody else has reached."""
        for name, numbers in reached.items():
            self._reached.setdefault(name, set()).update(numbers)

    def add_shapes(self, shapes: Iterable[str]) -> None:
        self._note(SHAPES, self._shape_numbers(shapes))

    def add_mutation(self, number: int, kinds: Iterable[int]) -> None:
        """A mutation that was sent, done to a body with these kinds."""
        self._note(MUTATIONS, (number,))
        width = len(self.map.kinds)
        self._note(PAIRS, (number * width + kind for kind in kinds))

    def add_factors(self, values: Combination) -> None:
        """Values of factors that an answered request met together."""
        self._note(FACTORS, (self._factors[pair] for pair in pairs_of(values) if pair in self._factors))

    def least_met(self, rows: Sequence[Row]) -> Row:
        """Of some rows the one with most pairs that were not met yet; the first of equal ones."""
        reached = self._reached[FACTORS]
        return max(
            rows,
            key=lambda row: sum(
                pair in self._factors and self._factors[pair] not in reached for pair in pairs_of(named(row))
            ),
        )

    def add_scenario(self, name: str) -> None:
        """A scenario that was run, by its family and name."""
        self._note(SCENARIOS_RUN, (name,))

    def has_scenario(self, name: str) -> bool:
        return name in self._reached[SCENARIOS_RUN]

    def add_requirements(self, requirements: Iterable[str], shapes: Iterable[str]) -> None:
        """Requirements that an episode put to the test with bodies of these shapes."""
        numbers = self._requirements
        width = len(self.map.shapes)
        columns = list(self._shape_numbers(shapes))
        rows = (numbers[requirement] for requirement in requirements if requirement in numbers)
        self._note(REQUIREMENTS, (row * width + column for row in rows for column in columns))

    def is_new_answer(self, exchange: Exchange, code: Any, message: Any) -> bool:
        """Whether an answer is of a kind that was not seen before; a kind is its status, its code and its wording."""
        answer = exchange.answer
        if answer is None:
            return False
        wording = _VARYING.sub("#", message)[:80] if isinstance(message, str) else ""
        kind = f"{answer.status} {code if isinstance(code, str) else ''} {wording}".strip()
        return self._note(ANSWERS, (kind,))

    def kinds_of(self, shapes: Iterable[str]) -> tuple[int, ...]:
        return tuple(self._kinds[shape] for shape in shapes if shape in self._kinds)

    def unreached_mutations(self) -> list[int]:
        reached = self._reached[MUTATIONS]
        return [number for number in range(len(self.map.mutations)) if number not in reached]

    def unpaired(self, kinds: Sequence[int]) -> list[int]:
        """Mutations that were not yet done to a body with one of these kinds."""
        reached, width = self._reached[PAIRS], len(self.map.kinds)
        return [
            number
            for number in range(len(self.map.mutations))
            if any(number * width + kind not in reached for kind in kinds)
        ]

    def news(self) -> Reached:
        """What was reached since this was last asked."""
        new, self._new = self._new, {}
        return {name: tuple(numbers) for name, numbers in new.items()}

    def reached(self, *names: str) -> Reached:
        return {name: tuple(self._reached[name]) for name in names or tuple(self._reached)}

    def summary(self) -> dict[str, dict[str, Any]]:
        """How much of each kind was reached, as reports show it."""
        chart = self.map
        totals = {
            SHAPES: len(chart.shapes),
            MUTATIONS: len(chart.mutations),
            PAIRS: len(chart.mutations) * len(chart.kinds),
            FACTORS: len(chart.factors),
            REQUIREMENTS: len(chart.requirements) * len(chart.shapes),
        }
        counts: dict[str, dict[str, Any]] = {
            name: {"reached": len(self._reached[name]), "of": total} for name, total in totals.items()
        }
        names = (SHAPES, chart.shapes), (MUTATIONS, tuple(mutation.name for mutation in chart.mutations))
        for name, members in names:
            missing = [member for number, member in enumerate(members) if number not in self._reached[name]]
            counts[name]["missing"] = missing[:_MISSED_SHOWN]
        answers = len(self._reached[ANSWERS])
        counts[ANSWERS] = {"reached": answers, "of": answers}
        return counts

    def _shape_numbers(self, shapes: Iterable[str]) -> Iterable[int]:
        return (self._shapes[shape] for shape in shapes if shape in self._shapes)

    def _note(self, name: str, members: Iterable[int | str]) -> bool:
        reached = self._reached[name]
        new = [member for member in members if member not in reached]
        if new:
            reached.update(new)
            self._new.setdefault(name, []).extend(new)
        return bool(new)


def wording_of(contract: Contract, answer: Answer) -> tuple[Any, Any]:
    """The error code and the message of an answer, as far as it has them."""
    error = answer.first_part(contract.names.error)
    return error.get(contract.names.code), error.get(contract.names.message)
