"""What is remembered under idempotency keys, and for how long."""

import asyncio
from collections.abc import Hashable, Iterator
from datetime import datetime, timedelta

import msgspec

from rules_harness.harness.reference.clock import ServerClock
from rules_harness.harness.reference.messages import Reply
from rules_harness.harness.reference.steps import step

WINDOW = timedelta(hours=24)


class Use(msgspec.Struct, frozen=True):
    """One use of a key by one request."""

    name: Hashable
    """What its answer is remembered under."""
    content: Hashable
    """Two uses of one name are the same request where this is equal."""
    namespace: str
    """Whose key it is."""
    key: str
    rule_id: str
    organization_id: str
    request_id: str
    body: bytes


class Remembered(msgspec.Struct):
    """What is known under a name; without a reply the first request is still under way."""

    use: Use
    at: datetime
    done: asyncio.Event
    reply: Reply | None = None


@step
def end_of_window(start: datetime) -> datetime:
    """'Requests with the same key within 24 hours'."""
    return start + WINDOW


class IdempotencyKeys:
    """The replies given under keys."""

    def __init__(self, clock: ServerClock) -> None:
        self._clock = clock
        self._remembered: dict[Hashable, Remembered] = {}

    def __len__(self) -> int:
        return len(self._remembered)

    def __iter__(self) -> Iterator[Remembered]:
        return iter(self._remembered.values())

    def find(self, name: Hashable) -> Remembered | None:
        """What is known under a name, or None where its window is over."""
        known = self._remembered.get(name)
        if known is None or known.reply is None or self._clock.now() < end_of_window(known.at):
            return known
        return None

    def remember(self, use: Use, reply: Reply | None = None) -> Remembered:
        """Remember the use, and its reply where there is one by now."""
        known = self._remembered[use.name] = Remembered(use, self._clock.now(), asyncio.Event(), reply)
        return known

    def forget(self, name: Hashable) -> None:
        """Forget what is known under a name, if anything is."""
        self._remembered.pop(name, None)
