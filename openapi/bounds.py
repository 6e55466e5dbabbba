"""How large a document from somebody else may be and how deep its values may lie, before anything walks through it.

A few bytes can stand for a thousand levels, or, where aliases repeat what repeats others, for billions of values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

MOST_BYTES: Final = 8 * 1024 * 1024
MOST_DEPTH: Final = 100
MOST_VALUES: Final = 500_000
"""Names included, and each as often as aliases repeat it; the packaged contract has 3,700, and a document of 500
operations some 300,000."""

TOO_DEEP: Final = f"is nested more than {MOST_DEPTH} deep"
TOO_MANY: Final = f"has more than {MOST_VALUES:,} values"


class Unbounded(ValueError):
    """A document is too large, too deep or endless; the message is the rest of a sentence that begins with its name."""


def read(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a file. Raises `Unbounded` where there are more than ``most``, and OSError."""
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise Unbounded(f"is larger than {most // 1024:,} KiB")
    return content


def check(value: Any) -> None:
    """Raises `Unbounded` for a value, as JSON has them, that is too deep or of too many values."""
    level, seen = [value], 0
    for _ in range(MOST_DEPTH + 1):
        seen += len(level)
        if seen > MOST_VALUES:
            raise Unbounded(TOO_MANY)
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise Unbounded(TOO_DEEP)
