"""Amounts: counted in cents here, and written as the document wants them, as whole cents or as decimals."""

from __future__ import annotations

import re
from typing import Any, Final

from rules_harness.strategies.place import Place

_DECIMAL: Final = re.compile(r"(\d+)\.(\d{2})")


def as_written(place: Place, cents: int) -> int | str:
    """An amount as it stands at a place: ``1234``, or ``"12.34"`` where the place takes text."""
    return f"{cents // 100}.{cents % 100:02}" if "string" in place.types else cents


def in_cents(value: Any) -> int | None:
    """The cents of an amount in either spelling; ``None`` where it is in neither."""
    if isinstance(value, str) and (match := _DECIMAL.fullmatch(value)):
        return int(match[1]) * 100 + int(match[2])
    return value if isinstance(value, int) and not isinstance(value, bool) else None
