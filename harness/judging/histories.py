"""The states a rule may be in after a history, and the answers that may come, under each reading.  Pure.

A *possibility* is one consistent account of a history: whose body each rule holds, which request each key belongs to,
and the answers to open questions that this takes.  A history is followed exchange by exchange; possibilities that an
answer or a read contradicts are dropped.  Where none is left, the contract is violated at that exchange.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from rules_harness.harness.exchange import IN_PROGRESS, Answer, Episode, Exchange, parsed
from rules_harness.harness.judging.equality import differences_of_rules
from rules_harness.harness.judging.possibilities import (
    INITIAL,
    UNKNOWN,
    Behaviour,
    Contradiction,
    FollowedHistory,
    Possibility,
    owner_of,
)
from rules_harness.harness.judging.states import (
    distance,
    kind_of_refusal,
    kind_of_spelling,
    same_answer,
    sent_body,
    state_shown,
    telling_answer,
)
from rules_harness.openapi.contract import Contract

REUSE_STATUSES = (400, 409, 422)
TIMES_IN_PROGRESS = 3
"""After how many a 409 is not that of a request in progress: pauses lie between them."""
UNAUTHORIZED = {"unauthenticated": (401, 403), "no-permission": (403,), "outside-resources": (403,)}
FOREIGN_STATUSES = (403, 404)
MOST_POSSIBILITIES = 2_000
"""Each request that was lost doubles what may have become of its key; beyond so many nothing more is said."""
OTHER = "other_org"
"""The credential of another organization."""
Option = tuple[Possibility, Behaviour]
"""What may happen to an update, with the possibility that takes it."""


def follow(episode: Episode, contract: Contract) -> FollowedHistory:
    """Follow a history of single requests.

    What was lost, what failed, and each of several that were released together may have been executed or not.
    """
    return _Follower(episode, contract).follow()


class _Follower:
    def __init__(self, episode: Episode, contract: Contract):
        self.episode = episode
        self.contract = contract
        self.exchanges = episode.exchanges
        self.before: dict[str, Mapping[str, Any]] = dict(episode.facts.before)
        self.possibilities: set[Possibility] = {Possibility()}
        self.contradictions: list[Contradiction] = []
        self.judged: list[int] = []

    def follow(self) -> FollowedHistory:
        for position, exchange in enumerate(self.exchanges):
            intent = exchange.intent
            if intent.existence not in ("own", "foreign"):
                continue
            if intent.operation == "update":
                self._update(position, exchange)
            elif intent.operation == "read" and intent.group is None:
                self._read(position, exchange)
            if len(self.possibilities) > MOST_POSSIBILITIES:
                return FollowedHistory((), tuple(self.contradictions), tuple(self.judged))
        likely = {possibility for possibility in self.possibilities if possibility.is_of_one_mind} or self.possibilities
        return FollowedHistory(tuple(sorted(likely, key=str)), tuple(self.contradictions), tuple(self.judged))

    def _update(self, position: int, exchange: Exchange) -> None:
        if exchange.answer is not None and exchange.answer.is_put_off:
            return
        answer = telling_answer(exchange)
        if answer is None:
            self.possibilities |= {
                after for possibility in self.possibilities for after in self._in_doubt(possibility, position)
            }
            return
        options = [option for possibility in self.possibilities for option in self.options(possibility, position)]
        fitting = {
            self._after(possibility, behaviour, position)
            for possibility, behaviour in options
            if self._fits(behaviour, position, answer)
        }
        if not fitting and self._tells_nothing(position, answer, [behaviour for _, behaviour in options]):
            self.possibilities = {self._unknown(possibility, position) for possibility in self.possibilities}
            return
        self.judged.append(position)
        if fitting:
            self.possibilities = fitting
            return
        self.contradictions.append(
            Contradiction(position, tuple(sorted({behaviour.description for _, behaviour in options})))
        )
        self.possibilities = {self._as_seen(possibility, position, answer) for possibility in self.possibilities}

    def _in_doubt(self, possibility: Possibility, position: int) -> Iterator[Possibility]:
        """What may have become of a request whose answer does not tell, beside nothing at all: its key may be taken
        although it was refused, or is still in progress."""
        for renewed in self._renewed(possibility, position):
            taken = self._taking_its_key(renewed, position)
            yield taken.executing(self.exchanges[position].intent.rule, position)
            yield taken

    def _renewed(self, possibility: Possibility, position: int) -> Iterator[Possibility]:
        """The possibility, and the one in which a key whose window may be over belongs to this request from now on."""
        yield possibility
        if self.exchanges[position].intent.window == "beyond":
            yield self._entering(possibility, position)

    def _taking_its_key(self, possibility: Possibility, position: int) -> Possibility:
        """The possibility in which a key that no request had belongs to this one."""
        is_taken = owner_of(self.exchanges[position].intent) in dict(possibility.entries)
        return possibility if is_taken else self._entering(possibility, position)

    def _entering(self, possibility: Possibility, position: int) -> Possibility:
        """The possibility in which the key of a request, if it has one, belongs to it."""
        owner = owner_of(self.exchanges[position].intent)
        return possibility if owner is None else possibility.entering(owner, position)

    def _read(self, position: int, exchange: Exchange) -> None:
        state = state_shown(self.contract, exchange)
        if state is None:
            return
        rule = exchange.intent.rule
        if rule not in self.before and not self._was_sent_to(rule, position):
            self.before[rule] = state
        version = self.identify(rule, state, up_to=position)
        if not version:
            return
        fitting = {possibility for possibility in self.possibilities if possibility.held(rule) in (UNKNOWN, *version)}
        self.judged.append(position)
        if fitting:
            self.possibilities = fitting
            return
        held = sorted({possibility.held(rule) for possibility in self.possibilities})
        expected = tuple(self.named(other) for other in held)
        self.contradictions.append(Contradiction(position, expected, is_behind=max(version) < held[0]))
        self.possibilities = {possibility.executing(rule, min(version)) for possibility in self.possibilities}

    def _was_sent_to(self, rule: str, position: int) -> bool:
        earlier = (exchange.intent for exchange in self.exchanges[:position])
        return any(intent.rule == rule and intent.operation == "update" for intent in earlier)

    def options(self, possibility: Possibility, position: int) -> Iterator[Option]:
        """What may happen to an update in one possibility, each with the possibility that takes it."""
        intent = self.exchanges[position].intent
        if intent.access in UNAUTHORIZED:
            yield possibility, Behaviour("refuse", statuses=UNAUTHORIZED[intent.access])
        elif intent.access == "other-organization":
            yield possibility, Behaviour("refuse", statuses=FOREIGN_STATUSES)
        elif intent.access == "open" or intent.body not in ("valid", "open"):
            yield from self._anything(possibility, position)
        elif intent.key is None:
            yield from self._fresh(possibility, position)
        else:
            yield from self._keyed(possibility, position)

    def _anything(self, possibility: Possibility, position: int) -> Iterator[Option]:
        """A request that the model says nothing about: if it succeeded, it was executed or, by a used key, replayed."""
        for renewed in self._renewed(possibility, position):
            yield renewed, Behaviour("anything", position)
        key = self.exchanges[position].intent.key
        if key is not None and any(used == key for (_, used, _), _ in possibility.entries):
            yield possibility, Behaviour("nothing", position, enters=False)

    def _fresh(self, possibility: Possibility, position: int) -> Iterator[Option]:
        """An update that no earlier request stands in the way of; a body that is not firmly valid may be refused."""
        yield possibility, Behaviour("execute", position)
        if self.exchanges[position].intent.body == "open":
            yield possibility, Behaviour("refuse", statuses=tuple(range(400, 500)))

    def _keyed(self, possibility: Possibility, position: int) -> Iterator[Option]:
        intent = self.exchanges[position].intent
        used = [(owner, first) for owner, first in possibility.entries if owner[1] == intent.key]
        own = {rule: first for (caller, _, rule), first in used if caller == intent.caller}
        shared: dict[str, int] = {}
        for (caller, _, rule), first in used:
            if caller != intent.caller and (caller == OTHER) == (intent.caller == OTHER):
                shared[rule] = min(first, shared.get(rule, first))
        if not shared or intent.rule in own:
            yield from self._in_namespace(possibility, position, own)
            return
        yield from self._in_namespace(possibility.saying("reading.key-scope", "credential"), position, own)
        yield from self._in_namespace(possibility.saying("reading.key-scope", "organization"), position, shared)

    def _in_namespace(self, possibility: Possibility, position: int, firsts: Mapping[str, int]) -> Iterator[Option]:
        """What the key may mean where these requests used it first, by rule."""
        rule = self.exchanges[position].intent.rule
        if not firsts:
            yield from self._fresh(possibility, position)
        elif rule in firsts:
            yield from self._repeated(possibility, position, firsts[rule])
        else:
            yield from self._on_other_rule(possibility, position, min(firsts.values()))

    def _repeated(self, possibility: Possibility, position: int, first: int) -> Iterator[Option]:
        """The key belongs to an earlier request for the same rule."""
        intent, answer = self.exchanges[position].intent, telling_answer(self.exchanges[first])
        if answer is None:
            yield from self._anything(possibility, position)
        elif answer.is_refusal:
            yield from self._after_refusal(possibility, position, first, answer.status)
        elif intent.window == "beyond":
            yield possibility.saying("reading.after-window", "executes"), Behaviour("execute", position)
            yield from self._within_window(possibility.saying("reading.after-window", "original"), position, first)
        else:
            yield from self._within_window(possibility, position, first)

    def _within_window(self, possibility: Possibility, position: int, first: int) -> Iterator[Option]:
        sent, before = self.exchanges[position].request.body, self.exchanges[first].request.body
        replay = Behaviour("replay", first, enters=False)
        if sent == before:
            yield possibility, replay
        elif sent and before and parsed(sent) is not None and parsed(sent) == parsed(before):
            reading, kind = "reading.body-identity", kind_of_spelling(before, sent)
            yield possibility.saying(reading, "json-value", kind), replay
            yield from self._reused(possibility.saying(reading, "bytes", kind), position, first)
        else:
            yield from self._reused(possibility, position, first)

    def _reused(self, possibility: Possibility, position: int, first: int) -> Iterator[Option]:
        """The same key with another body: it is not executed; what it answers is open."""
        yield possibility.saying("reading.key-reuse", "original"), Behaviour("replay", first, enters=False)
        for status in self._refusals_of_reuse(position):
            refusal = Behaviour("refuse", statuses=(status,), enters=False)
            yield possibility.saying("reading.key-reuse", str(status)), refusal

    def _after_refusal(self, possibility: Possibility, position: int, first: int, status: int) -> Iterator[Option]:
        if status == 401:
            yield from self._fresh(possibility, position)
            return
        reading, kind = "reading.refusal-replayed", kind_of_refusal(self.exchanges[first].intent, status)
        yield from self._fresh(possibility.saying(reading, "not-stored", kind), position)
        kept = possibility.saying(reading, "stored", kind)
        yield kept, Behaviour("replay", first, enters=False)
        if self.exchanges[position].request.body == self.exchanges[first].request.body:
            # In progress, as far as this request goes: whether for good is for `idempotency.not-stuck`.
            yield possibility, Behaviour("refuse", statuses=(IN_PROGRESS,), enters=False)
            return
        for other in self._refusals_of_reuse(position):
            is_told = other != IN_PROGRESS or self._is_for_good(first, position)
            yield kept if is_told else possibility, Behaviour("refuse", statuses=(other,), enters=False)

    def _is_for_good(self, first: int, position: int) -> bool:
        """Whether a 409 to another body than the refused one cannot be its key's being in progress: the refused request
        got another answer when it was sent again, and this one has had no other, however often it was sent."""
        refused, sent = self.exchanges[first].request.body, self.exchanges[position].request.body
        answers = [
            (exchange.request.body, exchange.answer.status)
            for exchange in self.exchanges[first + 1 : position + 1]
            if exchange.intent.repeats == first and exchange.answer is not None
        ]
        is_settled = any(body == refused and status != IN_PROGRESS for body, status in answers)
        return is_settled and answers.count((sent, IN_PROGRESS)) >= TIMES_IN_PROGRESS

    def _refusals_of_reuse(self, position: int) -> list[int]:
        """With which statuses the reuse of a key may be refused: the usual ones, and whichever 4xx was answered."""
        answer = self.exchanges[position].answer
        return sorted({*REUSE_STATUSES, *({answer.status} if answer is not None and answer.is_refusal else ())})

    def _on_other_rule(self, possibility: Possibility, position: int, first: int) -> Iterator[Option]:
        answer, reading = self.exchanges[first].answer, "reading.key-on-other-rule"
        if answer is None or not answer.is_success:
            yield from self._fresh(possibility, position)
        else:
            yield possibility.saying(reading, "executes"), Behaviour("execute", position)
        for status in self._refusals_of_reuse(position):
            yield possibility.saying(reading, str(status)), Behaviour("refuse", statuses=(status,), enters=False)

    def _fits(self, behaviour: Behaviour, position: int, answer: Answer) -> bool:
        if behaviour.act in ("anything", "nothing"):
            return True
        if behaviour.act == "refuse":
            return answer.status in behaviour.statuses
        if behaviour.act == "replay":
            original = self.exchanges[behaviour.of].answer
            return original is not None and same_answer(self.contract, original, answer)
        # Equal bodies hide whose answer it is; its id does not.
        id = answer.part(self.contract.names.data).get(self.contract.names.id)
        own, others = self.exchanges[position].intent.rule, {exchange.intent.rule for exchange in self.exchanges}
        is_of_other = id != own and id in others
        return answer.is_success and not is_of_other and position in self.shown_by(position, answer)

    def _after(self, possibility: Possibility, behaviour: Behaviour, position: int) -> Possibility:
        exchange = self.exchanges[position]
        intent, answer = exchange.intent, exchange.answer
        executed = behaviour.act == "execute" or (
            behaviour.act == "anything" and answer is not None and answer.is_success
        )
        if not executed:
            return self._taking_its_key(possibility, position) if behaviour.enters else possibility
        return self._entering(possibility.executing(intent.rule, position), position)

    def _tells_nothing(self, position: int, answer: Answer, options: list[Behaviour]) -> bool:
        """A success of an update that must execute, and whose `data` is neither its own nor another answer's.

        That is for the requirements of full replacement; nothing follows from it for keys.
        """
        if not answer.is_success or any(behaviour.act != "execute" for behaviour in options):
            return False
        earlier = (exchange.answer for exchange in self.exchanges[:position] if exchange.intent.operation == "update")
        return not any(same_answer(self.contract, other, answer) for other in earlier if other is not None)

    def _as_seen(self, possibility: Possibility, position: int, answer: Answer) -> Possibility:
        """A possibility that goes on from what an impossible answer seems to say."""
        intent = self.exchanges[position].intent
        if not answer.is_success or intent.repeats is not None:
            return possibility
        if position in self.shown_by(position, answer):
            return possibility.executing(intent.rule, position)
        return self._unknown(possibility, position)

    def _unknown(self, possibility: Possibility, position: int) -> Possibility:
        """A possibility in which an update took its key, and nobody can tell what its rule holds now."""
        return self._entering(possibility.executing(self.exchanges[position].intent.rule, UNKNOWN), position)

    def shown_by(self, position: int, answer: Answer) -> frozenset[int]:
        """Whose body the `data` of an answer shows, as far as can be seen; an answer without one speaks for itself."""
        data = answer.part(self.contract.names.data)
        return self.identify(self.exchanges[position].intent.rule, data, position) if data else frozenset({position})

    def identify(self, rule: str, state: Mapping[str, Any], up_to: int) -> frozenset[int]:
        """The requests so far whose body a state is nearest to; several where their bodies are the same."""
        distances: dict[int, int] = {}
        if rule in self.before:
            distances[INITIAL] = sum(1 for _ in differences_of_rules(self.contract, self.before[rule], state))
        distance_to = functools.cache(lambda body: distance(self.contract, parsed(body), state))
        for position, exchange in enumerate(self.exchanges[: up_to + 1]):
            if exchange.intent.operation == "update" and sent_body(exchange):
                distances[position] = distance_to(exchange.request.body)
        nearest = min(distances.values(), default=0)
        return frozenset(position for position, distance in distances.items() if distance == nearest)

    def named(self, position: int) -> str:
        if position == INITIAL:
            return "the state before"
        label = self.exchanges[position].intent.label
        return f"the body of request {position + 1}" + (f" ({label})" if label else "")
