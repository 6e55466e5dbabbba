"""Whether a request is sent again, and what a target that asks for patience is granted.

Only where that cannot blur a verdict: after a 425 or 429, or a 503 that says when (RFC 9110, section 10.2.3); once
after a 502 or 504, which stand for a proxy's trouble; and once where a kept connection turned out to be closed before
one byte of an answer came, if the method is idempotent (section 9.2.2).
"""

from __future__ import annotations

import re
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from rules_harness.harness.exchange import Answer, TransportFault

USUAL_PAUSE: Final = 1.0
"""Seconds; for a 429 without Retry-After, and wherever that is neither a number of seconds nor an HTTP date."""
LONGEST_ASKED: Final = 10**9
"""Seconds, some thirty years: whatever is more is as good as this."""
IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT"})
_DEFERRALS: Final = 3
_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


class Retries:
    """What one request has left of them."""

    def __init__(self, method: str) -> None:
        self._is_idempotent = method in IDEMPOTENT
        self._deferred = 0
        self._gateway = 0
        self._stale = 0

    def is_due(self, outcome: Answer | TransportFault, *, was_stale: bool) -> bool:
        """Whether the request is to be sent again; otherwise this outcome stands."""
        if isinstance(outcome, TransportFault):
            self._stale += 1
            return was_stale and self._is_idempotent and self._stale == 1
        if outcome.status in (502, 504):
            self._gateway += 1
            return self._gateway == 1
        self._deferred += 1
        return seconds_asked(outcome) is not None and self._deferred <= _DEFERRALS


def seconds_asked(outcome: Answer | TransportFault) -> float | None:
    """For how long the target wants to be left alone; ``None`` where an outcome does not ask for that."""
    if isinstance(outcome, TransportFault):
        return None
    if not outcome.is_put_off:
        return None
    value = outcome.header("Retry-After")
    return USUAL_PAUSE if value is None else min(_seconds(value.strip()), LONGEST_ASKED)


def _seconds(value: str) -> float:
    """What a Retry-After says: seconds, a fraction of them included, or an HTTP date."""
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - time.time())
    except (ValueError, IndexError, TypeError, OverflowError):
        return USUAL_PAUSE
