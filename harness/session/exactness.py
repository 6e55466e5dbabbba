"""Whether a rule can be put back as it was read: what is recorded of it is compared with what stood in the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from rules_harness.harness.exchange import Answer
from rules_harness.harness.journal import FoundRule, record_of
from rules_harness.harness.target.cleaning import Cleaner, UnknownKey

_Number = Decimal | None
"""``None`` for what is no number, or too large for any: it is equal to nothing."""


def cannot_be_kept(answer: Answer, data: str, found: FoundRule, cleaner: Cleaner) -> str | None:
    """Why a record of a rule does not say exactly what was read, if so; the rule stands under the name ``data``.

    A number may have more digits than are kept of one, or be too large; a text may hold half a character, which no
    UTF-8 can say; a key may stand there in a spelling that no record can say.
    """
    try:
        recorded = record_of(msgspec.json.encode(found))
        kept = cleaner.recalled_value(recorded.state) if isinstance(recorded, FoundRule) else None
        read = json.loads(answer.body.content, parse_float=_number, parse_int=_number, parse_constant=lambda name: ...)
    except UnknownKey as error:
        return str(error)
    except (ValueError, OverflowError, RecursionError):
        return "nobody can say what it holds"
    place = next(_unlike(read[data], kept), None)
    return None if place is None else f"what it holds at {place or '/'} cannot be put back exactly as it is"


def _number(digits: str) -> _Number:
    try:
        return Decimal(digits)
    except InvalidOperation:
        return None


def _unlike(read: Any, kept: Any) -> Iterator[str]:
    """Where two JSON values differ, the numbers of the first as decimals."""
    left: list[tuple[str, Any, Any]] = [("", read, kept)]
    while left:
        place, one, other = left.pop()
        if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
            left += ((f"{place}/{name}", value, other[name]) for name, value in one.items())
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            left += ((f"{place}/{index}", *pair) for index, pair in enumerate(zip(one, other, strict=True)))
        elif not _is_same(one, other):
            yield place


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, Decimal):
        return type(other) in (int, float) and one == Decimal(other if isinstance(other, int) else repr(other))
    return type(one) is type(other) and bool(one == other)
