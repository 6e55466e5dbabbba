"""Draws from strategies in bulk, outside of a test: Hypothesis generates, the campaign decides what becomes of it."""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")
_AT_ONCE: Final = 16
"""Starting Hypothesis costs as much as a few draws."""


class Supply(Generic[T]):
    """Values of one strategy, drawn a few at a time; used by one thread at a time."""

    def __init__(self, strategy: SearchStrategy[T], number: int, *, at_once: int = _AT_ONCE) -> None:
        """``number`` decides what is drawn."""
        self._strategy = strategy
        self._number = number
        self._at_once = at_once
        self._drawn: deque[T] = deque()

    def take(self) -> T:
        """The next value."""
        if not self._drawn:
            self._number += 1
            self._drawn.extend(draw(self._strategy, self._at_once, self._number))
        return self._drawn.popleft()


def draw(strategy: SearchStrategy[T], count: int, number: int) -> list[T]:
    """Some values of a strategy, at least one and at most ``count``; the same for the same ``number``."""
    values: list[T] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: T) -> None:
        values.append(value)

    collect()
    return values
