"""Every way to break what the schema says of a number or a text beyond its type."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from rules_harness.strategies.mutations.edits import Edit, Level, Make, Scene, put
from rules_harness.strategies.places import Place

_REQUIREMENT: Final = "validation.bounds"
_INT32: Final = 2**31
_EXACT: Final = 2**53
_INT64: Final = 2**63
_FRACTION: Final = 0.01
_BEYOND_DOUBLE: Final = msgspec.Raw(b"1e400")
_FAR_LENGTH: Final = 10_000

_DATE_TIMES: Final = (
    ("empty", "", "an empty text"),
    ("text", "not a date", "a text that is not a date"),
    ("word", "tomorrow", "a word"),
    ("epoch", "1893456000", "seconds since 1970 as text"),
    ("date-only", "{year}-03-01", "a date without time"),
    ("no-offset", "{year}-03-01T09:00:00", "a time without offset"),
    ("offset-25", "{year}-03-01T09:00:00+25:00", "an offset of 25 hours"),
    ("month-13", "{year}-13-01T09:00:00Z", "month 13"),
    ("day-0", "{year}-03-00T09:00:00Z", "day 0"),
    ("february-30", "{year}-02-30T09:00:00Z", "30 February"),
    ("february-29", "{common_year}-02-29T09:00:00Z", "29 February of a year that is not a leap year"),
    ("hour-24", "{year}-03-01T24:00:00Z", "hour 24"),
    ("hour-25", "{year}-03-01T25:00:00Z", "hour 25"),
    ("minute-60", "{year}-03-01T09:60:00Z", "minute 60"),
    ("second-61", "{year}-03-01T09:00:61Z", "second 61"),
    ("year-2-digits", "99-03-01T09:00:00Z", "a year of two digits"),
    ("day-first", "01/03/{year} 09:00:00", "a date as many countries write it"),
    ("text-after", "{year}-03-01T09:00:00Z x", "a date and further text"),
    ("line-end", "{year}-03-01T09:00:00Z\n", "a date and the end of its line"),
    ("lines", "from\n{year}-03-01T09:00:00Z\nto", "a date between other lines"),
)
"""Texts that no date-time of RFC 3339, section 5.6 is.  Leap seconds, a lower-case `t` or `z` and a space between date
and time are left out: the RFC has them."""
_LENIENT_DATE_TIMES: Final = (
    ("no-seconds", "{year}-03-01T09:00Z", "a time without seconds"),
    ("offset-without-colon", "{year}-03-01T09:00:00+0100", "an offset without colon"),
    ("comma", "{year}-03-01T09:00:00,500Z", "a comma before the fraction"),
    ("week-date", "{year}-W10-1T09:00:00Z", "a date by its week"),
)
"""Texts that RFC 3339 does not have and ISO 8601 has, with one meaning."""

_UUIDS: Final = (
    ("empty", "", "an empty text"),
    ("text", "not-a-uuid", "a text that is not a UUID"),
    ("short", "6f1c2f3e-8a1d-4c5b-9e7f-0a1b2c3d4e5", "a UUID without its last digit"),
    ("letter", "6f1c2f3e-8a1d-4c5b-9e7f-0a1b2c3d4e5g", "a UUID with a letter beyond f"),
)
_FORMATS: Final = {"date-time": _DATE_TIMES, "uuid": _UUIDS}


def number_violations(place: Place) -> Iterator[Edit]:
    """Fractions of what is counted, and numbers beyond each bound: by one, by little, by far, and beyond a double."""
    if not place.types & {"integer", "number"}:
        return
    cents = place.offers("amount")
    whole = "number" not in place.types
    if whole:
        yield Edit("type", "type:fraction", "a fraction", put(1.5), _REQUIREMENT, level="must" if cents else "should")
    for keyword, equal in (("minimum", False), ("exclusiveMinimum", True)):
        if keyword in place.keywords:
            yield from _below(keyword, place.keywords[keyword], whole=whole, cents=cents, equal=equal)
    risky = cents or place.offers("percentage")
    for keyword, equal in (("maximum", False), ("exclusiveMaximum", True)):
        if keyword in place.keywords:
            yield from _above(keyword, place.keywords[keyword], whole=whole, risky=risky, equal=equal)
    if "multipleOf" in place.keywords:
        unit = place.keywords["multipleOf"]
        yield Edit(
            "multipleOf", "multipleOf:between", "between two multiples", put(unit * 1.5), _REQUIREMENT, level="should"
        )


def _below(keyword: str, bound: float, *, whole: bool, cents: bool, equal: bool) -> Iterator[Edit]:
    level: Level = "must" if cents else "should"

    def far(_value: Any, scene: Scene) -> float:
        return bound - (scene.world.max_amount_in_cents if cents else _INT32 + 1)

    if equal:
        yield _number(keyword, "equal", "the excluded bound", put(bound), level)
    yield _number(keyword, "-1", "one too small", put(bound - 1), level)
    if not whole:
        yield _number(keyword, "-0.01", "a little too small", put(bound - _FRACTION), level)
    yield _number(keyword, "-far", "far too small", far, level)


def _above(keyword: str, bound: float, *, whole: bool, risky: bool, equal: bool) -> Iterator[Edit]:
    far = _INT64 if bound >= _INT32 else bound * 10 + 1
    if equal:
        yield _number(keyword, "equal", "the excluded bound", put(bound), "should", risky=risky)
    yield _number(keyword, "+1", "one too large", put(bound + 1), "should", risky=risky)
    if not whole:
        yield _number(keyword, "+0.01", "a little too large", put(bound + _FRACTION), "should", risky=risky)
    yield _number(keyword, "+far", "far too large", put(far), "should", risky=risky)
    if bound < _EXACT:
        yield _number(
            keyword, "beyond-exact", "beyond 2^53, where doubles skip numbers", put(_EXACT + 1), "should", risky=risky
        )
    yield _number(keyword, "beyond-double", "beyond what a double holds", put(_BEYOND_DOUBLE), "should", risky=risky)


def _number(keyword: str, name: str, detail: str, make: Make, level: Level, *, risky: bool = False) -> Edit:
    return Edit(keyword, f"{keyword}:{name}", detail, make, _REQUIREMENT, level=level, risky=risky)


def text_violations(place: Place) -> Iterator[Edit]:
    """Texts that are too short, too long, of another pattern or of another format."""
    if "string" not in place.types:
        return
    keywords = place.keywords
    least, most = keywords.get("minLength", 0), keywords.get("maxLength")
    if least > 0:
        yield _text("minLength", "empty", "an empty text", put(""))
    if least > 1:
        yield _text("minLength", "-1", "a character too few", lambda value, _scene: value[: least - 1])
    if most is not None:
        yield _text("maxLength", "+1", "a character too many", _padded(most + 1))
        yield _text("maxLength", "+far", "far too many characters", _padded(most + _FAR_LENGTH))
    if "pattern" in keywords:
        unlike = [text for text in ("", "!", " ", "a", "0", "\n") if re.search(keywords["pattern"], text) is None]
        yield from (_text("pattern", "unlike", "a text of another pattern", put(text)) for text in unlike[-1:])
    for name, text, detail in _FORMATS.get(str(keywords.get("format")), ()):
        yield _text("format", name, detail, _dated(text))
    if keywords.get("format") == "date-time":
        for name, text, detail in _LENIENT_DATE_TIMES:
            yield Edit("format", f"format:{name}", detail, _dated(text, 2), reading="reading.lenient-date-times")


def _text(keyword: str, name: str, detail: str, make: Make) -> Edit:
    return Edit(keyword, f"{keyword}:{name}", detail, make, _REQUIREMENT, level="should")


def _padded(length: int) -> Make:
    return lambda value, _scene: str(value or "").ljust(length, "x")


def _dated(template: str, years: int = 1) -> Make:
    """The template with the years of instants that lie ahead."""

    def make(_value: Any, scene: Scene) -> str:
        year = scene.world.now.year + years
        return template.format(
            year=year, common_year=next(after for after in range(year, year + 3) if not calendar.isleap(after))
        )

    return make
