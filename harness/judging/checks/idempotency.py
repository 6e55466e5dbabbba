"""A key is used once: replays answer what was answered, execute nothing, and are nobody else's."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import lru_cache, partial

from rules_harness.harness.exchange import IN_PROGRESS, Answer, Episode, Exchange
from rules_harness.harness.intent import Intent
from rules_harness.harness.judging.checks.common import (
    described,
    is_refused_body,
    kept_or,
    leads_elsewhere,
    run_by,
    short,
    unchanged,
    where,
)
from rules_harness.harness.judging.equality import unlike
from rules_harness.harness.judging.histories import follow
from rules_harness.harness.judging.outcome import Judgement, Kept, Seen, Violation
from rules_harness.harness.judging.possibilities import FollowedHistory
from rules_harness.openapi.contract import Contract

NAMED = 3
"""How many places a finding names at which a replay differs."""
CERTAIN_MARKS = frozenset(string.ascii_letters + string.digits + "-_.~:")
CERTAIN_KEY = re.compile(r"[A-Za-z0-9._~:-]{0,64}")
"""Longer keys, and keys of other characters, may be refused: `idempotency.odd-keys` says that they should not be. Where
one was taken, another of its length and characters is taken too."""


def replay(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Same key, same request, within 24 hours: the original answer, any number of times."""
    yield from _follows(episode, contract, "idempotency.replay", also=frozenset({"status.replay-keeps"}))


def no_reexecution(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """The replay does not execute: a later update by another key is not reverted."""
    yield from _follows(episode, contract, "idempotency.no-reexecution")
    yield from unchanged(episode, contract, "idempotency.no-reexecution", partial(_is_replayed, episode))


def _is_replayed(episode: Episode, exchange: Exchange, answer: Answer) -> bool:
    """Whether a request is one again that succeeded, and is answered as such."""
    intent = exchange.intent
    if intent.repeats is None or intent.window or not answer.is_success:
        return False
    first = episode.exchanges[intent.repeats]
    is_same = (first.request.target, first.request.body) == (exchange.request.target, exchange.request.body)
    is_callers = first.intent.caller == intent.caller
    return first.answer is not None and first.answer.is_success and is_same and is_callers


def reuse_not_executed(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Same key, other body: the other body is not executed (what it answers is a reading)."""
    yield from _follows(episode, contract, "idempotency.reuse-not-executed")


def per_caller(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """The key of one organization means nothing to another: no replay, no leak of its answer."""
    yield from _follows(episode, contract, "idempotency.per-caller")


def per_rule(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A key used on one rule never writes to another by its stored request, and is never answered there with the first
    rule's data as if it had been updated (what it answers is a reading)."""
    yield from _follows(episode, contract, "idempotency.per-rule")


def auth_first(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A replay is authenticated and authorized like any request: without, 401 / 403, never the stored answer."""
    yield from _follows(episode, contract, "idempotency.auth-first")


def not_poisoned(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A request refused for its credentials does not use the key up."""
    yield from _follows(episode, contract, "idempotency.not-poisoned")


def any_key(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A key need not be a UUID: letters, digits and `-_.~:` in it are taken; keys that differ in case or only late in
    the string are different keys."""
    yield from _follows(episode, contract, "idempotency.any-key")


def window(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A key keeps its answer for 24 hours; judged where the clock can be moved, or with the two halves of the check a
    day apart."""
    yield from _follows(episode, contract, "idempotency.window")


def without_key(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Without the header every request executes, also with an X-Request-ID that was seen before."""
    yield from _follows(episode, contract, "idempotency.without-key")


def not_stuck(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A key whose first request was refused (400, 422) is not left in progress: the same request again, one after the
    other, is answered by that refusal or executes, and is no 409 for good."""
    again: dict[int, list[int]] = {}
    for position, exchange, _ in episode.answered:
        first = exchange.intent.repeats
        if first is not None and exchange.request.body == episode.exchanges[first].request.body:
            again.setdefault(first, []).append(position)
    for first, positions in again.items():
        original = episode.exchanges[first].answer
        if original is None or original.status == IN_PROGRESS:
            continue
        if not is_refused_body(episode.exchanges[first].intent, original):
            continue
        statuses = [answer.status for position in positions if (answer := episode.exchanges[position].answer)]
        if statuses[-1] != IN_PROGRESS and statuses[-1] < 500:
            yield Kept("idempotency.not-stuck")
        elif set(statuses) == {IN_PROGRESS} and len(statuses) > 1:
            yield Violation(
                "idempotency.not-stuck",
                where(episode.exchanges[first]),
                "409 for good",
                f"{original.status} again, or an execution",
                f"{len(statuses)} times 409, one after the other",
                (first, *positions),
                level=None if original.status in (400, 422) else "should",
            )


def same_rule(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A key is the rule's however its path is spelled (percent-encoded unreserved characters, RFC 3986 6.2.2; an
    unknown query): where such a spelling reaches the rule, it does not execute again."""
    yield from _follows(episode, contract, "idempotency.same-rule")


def odd_keys(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Empty, very long, odd keys: accepted or a 4xx, never a 5xx; up to 255 visible ASCII characters accepted; `0`,
    `null`, `undefined` are keys like others."""
    for position, exchange, answer in episode.answered:
        intent = exchange.intent
        if intent.requirement != "idempotency.odd-keys" or intent.repeats is not None or intent.operation == "read":
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
    if any(exchange.intent.requirement and exchange.intent.repeats is not None for exchange in episode.exchanges):
        yield from _follows(episode, contract, "idempotency.odd-keys")


def replayed_request_id(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Which `request_id` has a replay?"""
    name = contract.names.request_id or contract.names.request_id_header
    for position, exchange, answer in episode.answered:
        intent = exchange.intent
        if intent.requirement != "idempotency.replay" or intent.repeats is None or not answer.is_success:
            continue
        original = episode.exchanges[intent.repeats].answer
        first, again = (reply.object().get(name) if reply else None for reply in (original, answer))
        if isinstance(first, str) and isinstance(again, str):
            token = "original" if first == again else "new"
            sent = exchange.request.header(contract.names.request_id_header)
            kind = "" if sent is None else "with an id"
            yield Seen("reading.replayed-request-id", token, kind, (intent.repeats, position))


def key_reuse(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """What answers the same key with another body (any other 4xx is its number)?"""
    yield from _answers(episode, contract, "reading.key-reuse")


def key_on_other_rule(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """What answers the same key on another rule?"""
    yield from _answers(episode, contract, "reading.key-on-other-rule")


def key_scope(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """In whose namespace does a key live?"""
    yield from _answers(episode, contract, "reading.key-scope")


def body_identity(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """When are two bodies under one key the same?"""
    yield from _answers(episode, contract, "reading.body-identity")


def refusal_replayed(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Is a 400, 403 or 422 stored for its key (each status apart; a 409 is idempotency.not-stuck's)?"""
    yield from _answers(episode, contract, "reading.refusal-replayed")


def after_window(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """What does the same key do after 24 hours?"""
    yield from _answers(episode, contract, "reading.after-window")


class _OneEpisode:
    """The key of a cache: the very same episode, since the states in it cannot be hashed."""

    def __init__(self, episode: Episode, contract: Contract) -> None:
        self.episode, self.contract = episode, contract

    def __hash__(self) -> int:
        return id(self.episode)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _OneEpisode) and self.episode is other.episode and self.contract is other.contract


@lru_cache(maxsize=4)
def _followed(judged: _OneEpisode) -> FollowedHistory:
    """What became of the keys of an episode; worked out once for all who ask."""
    return follow(judged.episode, judged.contract)


def _follows(
    episode: Episode, contract: Contract, requirement: str, *, also: frozenset[str] = frozenset()
) -> Iterator[Judgement]:
    """Judges that what was sent for one requirement went as the model of rules and keys allows; and the updates that
    were sent for other ones."""

    def is_judged(intent: Intent) -> bool:
        return intent.requirement == requirement or (intent.requirement in also and intent.operation == "update")

    if not any(is_judged(exchange.intent) for exchange in episode.exchanges):
        return
    history = _followed(_OneEpisode(episode, contract))
    contradictions = {contradiction.position: contradiction for contradiction in history.contradictions}
    for position in history.judged:
        exchange = episode.exchanges[position]
        answer = exchange.answer
        if not is_judged(exchange.intent) or answer is None:
            continue
        if _says_nothing(episode, contract, position, answer):
            continue
        if position not in contradictions:
            yield Kept(requirement)
            continue
        contradiction, is_read = contradictions[position], exchange.intent.operation == "read"
        stored = "not executed" if contradiction.is_behind else "executed"
        yield Violation(
            requirement,
            where(exchange),
            stored if is_read else f"answered {answer.status}",
            " or ".join(contradiction.expected),
            _told(contract, answer) + _unlike_the_first(episode, contract, position),
            tuple(range(position + 1)),
            compares_states=is_read,
        )


def _says_nothing(episode: Episode, contract: Contract, position: int, answer: Answer) -> bool:
    """Whether an answer says nothing of a key: it need not be taken, or its path leads elsewhere."""
    exchange = episode.exchanges[position]
    if exchange.intent.requirement == "idempotency.same-rule":
        return leads_elsewhere(contract, exchange, answer)
    return answer.is_refusal and _need_not_be_taken(episode, position)


def _need_not_be_taken(episode: Episode, position: int) -> bool:
    """Whether the key is one that may be refused: of characters that not every key may have, and that no other key of
    its length was accepted with."""
    key = episode.exchanges[position].intent.key or ""
    if CERTAIN_KEY.fullmatch(key):
        return False
    before = (exchange for exchange in episode.exchanges[:position] if exchange.answer is not None)
    taken = [exchange.intent.key or "" for exchange in before if exchange.answer and exchange.answer.is_success]
    return not any(len(other) == len(key) and set(key) <= {*other, *CERTAIN_MARKS} for other in taken)


def _answers(episode: Episode, contract: Contract, reading: str) -> Iterator[Judgement]:
    """The answers to an open question that every possibility of a history of keys gives in the same way."""
    if not any(exchange.intent.requirement.startswith("idempotency.") for exchange in episode.exchanges):
        return
    history = _followed(_OneEpisode(episode, contract))
    if history.contradictions or not history.possibilities:
        return
    common = set.intersection(*(set(possibility.tokens) for possibility in history.possibilities))
    yield from (Seen(name, token, kind) for name, token, kind in sorted(common) if name == reading)


def _told(contract: Contract, answer: Answer) -> str:
    marker = answer.part(contract.names.data).get(contract.names.marker)
    return described(contract, answer) + (f", {contract.names.marker} {marker!r}" if marker else "")


def _unlike_the_first(episode: Episode, contract: Contract, position: int) -> str:
    """Where a replay differs from the original answer, in words; empty where the status tells enough."""
    again = episode.exchanges[position]
    if again.intent.repeats is None or again.answer is None:
        return ""
    first = episode.exchanges[again.intent.repeats].answer
    if first is None or first.status != again.answer.status:
        return ""
    places = sorted(unlike(first.json(), again.answer.json(), but_for=f"/{contract.names.request_id}"), key=len)
    return f"; unlike the first answer at {', '.join(map(short, places[:NAMED]))}" if places else ""


CHECKS = run_by(
    ("idempotency.replay", replay),
    ("idempotency.no-reexecution", no_reexecution),
    ("idempotency.reuse-not-executed", reuse_not_executed),
    ("idempotency.per-caller", per_caller),
    ("idempotency.per-rule", per_rule),
    ("idempotency.auth-first", auth_first),
    ("idempotency.not-poisoned", not_poisoned),
    ("idempotency.any-key", any_key),
    ("idempotency.window", window),
    ("idempotency.without-key", without_key),
    ("idempotency.not-stuck", not_stuck),
    ("idempotency.same-rule", same_rule),
    ("idempotency.odd-keys", odd_keys),
    ("reading.replayed-request-id", replayed_request_id),
    ("reading.key-reuse", key_reuse),
    ("reading.key-on-other-rule", key_on_other_rule),
    ("reading.key-scope", key_scope),
    ("reading.body-identity", body_identity),
    ("reading.refusal-replayed", refusal_replayed),
    ("reading.after-window", after_window),
)
