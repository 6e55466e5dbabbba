"""When to leave a target alone: it cannot be reached, answers nothing but server errors, or wants to be left alone."""

from __future__ import annotations

import threading
import time
from typing import Final, Literal

from rules_harness.harness.exchange import Answer, Request, TransportFault
from rules_harness.harness.wire.retrying import seconds_asked

Reason = Literal["connection", "server-error", "deferred"]

_UNREACHED: Final = 10
_SERVER_ERRORS: Final = 20
_WITHOUT_EFFECT: Final = frozenset({401, 403, 404})
LONGEST_WAIT: Final = 60.0
"""Seconds for which a target may have the run wait until it answers; within a minute it ends or goes on."""
LONGEST_ROW: Final = 20.0
"""Seconds after which a target that has asked for patience every time is not asked once more."""


class TargetDown(Exception):
    """Nothing more is sent, for a ``reason``: ``connection``, ``server-error`` or ``deferred``."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason


class Breaker:
    """Counts what comes of requests; may be used by several threads.

    A target that answers 5xx to each of a series of odd requests is not down.  So before the last conclusion a request
    without effect, which was answered well before, is tried again: the *canary*.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unreached = 0
        self._server_errors = 0
        self._deferred_since: float | None = None
        self._down: TargetDown | None = None
        self.canary: Request | None = None

    @property
    def is_down(self) -> bool:
        return self._down is not None

    def check(self) -> None:
        """Raises `TargetDown`."""
        if self._down is not None:
            raise TargetDown(self._down.reason, str(self._down))

    def trip(self, reason: Reason, detail: str) -> None:
        """Leave the target alone from now on."""
        self._down = self._down or TargetDown(reason, detail)

    def suspicion(self) -> Request | None:
        """The canary, where its answer is to tell whether the target is down."""
        return self.canary if self._server_errors >= _SERVER_ERRORS and not self.is_down else None

    def record(self, request: Request, outcome: Answer | TransportFault) -> None:
        """Take notice of what came of one attempt."""
        with self._lock:
            asked = seconds_asked(outcome)
            if asked is not None:
                self._record_deferral(asked)
            elif isinstance(outcome, Answer):
                self._record_answer(request, outcome)
            elif outcome.kind in ("connect", "proxy", "timeout"):
                self._unreached += 1
                if self._unreached >= _UNREACHED:
                    self.trip("connection", f"{self._unreached} times in a row: {outcome.detail}")

    def _record_deferral(self, asked: float) -> None:
        self._unreached = 0
        now = time.monotonic()
        self._deferred_since = self._deferred_since or now
        waited = now - self._deferred_since
        if waited >= LONGEST_ROW or waited + asked > LONGEST_WAIT:
            seconds = f"{asked:.1f}".removesuffix(".0")
            detail = f"the target asked to wait for {seconds} s"
            self.trip(
                "deferred", detail if waited < 1 else f"{detail}, after {waited:.0f} s in which it said only that"
            )

    def _record_answer(self, request: Request, answer: Answer) -> None:
        self._unreached = 0
        self._deferred_since = None
        if answer.status >= 500:
            self._server_errors += 1
            if self._server_errors >= _SERVER_ERRORS and (self.canary is None or request is self.canary):
                self.trip("server-error", f"{self._server_errors} answers in a row were server errors")
            return
        self._server_errors = 0
        if (request.method == "GET" and answer.is_success) or answer.status in _WITHOUT_EFFECT:
            self.canary = request
