"""Factors, and rows in which every two values of different factors stand together.

A row may be settled in part before: what is left open is chosen so that most combinations come with it that no row has
yet. Nothing is random; ties go to what stood together least, then to the first.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

Row = Mapping[str, str]
"""The value of each factor, by its name."""
Combination = tuple[str, ...]
"""Values that stand together, as `named` writes them, in order."""
_Held = tuple[tuple[str, ...], tuple[str, ...]]
"""Factors that stand together, by name, and the values that they have in a row."""


class Factor(msgspec.Struct, frozen=True):
    """Something about a request or about what went before it that may be one of several."""

    name: str
    values: tuple[str, ...]


def named(row: Row) -> Combination:
    """The values of a row as text, in order."""
    return tuple(sorted(f"{name}={value}" for name, value in row.items()))


def row_of(values: Sequence[str]) -> Row:
    """The row that `named` has written so."""
    return {name: value for name, _, value in (text.partition("=") for text in values)}


def pairs_of(values: Sequence[str]) -> Iterator[Combination]:
    """Every two values of a row, which `named` has put in order."""
    return itertools.combinations(values, 2)


def drawn(
    factors: Sequence[Factor],
    chance: random.Random,
    *,
    settled: Row = MappingProxyType({}),
    is_possible: Callable[[Row], bool] = lambda row: True,
) -> Row:
    """A row with these values, and any that there can be for the other factors."""
    row = dict(settled)
    for factor in factors:
        if row.get(factor.name) not in factor.values:
            row[factor.name] = chance.choice([v for v in factor.values if is_possible({**row, factor.name: v})])
    return row


class Design:
    """Rows over some factors, made one after the other.

    ``triples`` are factors of which every three values are to stand together, not every two alone. ``is_possible``
    says of a row, whole or not, whether there can be one like it. A row with one of the ``masking`` values, of its
    factor, shows nothing of the others: of its combinations those alone count that have this factor.
    """

    def __init__(
        self,
        factors: Sequence[Factor],
        *,
        triples: Sequence[tuple[str, str, str]] = (),
        masking: Row = MappingProxyType({}),
        is_possible: Callable[[Row], bool] = lambda row: True,
    ) -> None:
        self._factors = {factor.name: factor for factor in factors}
        self._together = [*itertools.combinations(self._factors, 2), *triples]
        self._with = {name: [names for names in self._together if name in names] for name in self._factors}
        self._masking = masking
        self._is_possible = is_possible
        self._met: Counter[_Held] = Counter()

    def rows(self) -> Iterator[Row]:
        """Rows until no combination is missing."""
        for names in self._together:
            for values in itertools.product(*(self._factors[name].values for name in names)):
                row = dict(zip(names, values, strict=True))
                # A row with a masking value has not what it was begun for; the next one counts on that.
                while self._is_possible(row) and (names, values) not in self._met:
                    yield self.complete(row)

    def complete(self, settled: Row, open_factors: Sequence[str] | None = None) -> Row:
        """A row with these values, and the best ones for the other factors, or for those that are named."""
        row = dict(settled)
        for name in self._factors if open_factors is None else open_factors:
            if name not in row:
                possible = [v for v in self._factors[name].values if self._is_possible({**row, name: v})]
                row[name] = max(possible, key=lambda value: self._worth({**row, name: value}, name))
        self._met.update(self._held(row, self._together))
        return row

    def _worth(self, row: Row, name: str) -> tuple[int, int]:
        times = [self._met[held] for held in self._held(row, self._with[name])]
        return times.count(0), -sum(times)

    def _held(self, row: Row, together: Sequence[tuple[str, ...]]) -> Iterator[_Held]:
        """The combinations that a row has of those factors that stand together."""
        masks = {name for name, value in self._masking.items() if row.get(name) == value}
        for names in together:
            if row.keys() >= set(names) and masks <= set(names):
                yield names, tuple(row[name] for name in names)
