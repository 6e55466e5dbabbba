"""What is done about a request that is left without an answer: does the target still answer others, and this one again?

A request that hangs a target, or ends its process, takes the blame only where that shows twice: a target that was
restarted by somebody, or was slow for a moment, is waited for, and the run goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec

from rules_harness.harness.exchange import Aftermath, Answer, Request, TransportFault
from rules_harness.harness.wire.attempts import Attempts, Delivery, ReadyRequest
from rules_harness.harness.wire.breaker import Breaker
from rules_harness.harness.wire.retrying import IDEMPOTENT

_RETURN: Final = 6
"""For so many time limits of a request a target is waited for that answers nothing."""
_LOST: Final = 30
"""After so many time limits, spent waiting for answers that never came, the target is left alone."""
_PAUSE: Final = 0.05
"""Of a time limit: how long after a probe the next is sent."""
_UNREACHED: Final = (502, 503, 504)
"""What a proxy says of a target that is not there."""
_LONGEST_NAME: Final = 80


class Recovery:
    """For one target; may be used by several threads, whose requests are looked into one after the other."""

    def __init__(
        self, attempts: Attempts, breaker: Breaker, ready: Callable[[Request], ReadyRequest], timeout_seconds: float
    ) -> None:
        self._attempts = attempts
        self._breaker = breaker
        self._ready = ready
        self._timeout = timeout_seconds
        self._turn = threading.Lock()
        self._lost = 0.0

    def settled(self, ready: ReadyRequest, attempt: Delivery, *, is_repeatable: bool) -> Delivery:
        """The attempt that stands: this one, marked with what came after it, or another.

        Only one that ``is_repeatable`` is sent once more, if its method is idempotent or it never left.  Raises what
        `Attempts.one` raises.
        """
        if ready.restoring or not _is_unanswered(attempt) or self._breaker.canary is None:
            return attempt
        with self._attempts.probing(), self._turn:
            began = time.monotonic()
            try:
                return self._looked_into(ready, attempt, is_repeatable=is_repeatable)
            finally:
                self._count(attempt, time.monotonic() - began)

    def _looked_into(self, ready: ReadyRequest, attempt: Delivery, *, is_repeatable: bool) -> Delivery:
        if not self._answers() and not self._comes_back(ready.request, attempt.outcome):
            return _marked(attempt, "gone")
        if not is_repeatable or not (attempt.is_unreached or ready.request.method in IDEMPOTENT):
            return attempt
        again = self._attempts.one(msgspec.structs.replace(ready, probing=True))
        if attempt.is_unreached or isinstance(attempt.outcome, Answer):
            # It never left, or a proxy answered in the target's place: neither is an outcome of this request.
            return again if isinstance(again.outcome, Answer) else attempt
        if not _is_unanswered(again):
            return attempt
        if self._answers():
            return _marked(attempt, "again")
        return _marked(attempt, "down" if self._comes_back(ready.request, attempt.outcome) else "gone")

    def _answers(self) -> bool:
        """Whether a request without effect is answered, as it was before."""
        canary = self._breaker.canary
        assert canary is not None  # there was one, and it is only replaced
        outcome = self._attempts.one(msgspec.structs.replace(self._ready(canary), probing=True)).outcome
        return isinstance(outcome, Answer) and outcome.status not in _UNREACHED

    def _comes_back(self, request: Request, outcome: Answer | TransportFault) -> bool:
        """Whether the target answers again before it has been waited for long enough."""
        until = time.monotonic() + _RETURN * self._timeout
        while time.monotonic() < until and not self._breaker.is_down:
            time.sleep(_PAUSE * self._timeout)
            if self._answers():
                return True
        seconds = f"{_RETURN * self._timeout:.0f} s"
        self._breaker.trip("connection", f"nothing is answered since {_told(request, outcome)}; {seconds} were waited")
        return False

    def _count(self, attempt: Delivery, seconds: float) -> None:
        self._lost += attempt.ended - attempt.started + seconds
        if self._lost > _LOST * self._timeout:
            self._breaker.trip("connection", f"{self._lost:.0f} s were spent waiting for answers that never came")


def _is_unanswered(attempt: Delivery) -> bool:
    outcome = attempt.outcome
    if isinstance(outcome, Answer):
        return outcome.status in (502, 504)
    return outcome.kind in ("connect", "proxy", "timeout", "closed")


def _marked(attempt: Delivery, aftermath: Aftermath) -> Delivery:
    if isinstance(attempt.outcome, Answer) or attempt.is_unreached:
        return attempt
    return msgspec.structs.replace(attempt, outcome=msgspec.structs.replace(attempt.outcome, aftermath=aftermath))


def _told(request: Request, outcome: Answer | TransportFault) -> str:
    """A request in words, and what came of it."""
    target = request.target if len(request.target) <= _LONGEST_NAME else f"{request.target[:_LONGEST_NAME]}…"
    size = "" if request.body is None else f" with {len(request.body.content):,} bytes"
    what = outcome.detail if isinstance(outcome, TransportFault) else f"{outcome.status}"
    return f"{request.method} {target}{size} ({what})"
