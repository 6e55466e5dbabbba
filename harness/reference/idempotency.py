"""Idempotency: the first request under a key executes; for 24 hours the others get its answer."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta

import msgspec

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.clock import Clock
from rules_harness.harness.reference.idempotency_key import Use
from rules_harness.harness.reference.messages import Answer, Crashed, Refused
from rules_harness.harness.reference.race import Race
from rules_harness.harness.reference.switches import fault, variant

WINDOW = timedelta(hours=24)

Execute = Callable[[bytes], Awaitable[Answer]]
"""Carries out an update with that body."""
Replay = Callable[[bytes, Answer], Awaitable[Answer]]
"""Makes the answer to a replay from the body and the original answer."""


class Remembered(msgspec.Struct):
    """What is known under a name; without an answer the first request is still under way."""

    use: Use
    at: datetime
    done: asyncio.Event
    answer: Answer | None = None


class IdempotencyKeys:
    """The answers given under keys."""

    def __init__(self, clock: Clock, race: Race) -> None:
        self._clock = clock
        self._race = race
        self._remembered: dict[Hashable, Remembered] = {}
        self._unauthenticated: dict[tuple[str, str], Answer] = {}

    def __len__(self) -> int:
        return len(self._remembered)

    def reset(self) -> None:
        """Forget every key."""
        self._remembered = {}
        self._unauthenticated = {}

    def remember_unauthenticated(self, key: str, rule_id: str, answer: Answer) -> None:
        """A request refused for its credentials does not use its key up, unless a fault is on."""
        if fault("idempotency.401-stored"):
            self._unauthenticated[key, rule_id] = answer
        if fault("idempotency.401-reserves-the-key"):
            self._unauthenticated[key, rule_id] = _in_flight().answer

    def remember_refusal(self, use: Use, answer: Answer) -> None:
        """Store a refusal that comes before the key is looked up, where its status is stored and the name is free."""
        if _stores(answer) and self._find(use) is None:
            self._remembered[use.name] = Remembered(use, self._clock.now(), asyncio.Event(), answer)

    def answer_of_anyone(self, key: str | None, rule_id: str, organization_id: str | None = None) -> Answer | None:
        """An answer given under a key, whoever sent it; with an organization, one of its keys."""
        for known in self._remembered.values():
            if known.use.key == key and known.use.rule_id == rule_id and known.answer is not None:
                return known.answer if organization_id in (None, known.use.organization_id) else None
        return None

    def _elsewhere(self, use: Use) -> Use | None:
        """A use of the same key on another rule of the organization."""
        others = (known.use for known in self._remembered.values() if known.use.rule_id != use.rule_id)
        same = (other for other in others if (other.key, other.organization_id) == (use.key, use.organization_id))
        return next(same, None)

    async def answer(self, use: Use, execute: Execute, replay: Replay) -> Answer:
        """The answer of the first request under the name, which this one may be.

        Raises:
            Refused: the execution refuses, or the key was used otherwise.
        """
        if fault("idempotency.stored-request-executed") and (elsewhere := self._elsewhere(use)) is not None:
            return await execute(elsewhere.body)
        if (use.key, use.rule_id) in self._unauthenticated:
            raise Refused(self._unauthenticated[use.key, use.rule_id])
        while True:
            known = self._find(use)
            if known is None:
                return await self._first(use, execute)
            if known.use.same_rule != use.same_rule:
                raise _on_other_rule()
            if known.use.same_body != use.same_body and not variant("key-reuse.original"):
                return await self._reused(use, execute)
            if known.answer is not None:
                return await self._replayed(known, known.answer, use, replay)
            if variant("key-in-flight.409"):
                raise _in_flight()
            await known.done.wait()

    def _find(self, use: Use) -> Remembered | None:
        known = self._remembered.get(use.name)
        if known is None or known.answer is None:
            return known
        return known if self._clock.now() < self._end(known.at) or variant("after-window.original") else None

    def _end(self, start: datetime) -> datetime:
        if fault("idempotency.window-in-minutes"):
            return start + timedelta(minutes=24)
        if fault("idempotency.window-in-milliseconds"):
            return start + WINDOW / 1000
        if fault("idempotency.window-12-hours"):
            return start + timedelta(hours=12)
        if fault("idempotency.window-until-midnight"):
            return start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return start + WINDOW

    async def _first(self, use: Use, execute: Execute) -> Answer:
        if fault("idempotency.check-then-act"):
            await self._race.hold(use.name)
        if fault("idempotency.unique-violation-crash"):
            await self._race.hold(use.name)
            if use.name in self._remembered:
                raise Crashed
        entry = self._remembered[use.name] = Remembered(use, self._clock.now(), asyncio.Event())
        try:
            if variant("key-in-flight.409"):
                await asyncio.sleep(0.005)
            entry.answer = await execute(use.body)
        except Refused as refused:
            if _stores(refused.answer):
                entry.answer = refused.answer
            raise
        finally:
            if entry.answer is None:
                self._remembered.pop(use.name, None)
            entry.done.set()
        return entry.answer

    async def _reused(self, use: Use, execute: Execute) -> Answer:
        if fault("idempotency.other-body-executed"):
            return await self._first(use, execute)
        if fault("idempotency.other-body-executed-then-refused"):
            await execute(use.body)
        raise _with_other_body()

    async def _replayed(self, known: Remembered, answer: Answer, use: Use, replay: Replay) -> Answer:
        if fault("idempotency.replay-409"):
            raise errors.refusal(409, "duplicate_request", "This request was already processed.")
        if fault("idempotency.one-replay"):
            del self._remembered[use.name]
        if answer.error is not None:
            raise Refused(answer)
        if variant("headers.replay-marked"):
            answer = msgspec.structs.replace(answer, headers=(*answer.headers, ("Idempotent-Replayed", "true")))
        if not variant("replayed-request-id.new"):
            answer = msgspec.structs.replace(answer, request_id=known.use.request_id)
        return await replay(use.body, answer)


def _stores(answer: Answer) -> bool:
    return variant(f"refusal-replayed.{answer.status}")


def _in_flight() -> Refused:
    return errors.refusal(409, "request_in_progress", "A request with this Idempotency-Key is under way.")


def _with_other_body() -> Refused:
    status = 400 if variant("key-reuse.400") else 409 if variant("key-reuse.409") else 422
    return errors.refusal(status, "idempotency_key_reused", "This Idempotency-Key was used with another body.")


def _on_other_rule() -> Refused:
    status = 400 if variant("key-on-other-rule.400") else 409 if variant("key-on-other-rule.409") else 422
    return errors.refusal(status, "idempotency_key_reused", "This Idempotency-Key was used on another rule.")
