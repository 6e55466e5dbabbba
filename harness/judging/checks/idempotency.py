"""A key is used once: replays answer what was answered, execute nothing, and are nobody else's."""

from __future__ import annotations

from collections.abc import Iterator

from rules_harness.harness.exchange import Answer, Episode
from rules_harness.harness.judging.checks.common import BUSY_STATUSES, answered, described, kept_or, run_by, where
from rules_harness.harness.judging.histories import follow
from rules_harness.harness.judging.outcome import Judgement, Kept, Seen, Violation
from rules_harness.openapi.contract import Contract

JUDGED_BY_THE_MODEL = (
    "idempotency.replay",
    "idempotency.no-reexecution",
    "idempotency.reuse-not-executed",
    "idempotency.per-caller",
    "idempotency.per-rule",
    "idempotency.auth-first",
    "idempotency.not-poisoned",
    "idempotency.any-key",
    "idempotency.window",
    "idempotency.without-key",
)


LONG_KEY = 64
"""Longer keys may be refused: that they are accepted is a *should* of `idempotency.odd-keys`."""


def histories(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """What was sent for each of these requirements went as the model of rules and keys allows; and the open questions
    that every possibility answers in the same way."""
    if not any(exchange.intent.requirement.startswith("idempotency.") for exchange in episode.exchanges):
        return
    history = follow(episode, contract)
    contradictions = {contradiction.position: contradiction for contradiction in history.contradictions}
    for position in history.judged:
        exchange = episode.exchanges[position]
        requirement, answer = exchange.intent.requirement, exchange.answer
        if requirement not in JUDGED_BY_THE_MODEL or answer is None:
            continue
        if answer.status in BUSY_STATUSES or answer.status >= 500:
            continue
        if answer.is_refusal and len(exchange.intent.key or "") > LONG_KEY:
            continue
        if position not in contradictions:
            yield Kept(requirement)
            continue
        is_read = exchange.intent.operation == "read"
        yield Violation(
            requirement,
            where(exchange),
            "executed" if is_read else f"answered {answer.status}",
            " or ".join(contradictions[position].expected),
            _told(contract, answer),
            tuple(range(position + 1)),
            compares_states=is_read,
        )
    if not history.contradictions and history.possibilities:
        common = set(history.possibilities[0].tokens).intersection(
            *(possibility.tokens for possibility in history.possibilities)
        )
        yield from (Seen(reading, token, kind) for reading, token, kind in sorted(common))


def _told(contract: Contract, answer: Answer) -> str:
    nickname = answer.part(contract.names.data).get(contract.names.nickname)
    return described(contract, answer) + (f", {contract.names.nickname} {nickname!r}" if nickname else "")


def odd_keys(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Empty, very long, odd keys: accepted or a 4xx, never a 5xx; up to 255 visible ASCII characters accepted."""
    for position, exchange, answer in answered(episode):
        intent = exchange.intent
        if intent.requirement != "idempotency.odd-keys" or answer.status in BUSY_STATUSES:
            continue
        firm = intent.acceptance == "must"
        yield kept_or(
            answer.is_success or (answer.is_refusal and not firm),
            "idempotency.odd-keys",
            position,
            exchange,
            kind=f"answered {answer.status}",
            expected="200" if firm else "a success or a 4xx",
            actual=described(contract, answer),
        )


def replayed_request_id(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """reading.replayed-request-id: `request_id` of a replay."""
    name = contract.names.request_id
    for position, exchange, answer in answered(episode):
        intent = exchange.intent
        if intent.requirement != "idempotency.replay" or intent.repeats is None or not answer.is_success:
            continue
        original = episode.exchanges[intent.repeats].answer
        first, again = (found.object().get(name) if found else None for found in (original, answer))
        if isinstance(first, str) and isinstance(again, str):
            token = "original" if first == again else "new"
            yield Seen("reading.replayed-request-id", token, "", (intent.repeats, position))


READINGS = (
    "reading.key-reuse",
    "reading.key-on-other-rule",
    "reading.key-scope",
    "reading.body-identity",
    "reading.refusal-replayed",
    "reading.after-window",
)

CHECKS = run_by(
    ((*JUDGED_BY_THE_MODEL, *READINGS), histories),
    ("idempotency.odd-keys", odd_keys),
    ("reading.replayed-request-id", replayed_request_id),
)
