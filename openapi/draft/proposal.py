"""One thing that is probably so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec


class Proposal(msgspec.Struct, frozen=True):
    """What to add at a place of the document (a JSON pointer), and why."""

    place: str
    update: dict[str, Any]
    reason: str


def role(place: str, name: str, reason: str, **further: Any) -> Proposal:
    """A field or header that has a role."""
    return Proposal(place, {"x-role": name, **further}, reason)


def first(names: Iterable[str], *patterns: str) -> str | None:
    """The name that fits the earliest of the patterns, whole and whatever its case and its separators."""
    plain = {name: re.sub(r"[^a-z0-9]", "", name.lower()) for name in names}
    fits = (name for pattern in patterns for name in plain if re.fullmatch(pattern, plain[name]))
    return next(fits, None)
