"""When to leave a target alone: it cannot be reached, or answers nothing but server errors."""

from __future__ import annotations

import threading
from typing import Final, Literal

from rules_harness.harness.exchange import Answer, Request, TransportFault

Reason = Literal["connection", "server-error"]

_UNREACHED: Final = 10
_SERVER_ERRORS: Final = 20
_WITHOUT_EFFECT: Final = frozenset({401, 403, 404})


class TargetDown(Exception):
    """Nothing more is sent, for a ``reason``: ``connection`` or ``server-error``."""

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
        self._canary: Request | None = None
        self._down: TargetDown | None = None

    @property
    def is_down(self) -> bool:
        return self._down is not None

    def check(self) -> None:
        """Raises `TargetDown`."""
        if self._down is not None:
            raise TargetDown(self._down.reason, str(self._down))

    def suspicion(self) -> Request | None:
        """The canary, where its answer is to tell whether the target is down."""
        return self._canary if self._server_errors >= _SERVER_ERRORS and not self.is_down else None

    def record(self, request: Request, outcome: Answer | TransportFault) -> None:
        """Take notice of what came of one attempt."""
        with self._lock:
            if isinstance(outcome, Answer):
                self._record_answer(request, outcome)
            elif outcome.kind in ("connect", "timeout"):
                self._unreached += 1
                if self._unreached >= _UNREACHED:
                    self._down = TargetDown("connection", f"{self._unreached} times in a row: {outcome.detail}")

    def _record_answer(self, request: Request, answer: Answer) -> None:
        self._unreached = 0
        if answer.status >= 500:
            self._server_errors += 1
            if self._server_errors >= _SERVER_ERRORS and (self._canary is None or request is self._canary):
                self._down = TargetDown("server-error", f"{self._server_errors} answers in a row were server errors")
            return
        self._server_errors = 0
        if (request.method == "GET" and answer.is_success) or answer.status in _WITHOUT_EFFECT:
            self._canary = request
