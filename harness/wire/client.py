"""The only outbound socket: pacing, budget, retries, size and time caps; keys go in and are taken out here."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Final

import msgspec

from rules_harness.harness.exchange import Answer, Request, TransportFault
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.wire.attempts import Attempts, BudgetSpent, Delivery, ReadyRequest, Stopped
from rules_harness.harness.wire.breaker import Breaker, TargetDown
from rules_harness.harness.wire.codec import Codec
from rules_harness.harness.wire.dialling import Route
from rules_harness.harness.wire.recovery import Recovery
from rules_harness.harness.wire.renewal import Renewal
from rules_harness.harness.wire.retrying import Retries

__all__ = ["BudgetSpent", "Client", "Sent", "Stopped", "TargetDown"]

LONGEST_DOZE: Final = 0.1
"""Seconds after which a wait looks whether the run was stopped."""
RESTORING_HEEDS: Final = 20.0
"""Seconds, all together, for which putting rules back waits where the target asks for that: the rules come first."""


class Sent(msgspec.Struct, frozen=True):
    """What came of a request, and when: seconds since the client was made, all attempts together.

    ``resent`` says that an attempt before the last may have been executed.
    """

    outcome: Answer | TransportFault
    started: float
    ended: float
    resent: bool = False


class Client:
    """Sends requests to one target; may be used by several threads. Close it when done."""

    def __init__(self, profile: Profile, keyring: Keyring, *, run_seed: int = 1) -> None:
        limits = profile.limits
        keyring = keyring.seeded(run_seed)
        route = Route(profile.target, keyring)
        self.cleaner = Cleaner(keyring)
        """What makes records of exchanges."""
        self._limits = limits
        self._codec = Codec(profile, keyring, route)
        self._renewal = Renewal(keyring)
        self._breaker = Breaker()
        self._attempts = Attempts(profile, route, self._codec, self.cleaner, self._breaker)
        self._recovery = Recovery(self._attempts, self._breaker, self._ready, limits.timeout_seconds)
        self._threads = ThreadPoolExecutor(limits.in_flight, thread_name_prefix="client")
        self._local = threading.local()

    @property
    def requests_sent(self) -> int:
        return self._attempts.requests_sent

    @property
    def most_together(self) -> int:
        """How many requests `send_together` can release at one moment without exceeding a limit."""
        return self._attempts.most_together

    def now(self) -> float:
        """Seconds since the client was made."""
        return self._attempts.now()

    def send(self, request: Request) -> Sent:
        """Send one request and wait for what comes of it.

        Raises `Stopped`, `BudgetSpent` and `TargetDown` where it does not leave, `ValueError` for one that cannot be
        written, `KeyError` for a reference to a key that there is not.
        """
        return self._send(self._ready(request))

    def send_many(self, requests: Sequence[Request]) -> list[Sent]:
        """Send requests, as many at once as the profile allows; results in the order of the requests.

        Where only some leave, the others have an outcome of kind ``unsent``; where none does, it raises like `send`.
        """
        results = list(self._threads.map(self._send_or_reason, [self._ready(request) for request in requests]))
        reasons = [result for result in results if not isinstance(result, Sent)]
        if reasons and len(reasons) == len(results):
            raise reasons[0]
        return [result if isinstance(result, Sent) else self._unsent(result) for result in results]

    def send_together(self, requests: Sequence[Request]) -> list[Sent]:
        """Send each request on a connection of its own, all at one moment; raises like `send`, before anything leaves.

        Raises `ValueError` for more than `most_together`.
        """
        if len(requests) > self.most_together:
            raise ValueError(f"{len(requests)} requests at one moment, where the limits allow {self.most_together}")
        group = [self._ready(request) for request in requests]
        if not group:
            return []
        attempts = self._attempts.together(group)
        return list(self._threads.map(self._settled_in_group, group, attempts))

    def wait(self, seconds: float) -> None:
        """Send nothing for a while. Raises `Stopped` as soon as the run is stopped."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._attempts.is_stopped and not self._is_restoring:
                raise Stopped("the run was stopped")
            time.sleep(min(left, LONGEST_DOZE))

    def drain(self) -> None:
        """Let nothing leave from now on, but to put rules right; what has left is answered."""
        self._attempts.is_draining = True

    def stop(self) -> None:
        """Let nothing leave from now on, and abandon what is open; safe in a signal handler."""
        self._attempts.is_stopped = True

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """Within it, this thread may send although the run was stopped, the budget is spent or the target seems down.

        Bounded by a reserve of a few requests for each rule of the profile, and by `RESTORING_HEEDS`.
        """
        self._local.heeds = time.monotonic() + RESTORING_HEEDS
        try:
            yield
        finally:
            del self._local.heeds

    def close(self) -> None:
        """Stop, close every connection and end every thread."""
        self.stop()
        self._threads.shutdown(cancel_futures=True)
        self._attempts.close()

    @property
    def _is_restoring(self) -> bool:
        return hasattr(self._local, "heeds")

    def _ready(self, request: Request) -> ReadyRequest:
        heeds = getattr(self._local, "heeds", math.inf)
        key = self._renewal.key_in(request)
        encoded = self._codec.encode(request)
        return ReadyRequest(request, encoded, restoring=self._is_restoring, heeds=heeds, key=key)

    def _send(self, ready: ReadyRequest) -> Sent:
        return self._settled(ready, self._attempts.one(ready))

    def _send_or_reason(self, ready: ReadyRequest) -> Sent | Stopped | BudgetSpent | TargetDown:
        try:
            return self._send(ready)
        except (Stopped, BudgetSpent, TargetDown) as reason:
            return reason

    def _unsent(self, reason: Exception) -> Sent:
        now = self.now()
        return Sent(TransportFault("unsent", str(reason)), now, now)

    def _settled_in_group(self, ready: ReadyRequest, first: Delivery) -> Sent:
        return self._settled(ready, first, in_group=True)

    def _settled(self, ready: ReadyRequest, first: Delivery, *, in_group: bool = False) -> Sent:
        """Send again what is to be sent again; the last outcome stands."""
        retries = Retries(ready.request.method)
        attempt, is_resent = first, False
        with suppress(Stopped, BudgetSpent, TargetDown):
            while self._is_due(retries, ready, attempt):
                again = self._attempts.one(ready)
                if attempt.was_stale and again.is_unreached:
                    # The first is the one that reached the target, and after which it was gone.
                    break
                is_resent |= attempt.may_have_executed
                attempt = again
            settled = self._recovery.settled(ready, attempt, is_repeatable=not in_group)
            is_resent |= settled.started != attempt.started and attempt.may_have_executed
            attempt = settled
            if self._renewal.helps(ready.request, ready.key, attempt.outcome):
                payload, key = self._codec.encode(ready.request), self._renewal.key_in(ready.request)
                attempt = self._attempts.one(msgspec.structs.replace(ready, payload=payload, key=key))
        self._check_suspicion()
        return Sent(attempt.outcome, first.started, attempt.ended, is_resent)

    def _is_due(self, retries: Retries, ready: ReadyRequest, attempt: Delivery) -> bool:
        return retries.is_due(attempt.outcome, was_stale=attempt.was_stale) and self._attempts.waits_for(ready)

    def _check_suspicion(self) -> None:
        canary = self._breaker.suspicion()
        if canary is not None:
            with suppress(Stopped, BudgetSpent, TargetDown):
                self._attempts.one(self._ready(canary))
