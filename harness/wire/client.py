"""The only outbound socket: pacing, budget, retries, size and time caps; keys go in and are taken out here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Final

import msgspec

from rules_harness.harness.exchange import Answer, Request, TransportFault
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.wire.breaker import Breaker, TargetDown
from rules_harness.harness.wire.codec import Codec
from rules_harness.harness.wire.connection import Abandoned, Connection, Fault, Patience
from rules_harness.harness.wire.dialling import Route
from rules_harness.harness.wire.pacing import Pacer
from rules_harness.harness.wire.pool import Pool
from rules_harness.harness.wire.retrying import LONGEST_PAUSE, Retries

__all__ = ["BudgetSpent", "Client", "Sent", "Stopped", "TargetDown"]

LONGEST_DOZE: Final = 0.1
"""Seconds after which a wait looks whether the run was stopped."""
_ABANDONED: Final = TransportFault("abandoned", "the run was stopped before its answer; it may have been executed")
_NOT_YET: Final = TransportFault("unsent", "the run was stopped before it left")


class Stopped(Exception):
    """The run was stopped: nothing leaves any more."""


class BudgetSpent(Exception):
    """The profile's ``limits.max_requests`` are used up."""


class Sent(msgspec.Struct, frozen=True):
    """What came of a request, and when: seconds since the client was made, all attempts together."""

    outcome: Answer | TransportFault
    started: float
    ended: float


class _Attempt(msgspec.Struct, frozen=True):
    outcome: Answer | TransportFault
    started: float
    ended: float
    was_stale: bool = False
    """A kept connection ended before one byte of an answer."""


class _Ready(msgspec.Struct, frozen=True):
    """A request in the form in which it leaves, and whether it is part of putting rules back."""

    request: Request
    payload: bytes
    restoring: bool


class Client:
    """Sends requests to one target; may be used by several threads. Close it when done."""

    def __init__(self, profile: Profile, keyring: Keyring, *, run_seed: int = 1) -> None:
        limits = profile.limits
        keyring = keyring.seeded(run_seed)
        route = Route(profile.target, keyring)
        self._limits = limits
        self._cleaner = Cleaner(keyring)
        self._codec = Codec(profile, keyring, route, self._cleaner)
        self._route = route
        self._pool = Pool(route)
        self._pacer = Pacer(limits.requests_per_second, limits.in_flight)
        self._breaker = Breaker()
        self._slots = threading.Semaphore(limits.in_flight)
        self._several_slots = threading.Lock()
        self._threads = ThreadPoolExecutor(limits.in_flight, thread_name_prefix="client")
        self._lock = threading.Lock()
        self._local = threading.local()
        self._stopped = False
        self._reserve = 20 + 10 * len(profile.rules.all)
        self._epoch = time.monotonic()
        self.requests_sent = 0

    @property
    def budget_left(self) -> int:
        return max(0, self._limits.max_requests - self.requests_sent)

    @property
    def most_together(self) -> int:
        """How many requests `send_together` can release at one moment without exceeding a limit."""
        return min(self._limits.in_flight, self._pacer.most_together)

    def now(self) -> float:
        """Seconds since the client was made."""
        return time.monotonic() - self._epoch

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
        with self._slots_for(len(group)), ThreadPoolExecutor(len(group)) as threads:
            connections = list(threads.map(lambda ready: self._connected(self._patience(ready)), group))
            try:
                self._admit(len(group), group[0].restoring)
            except (Stopped, BudgetSpent, TargetDown):
                _close(connections)
                raise
            started = [self._start(ready, connection) for ready, connection in zip(group, connections, strict=True)]
            patience = [self._patience(ready) for ready in group]
            attempts = list(threads.map(self._finish, group, connections, started, patience))
        return list(self._threads.map(self._settled, group, attempts))

    def wait(self, seconds: float) -> None:
        """Send nothing for a while. Raises `Stopped` as soon as the run is stopped."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._stopped and not getattr(self._local, "restoring", False):
                raise Stopped("the run was stopped")
            time.sleep(min(left, LONGEST_DOZE))

    def stop(self) -> None:
        """Let nothing leave from now on, and abandon what is open; safe in a signal handler."""
        self._stopped = True

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """Within it, this thread may send although the run was stopped, the budget is spent or the target seems down.

        Bounded by a reserve of a few requests for each rule of the profile.
        """
        self._local.restoring = True
        try:
            yield
        finally:
            self._local.restoring = False

    def close(self) -> None:
        """Stop, close every connection and end every thread."""
        self.stop()
        self._threads.shutdown(cancel_futures=True)
        self._pool.close()

    def _ready(self, request: Request) -> _Ready:
        return _Ready(request, self._codec.encode(request), getattr(self._local, "restoring", False))

    def _send(self, ready: _Ready) -> Sent:
        return self._settled(ready, self._attempt(ready))

    def _send_or_reason(self, ready: _Ready) -> Sent | Stopped | BudgetSpent | TargetDown:
        try:
            return self._send(ready)
        except (Stopped, BudgetSpent, TargetDown) as reason:
            return reason

    def _unsent(self, reason: Exception) -> Sent:
        now = self.now()
        return Sent(TransportFault("unsent", str(reason)), now, now)

    def _settled(self, ready: _Ready, first: _Attempt) -> Sent:
        """Send again what is to be sent again; the last outcome stands."""
        retries = Retries(ready.request.method)
        attempt = first
        with suppress(Stopped, BudgetSpent, TargetDown):
            while (wait := retries.wait(attempt.outcome, was_stale=attempt.was_stale)) is not None:
                self._pacer.pause(wait)
                attempt = self._attempt(ready)
        self._check_suspicion()
        return Sent(attempt.outcome, first.started, attempt.ended)

    def _check_suspicion(self) -> None:
        canary = self._breaker.suspicion()
        if canary is not None:
            with suppress(Stopped, BudgetSpent, TargetDown):
                self._attempt(self._ready(canary))

    def _attempt(self, ready: _Ready) -> _Attempt:
        with self._slots:
            self._admit(1, ready.restoring)
            patience = self._patience(ready)
            connection = self._connected(patience, kept=True)
            return self._finish(ready, connection, self._start(ready, connection), patience)

    def _admit(self, count: int, restoring: bool) -> None:
        """Wait until so many requests may leave together, and count them; raises where they may not."""
        if not restoring:
            self._breaker.check()
        given_up = self._given_up(restoring)
        longest_pause = self._limits.timeout_seconds if restoring else LONGEST_PAUSE
        if not self._pacer.acquire(count, given_up=given_up, longest_pause=longest_pause):
            raise Stopped("the run was stopped")
        with self._lock:
            is_spent = self.requests_sent + count > self._limits.max_requests
            if restoring and (is_spent or self._stopped or self._breaker.is_down):
                if self._reserve < count:
                    raise BudgetSpent("the reserve for putting rules back is used up")
                self._reserve -= count
            elif is_spent:
                raise BudgetSpent(f"limits.max_requests = {self._limits.max_requests} is used up")
            self.requests_sent += count

    def _given_up(self, restoring: bool) -> Callable[[], bool]:
        return lambda: self._stopped and not restoring

    def _patience(self, ready: _Ready) -> Patience:
        return Patience(time.monotonic() + self._limits.timeout_seconds, self._given_up(ready.restoring))

    def _connected(self, patience: Patience, *, kept: bool = False) -> Connection | TransportFault:
        try:
            return self._pool.take(patience) if kept else self._route.connect(patience)
        except Fault as fault:
            return TransportFault(fault.kind, self._cleaner.clean_text(fault.detail))
        except Abandoned:
            return _NOT_YET

    def _start(self, ready: _Ready, connection: Connection | TransportFault) -> float:
        started = self.now()
        if isinstance(connection, Connection):
            connection.start(ready.payload)
        return started

    def _finish(
        self, ready: _Ready, connection: Connection | TransportFault, started: float, patience: Patience
    ) -> _Attempt:
        was_stale = False
        outcome: Answer | TransportFault
        if isinstance(connection, TransportFault):
            outcome = connection
        else:
            try:
                outcome = self._codec.decode(connection.finish(patience))
            except Fault as fault:
                was_stale = connection.used and fault.unanswered
                outcome = TransportFault(fault.kind, self._cleaner.clean_text(fault.detail))
            except Abandoned:
                outcome = _ABANDONED
            finally:
                self._pool.give_back(connection)
        self._breaker.record(ready.request, outcome)
        return _Attempt(outcome, started, self.now(), was_stale)

    @contextmanager
    def _slots_for(self, count: int) -> Iterator[None]:
        """Several places among those in flight; taken by one caller at a time, so that no two wait for each other."""
        with self._several_slots:
            for _ in range(count):
                self._slots.acquire()
        try:
            yield
        finally:
            self._slots.release(count)


def _close(connections: Sequence[Connection | TransportFault]) -> None:
    for connection in connections:
        if isinstance(connection, Connection):
            connection.close()
