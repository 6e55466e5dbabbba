"""Whether a request is sent again, and after how long.

Only where that cannot blur a verdict: after a 429, or a 503 that says when (RFC 9110, section 10.2.3); once after a 502
or 504, which stand for a proxy's trouble; and once where a kept connection turned out to be closed before one byte of
an answer came, if the method is idempotent (section 9.2.2).
"""

from __future__ import annotations

import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from rules_harness.harness.exchange import Answer, TransportFault

LONGEST_PAUSE: Final = 60.0
"""Seconds; a target that asks for more is asked again after this."""
_BACK_OFF: Final = (0.5, 1.0, 2.0)
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT"})


class Retries:
    """What one request has left of them."""

    def __init__(self, method: str) -> None:
        self._is_idempotent = method in _IDEMPOTENT
        self._asked = 0
        self._gateway = 0
        self._stale = 0

    def wait(self, outcome: Answer | TransportFault, *, was_stale: bool) -> float | None:
        """Seconds until the next attempt; ``None`` where this outcome stands."""
        if isinstance(outcome, TransportFault):
            self._stale += 1
            return 0.0 if was_stale and self._is_idempotent and self._stale == 1 else None
        if outcome.status in (502, 504):
            self._gateway += 1
            return 0.0 if self._gateway == 1 else None
        if outcome.status not in (429, 503):
            return None
        asked = _retry_after(outcome.header("Retry-After"))
        if self._asked == len(_BACK_OFF) or (asked is None and outcome.status == 503):
            return None
        self._asked += 1
        return _BACK_OFF[self._asked - 1] if asked is None else min(asked, LONGEST_PAUSE)


def _retry_after(value: str | None) -> float | None:
    """Seconds or an HTTP date (RFC 9110, section 10.2.3); ``None`` for anything else."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, IndexError, TypeError):
        return None
    return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - time.time())
