"""Combinators for values of which some can be listed outright: those take one choice of Hypothesis's instead of many.

Most of the time that Hypothesis takes for a value goes into the number of its choices. Small sets of values are
therefore put together before anything is drawn; the first of them is the simplest, which is what they shrink to.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec
from hypothesis import strategies as st

MOST_LISTED: Final = 64
ABSENT: Final = object()
"""Stands for a field that is left out."""


class Listed(msgspec.Struct, frozen=True, eq=False):
    """One of these values; some stand more than once, to be drawn as often as larger sets beside them."""

    values: tuple[Any, ...]


Made: TypeAlias = Listed | st.SearchStrategy[Any]
NOTHING: Final = Listed(())


def is_empty(made: Made) -> bool:
    """Whether there is no value."""
    return not made.values if isinstance(made, Listed) else made.is_empty


def strategy_of(made: Made) -> st.SearchStrategy[Any]:
    """Values are shared between draws where they are listed; `fresh` makes them one's own."""
    if isinstance(made, Listed):
        return st.sampled_from(made.values) if made.values else st.nothing()
    return made


def either(*options: Made) -> Made:
    """One of these, each as often as any other, as far as that takes no long list."""
    filled = [option for option in options if not is_empty(option)]
    listed = [option.values for option in filled if isinstance(option, Listed)]
    if len(filled) == 1:
        return filled[0]
    if len(listed) == len(filled) and sum(map(len, listed)) <= MOST_LISTED:
        longest = max(map(len, listed), default=0)
        often = longest * len(listed) <= MOST_LISTED
        return Listed(
            tuple(itertools.chain.from_iterable(values * (longest // len(values) if often else 1) for values in listed))
        )
    return st.one_of([strategy_of(option) for option in filled])


def record(fields: Mapping[str, Made], settings: Sequence[Mapping[str, Any]] = ({},)) -> Made:
    """Objects that begin with one of the `settings` and have these fields behind it, in this order."""
    names = tuple(fields)
    listed = [field.values for field in fields.values() if isinstance(field, Listed)]
    if len(listed) == len(names) and len(settings) * math.prod(map(len, listed)) <= MOST_LISTED:
        return Listed(tuple(_object(first, names, drawn) for first in settings for drawn in itertools.product(*listed)))
    drawn = [strategy_of(field) for field in fields.values()]
    if len(settings) == 1:
        return st.tuples(*drawn).map(lambda values: _object(settings[0], names, values))
    return st.tuples(st.sampled_from(settings), *drawn).map(lambda values: _object(values[0], names, values[1:]))


def _object(first: Mapping[str, Any], names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {**first, **{name: value for name, value in zip(names, values, strict=True) if value is not ABSENT}}


def fresh(value: Any) -> Any:
    """A copy of a JSON value that shares no object or array with it."""
    if isinstance(value, dict):
        return {name: fresh(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [fresh(inner) for inner in value]
    return value
