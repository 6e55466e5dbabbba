"""One attempt at a request: admitted by pace, budget and breaker, connected, sent, answered or not."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import msgspec

from rules_harness.harness.exchange import Answer, Request, TransportFault
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.wire.breaker import Breaker, TargetDown
from rules_harness.harness.wire.codec import Codec
from rules_harness.harness.wire.connection import Abandoned, Connection, Fault, Patience, Room
from rules_harness.harness.wire.dialling import Route
from rules_harness.harness.wire.intake import Intake
from rules_harness.harness.wire.pacing import Pacer
from rules_harness.harness.wire.pool import Pool
from rules_harness.harness.wire.retrying import seconds_asked

_SLICE: Final = 0.05
"""Seconds between two looks at whether a wait is over."""
_ABANDONED: Final = TransportFault("abandoned", "the run was stopped before its answer; it may have been executed")
_NOT_YET: Final = TransportFault("unsent", "the run was stopped before it left")


class Stopped(Exception):
    """The run was stopped: nothing leaves any more."""


class BudgetSpent(Exception):
    """The profile's ``limits.max_requests`` are used up."""


class ReadyRequest(msgspec.Struct, frozen=True):
    """A request in the form in which it leaves."""

    request: Request
    payload: bytes
    restoring: bool = False
    """It is part of putting rules back."""
    heeds: float = math.inf
    """The moment (monotonic seconds) until which it waits where the target asks for that."""
    key: str = ""
    """The key in it, where one stands there as it is."""
    probing: bool = False
    """It is to tell whether the target still answers, while everything else waits for that."""


class Delivery(msgspec.Struct, frozen=True):
    """What came of it, and when: seconds since the client was made."""

    outcome: Answer | TransportFault
    started: float
    ended: float
    was_stale: bool = False
    """A kept connection ended before one byte of an answer."""

    @property
    def is_unreached(self) -> bool:
        """Nothing of the request left."""
        return isinstance(self.outcome, TransportFault) and self.outcome.kind in ("connect", "proxy")

    @property
    def may_have_executed(self) -> bool:
        """The target may have had the request, although no answer of its own came back."""
        if isinstance(self.outcome, Answer):
            return self.outcome.status in (502, 504)
        return self.outcome.has_left and not self.is_unreached


class Attempts:
    """Makes attempts within the limits of a profile; may be used by several threads."""

    def __init__(self, profile: Profile, route: Route, codec: Codec, cleaner: Cleaner, breaker: Breaker) -> None:
        limits = profile.limits
        self._limits = limits
        self._route = route
        self._codec = codec
        self._cleaner = cleaner
        self._breaker = breaker
        self._pool = Pool(route)
        self._pacer = Pacer(limits.requests_per_second, limits.in_flight)
        self._intake = Intake(limits.max_requests)
        self._slots = threading.Semaphore(limits.in_flight)
        self._several_slots = threading.Lock()
        self._lock = threading.Lock()
        self._reserve = 20 + 10 * len(profile.rules.all)
        self._epoch = time.monotonic()
        self._probing = 0
        self.is_draining = False
        """What has left is waited for, and nothing else leaves; stopped: it is not waited for either."""
        self.is_stopped = False
        self.requests_sent = 0

    @property
    def most_together(self) -> int:
        """How many requests `together` can release at one moment without exceeding a limit."""
        return min(self._limits.in_flight, self._pacer.most_together)

    def now(self) -> float:
        """Seconds since the client was made."""
        return time.monotonic() - self._epoch

    def waits_for(self, ready: ReadyRequest) -> bool:
        """Whether this request heeds what the target has asked for; where it does not, it is not sent again."""
        return self._pacer.paused_until <= ready.heeds

    def one(self, ready: ReadyRequest) -> Delivery:
        """Raises `Stopped`, `BudgetSpent` and `TargetDown` where it does not leave."""
        self._wait_for_probes(ready)
        with self._slots:
            self._admit(1, ready)
            patience = self._patience(ready)
            # A server that cannot parse a request on a kept connection may never answer it, nor close the connection.
            connection = self._connected(patience, kept=not ready.request.raw)
            return self._finish(ready, connection, self._start(ready, connection), patience)

    def together(self, group: Sequence[ReadyRequest]) -> list[Delivery]:
        """Each on a connection of its own, all at one moment; raises like `one`, before anything leaves."""
        self._wait_for_probes(group[0])
        with self._slots_for(len(group)), ThreadPoolExecutor(len(group)) as threads:
            connections = list(threads.map(lambda ready: self._connected(self._patience(ready)), group))
            try:
                self._admit(len(group), group[0])
            except (Stopped, BudgetSpent, TargetDown):
                _close(connections)
                raise
            started = [self._start(ready, connection) for ready, connection in zip(group, connections, strict=True)]
            patience = [self._patience(ready) for ready in group]
            return list(threads.map(self._finish, group, connections, started, patience))

    @contextmanager
    def probing(self) -> Iterator[None]:
        """Within it nothing leaves but probes: it is to be found out whether the target answers."""
        with self._lock:
            self._probing += 1
        try:
            yield
        finally:
            with self._lock:
                self._probing -= 1

    def close(self) -> None:
        """Close every idle connection."""
        self._pool.close()

    def _wait_for_probes(self, ready: ReadyRequest) -> None:
        """Before it takes a place among those in flight, which the probes need."""
        while self._probing and not (ready.probing or ready.restoring or self.is_stopped):
            time.sleep(_SLICE)

    def _admit(self, count: int, ready: ReadyRequest) -> None:
        """Wait until so many requests may leave together, and count them; raises where they may not."""
        restoring = ready.restoring

        def given_up() -> bool:
            return not restoring and (self.is_draining or self.is_stopped or self._breaker.is_down)

        if not self._pacer.acquire(count, given_up=given_up, heeds=ready.heeds):
            if not (self.is_draining or self.is_stopped):
                self._breaker.check()
            raise Stopped("the run was stopped")
        with self._lock:
            is_spent = self.requests_sent + count > self._limits.max_requests
            if restoring and (is_spent or self.is_stopped or self._breaker.is_down):
                if self._reserve < count:
                    raise BudgetSpent("the reserve for putting back what was written is used up")
                self._reserve -= count
            elif is_spent:
                raise BudgetSpent(f"limits.max_requests = {self._limits.max_requests} is used up")
            self.requests_sent += count

    def _patience(self, ready: ReadyRequest) -> Patience:
        return Patience(time.monotonic() + self._limits.timeout_seconds, self._given_up(ready))

    def _given_up(self, ready: ReadyRequest) -> Callable[[], bool]:
        return lambda: self.is_stopped and not ready.restoring

    def _connected(self, patience: Patience, *, kept: bool = False) -> Connection | TransportFault:
        try:
            return self._pool.take(patience) if kept else self._route.connect(patience)
        except Fault as fault:
            return TransportFault(fault.kind, self._cleaner.clean_text(fault.detail))
        except Abandoned:
            return _NOT_YET

    def _start(self, ready: ReadyRequest, connection: Connection | TransportFault) -> float:
        started = self.now()
        if isinstance(connection, Connection):
            connection.start(ready.payload, Room() if ready.restoring else self._intake.room)
        return started

    def _finish(
        self, ready: ReadyRequest, connection: Connection | TransportFault, started: float, patience: Patience
    ) -> Delivery:
        was_stale = False
        outcome: Answer | TransportFault
        if isinstance(connection, TransportFault):
            outcome = connection
        else:
            try:
                outcome = self._intake.taken(self._codec.decode(connection.finish(patience)))
            except Fault as fault:
                was_stale = connection.used and fault.unanswered
                outcome = TransportFault(fault.kind, self._cleaner.clean_text(fault.detail))
            except Abandoned:
                outcome = _ABANDONED
            finally:
                self._pool.give_back(connection)
        asked = seconds_asked(outcome)
        if asked is not None:
            self._pacer.pause(asked)
        if asked is not None or not ready.probing:
            self._breaker.record(ready.request, outcome)
        return Delivery(outcome, started, self.now(), was_stale)

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
