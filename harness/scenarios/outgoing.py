"""What a scenario needs of whoever sends: the client, or a rehearsal that sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from rules_harness.harness.exchange import Answer, Request, TransportFault
from rules_harness.harness.target.cleaning import Cleaner


class Outgoing(Protocol):
    """What sends: the client, or a rehearsal that sends nothing."""

    def send(self, request: Request) -> TimedOutcome: ...

    def send_many(self, requests: Sequence[Request]) -> Sequence[TimedOutcome]: ...

    def send_together(self, requests: Sequence[Request]) -> Sequence[TimedOutcome]: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...

    def now(self) -> float: ...

    def wait(self, seconds: float) -> None: ...

    def restoring(self) -> AbstractContextManager[None]: ...

    @property
    def cleaner(self) -> Cleaner: ...

    @property
    def requests_sent(self) -> int: ...

    @property
    def most_together(self) -> int: ...


class TimedOutcome(Protocol):
    """An outcome with its times."""

    @property
    def outcome(self) -> Answer | TransportFault: ...

    @property
    def started(self) -> float: ...

    @property
    def ended(self) -> float: ...

    @property
    def resent(self) -> bool: ...
