"""What an Idempotency-Key looks like: one that is to be new again must keep what is odd about it."""

from __future__ import annotations

import functools
import uuid
from typing import Final, Literal

Form = Literal["uuid", "text", "short"]
_SHORT: Final = 16
"""Keys shorter than this stay as they are: what is odd in them is all there is of them."""


@functools.lru_cache(maxsize=1024)
def form_of(key: str) -> Form:
    """The form of a key: a UUID, a text whose letters and digits may be exchanged, or one too short for that."""
    try:
        is_uuid = str(uuid.UUID(key)) == key.lower()
    except ValueError:
        is_uuid = False
    if is_uuid:
        return "uuid"
    return "text" if len(key) >= _SHORT else "short"
