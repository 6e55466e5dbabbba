"""Strategies for numbers and strings from the keywords of a schema. No value is filtered out, lengths of patterned
text aside."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from hypothesis import strategies as st

from rules_harness.strategies.drawing import Listed, Made, either
from rules_harness.strategies.text import any_text

_FORMAT_BOUNDS: Final = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_FEW: Final = 16
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LEAST_SECOND: Final = int((datetime(1, 1, 2, tzinfo=UTC) - _EPOCH).total_seconds())
_MOST_SECOND: Final = int((datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH).total_seconds())
_FRACTIONS: Final = (0, 0, 500_000, 123_000, 1_000, 999_999)
_ZONES: Final = ("Z", "Z", "+00:00", "-00:00", "+05:45", "-11:30", "+14:00")
_DATES: Final = (
    "1970-01-01T00:00:00Z",
    "2024-02-29T23:59:59Z",
    "2038-01-19T03:14:08Z",
    "9999-12-31T23:59:59Z",
    "2031-03-30T02:30:00+01:00",
)


class _Range:
    """The numbers that a schema allows: both ends, each allowed or not, and the step between them."""

    def __init__(self, keywords: Mapping[str, Any]) -> None:
        least, most = _FORMAT_BOUNDS.get(keywords.get("format", ""), (None, None))
        lower = [Fraction(str(value)) for value in (keywords.get("minimum"), least) if value is not None]
        upper = [Fraction(str(value)) for value in (keywords.get("maximum"), most) if value is not None]
        above = keywords.get("exclusiveMinimum")
        beneath = keywords.get("exclusiveMaximum")
        self.least = max([*lower, *([Fraction(str(above))] if above is not None else [])], default=None)
        self.most = min([*upper, *([Fraction(str(beneath))] if beneath is not None else [])], default=None)
        self.open_below = above is not None and self.least == Fraction(str(above))
        self.open_above = beneath is not None and self.most == Fraction(str(beneath))
        self.step = Fraction(str(keywords["multipleOf"])) if "multipleOf" in keywords else None

    def counts(self, step: Fraction) -> tuple[int | None, int | None]:
        """The least and the most k for which k * step is in the range."""
        least = most = None
        if self.least is not None:
            least = math.floor(self.least / step) + 1 if self.open_below else math.ceil(self.least / step)
        if self.most is not None:
            most = math.ceil(self.most / step) - 1 if self.open_above else math.floor(self.most / step)
        return least, most

    def multiples(self, step: Fraction) -> Made:
        """Every multiple of step in the range; the ends among them often."""
        least, most = self.counts(step)
        if least is not None and most is not None:
            if most - least < _FEW:
                return Listed(tuple(_plain(count * step) for count in range(least, most + 1)))
            return _stepped(st.integers(least, most), step)
        ends = [end for end in (least, most) if end is not None]
        return _stepped(st.integers(least, most) | st.sampled_from(ends) if ends else st.integers(), step)

    def floats(self) -> st.SearchStrategy[float]:
        least = None if self.least is None else _inward(self.least, math.inf)
        most = None if self.most is None else _inward(self.most, -math.inf)
        exclude_min = self.open_below and least == self.least
        exclude_max = self.open_above and most == self.most
        if (
            least is not None
            and most is not None
            and (least > most or (least == most and (exclude_min or exclude_max)))
        ):
            return st.nothing()
        return st.floats(
            least, most, allow_nan=False, allow_infinity=False, exclude_min=exclude_min, exclude_max=exclude_max
        )


def _inward(bound: Fraction, direction: float) -> float:
    """The double at the bound, or the next one in this direction."""
    try:
        value = float(bound)
    except OverflowError:
        value = math.copysign(sys.float_info.max, bound)
    beyond = Fraction(value) < bound if direction > 0 else Fraction(value) > bound
    return math.nextafter(value, direction) if beyond else value


def _stepped(counts: st.SearchStrategy[int], step: Fraction) -> st.SearchStrategy[int | float]:
    return counts if step == 1 else counts.map(lambda count: _plain(count * step))


def _plain(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)


def integers(keywords: Mapping[str, Any]) -> Made:
    """Every integer that the keywords allow, written without a fraction."""
    bounds = _Range(keywords)
    return bounds.multiples(_whole(bounds.step))


def numbers(keywords: Mapping[str, Any]) -> Made:
    """Every number that the keywords allow; doubles, and integers of any size."""
    bounds = _Range(keywords)
    if bounds.step is None:
        return either(integers(keywords), bounds.floats())
    return bounds.multiples(bounds.step)


def _whole(step: Fraction | None) -> Fraction:
    """Of which integers are multiples that are multiples of `step`."""
    return Fraction(1 if step is None else step.numerator)


def ends_of(keywords: Mapping[str, Any], *, whole: bool) -> tuple[int | float, int | float] | None:
    """The least and the most number, or integer if `whole`, that the keywords allow, where they set both ends."""
    bounds = _Range(keywords)
    if bounds.least is None or bounds.most is None:
        return None
    step = _whole(bounds.step) if whole else bounds.step
    if step is None:
        return None if bounds.open_below or bounds.open_above else (_plain(bounds.least), _plain(bounds.most))
    least, most = bounds.counts(step)
    return None if least is None or most is None or least > most else (_plain(least * step), _plain(most * step))


def strings(keywords: Mapping[str, Any]) -> st.SearchStrategy[str]:
    """Every string that the keywords allow."""
    if keywords.get("format") == "date-time":
        return _sized(date_times(), keywords)
    if keywords.get("format") == "uuid":
        return _sized(st.uuids().map(str), keywords)
    if "pattern" in keywords:
        return _sized(_matching(keywords["pattern"]), keywords)
    return any_text(min_size=keywords.get("minLength", 0), max_size=keywords.get("maxLength"))


def _sized(texts: st.SearchStrategy[str], keywords: Mapping[str, Any]) -> st.SearchStrategy[str]:
    if "minLength" not in keywords and "maxLength" not in keywords:
        return texts
    least, most = keywords.get("minLength", 0), keywords.get("maxLength", math.inf)
    return texts.filter(lambda text: least <= len(text) <= most)


def _matching(pattern: str) -> st.SearchStrategy[str]:
    """Text in which the pattern is found. Its final `$` is the end of the text, as ECMA-262 has it, with no line
    break behind it."""
    ends = pattern.endswith("$") and not pattern.endswith("\\$")
    compiled = re.compile(pattern[:-1] + r"\Z" if ends else pattern, re.ASCII)
    return st.from_regex(compiled, alphabet=st.characters(exclude_categories=["Cs"]))


def date_times() -> st.SearchStrategy[str]:
    """RFC 3339 date-times of the years 1 to 9999, with and without fractions and offsets, the simplest on
    2000-01-01."""

    def text(seconds: int, microseconds: int, zone: str) -> str:
        return instant_text(_EPOCH + timedelta(seconds=seconds, microseconds=microseconds), zone)

    drawn = st.builds(
        text, st.integers(_LEAST_SECOND, _MOST_SECOND), st.sampled_from(_FRACTIONS), st.sampled_from(_ZONES)
    )
    return drawn | st.sampled_from(_DATES)


def instant_text(instant: datetime, zone: str = "Z") -> str:
    """An aware UTC instant as RFC 3339 writes it at this offset (`Z` or `±hh:mm`), with the fraction it has and no
    digit more."""
    if zone != "Z":
        sign = -1 if zone[0] == "-" else 1
        instant += sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    text = instant.replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if instant.microsecond else text) + zone
