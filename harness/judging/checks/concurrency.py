"""Requests that were released together: what came of them must be explainable by some order of whole updates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from rules_harness.harness.exchange import IN_PROGRESS, Answer, Episode, Exchange
from rules_harness.harness.judging.checks.common import changed_fields, described, is_gone, run_by, short, told
from rules_harness.harness.judging.checks.replacement import by_requirement
from rules_harness.harness.judging.outcome import Judgement, Kept, Seen, Violation, finding_id
from rules_harness.harness.judging.states import distance, same_answer, sent_body, state_shown
from rules_harness.openapi.contract import Contract

ELSEWHERE = frozenset({401, 403, 404})
"""What a refusal for other reasons is answered."""
ONE_KEY = "idempotency.concurrent"
OTHER_STORED = "another body is stored"


class Round(msgspec.Struct, frozen=True):
    """Requests that were released at one moment, and the reads of their rules that followed."""

    positions: tuple[int, ...]
    final: dict[str, int]
    """The position of the first read after the round, by rule."""
    requirement: str


def rounds(episode: Episode) -> Iterator[Round]:
    """Every round of an episode in which requests truly overlapped."""
    groups: dict[int, list[int]] = {}
    for position, exchange in enumerate(episode.exchanges):
        if exchange.intent.group is not None:
            groups.setdefault(exchange.intent.group, []).append(position)
    for positions in groups.values():
        sent = [episode.exchanges[position] for position in positions]
        updates = [exchange for exchange in sent if exchange.intent.operation == "update"]
        if not updates or _overlapping(sent) == 0:
            continue
        final: dict[str, int] = {}
        for position in range(positions[-1] + 1, len(episode.exchanges)):
            exchange = episode.exchanges[position]
            if exchange.intent.operation != "read":
                break
            final.setdefault(exchange.intent.rule, position)
        yield Round(tuple(positions), final, updates[0].intent.requirement)


def _overlapping(exchanges: Sequence[Exchange]) -> int:
    """How many pairs of requests were under way at the same time."""
    return sum(
        exchange.started < other.ended and other.started < exchange.ended
        for index, exchange in enumerate(exchanges)
        for other in exchanges[index + 1 :]
    )


def concurrent(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Of N simultaneous requests with one key exactly one executes; each answer is that one's, a 409, or, for other
    bodies, what reading.key-reuse accepts. Shown with distinct bodies too, since equal ones hide a second execution."""
    for round_ in rounds(episode):
        if round_.requirement != ONE_KEY:
            continue
        problem = _problem(episode, contract, round_)
        if problem is None:
            if len(_telling(episode, round_)) > 1:
                yield Kept(ONE_KEY)
        else:
            yield Violation(
                ONE_KEY,
                episode.exchanges[round_.positions[0]].intent.label,
                problem[0],
                "one request executes, and each answer is that one's, a 409, or a refusal of the reuse",
                problem[1],
                (*round_.positions, *round_.final.values()),
                compares_states=problem[0] == OTHER_STORED,
            )


def key_in_flight(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """What answers the simultaneous duplicates of a request with a key?"""
    for round_ in rounds(episode):
        first = episode.exchanges[round_.positions[0]]
        is_asked = round_.requirement == ONE_KEY and first.intent.group_bodies == "equal"
        answers = _telling(episode, round_)
        if is_asked and len(answers) > 1 and _problem(episode, contract, round_) is None:
            is_refused = any(answer.status == IN_PROGRESS for answer in answers)
            yield Seen("reading.key-in-flight", "409" if is_refused else "original")


def _telling(episode: Episode, round_: Round) -> list[Answer]:
    """The answers of a round that say something of its requests: not that they are to come again later."""
    answers = [answer for position in round_.positions if (answer := episode.exchanges[position].answer) is not None]
    return [answer for answer in answers if answer.is_success or (answer.is_refusal and not answer.is_put_off)]


def _problem(episode: Episode, contract: Contract, round_: Round) -> tuple[str, str] | None:
    """What shows that not exactly one of the requests of a round was executed, and in words."""
    sent = [(position, episode.exchanges[position]) for position in round_.positions]
    return _several_executed(contract, sent) or _odd_refusal(sent) or _other_stored(episode, contract, round_)


def _several_executed(contract: Contract, sent: list[tuple[int, Exchange]]) -> tuple[str, str] | None:
    """Successes that are not one and the same answer."""
    successes = [exchange for _, exchange in sent if exchange.answer is not None and exchange.answer.is_success]
    if not successes:
        answers = [exchange.answer for _, exchange in sent if exchange.answer is not None]
        refused = [answer for answer in answers if answer.is_refusal and not answer.is_put_off]
        return ("none executed", "every request was refused") if len(refused) == len(sent) else None
    first = successes[0].answer
    for other in successes[1:]:
        if first is not None and other.answer is not None and not same_answer(contract, first, other.answer):
            changed = changed_fields(contract, first.part(contract.names.data), other.answer.part(contract.names.data))
            what = "; ".join(told(difference) for difference in changed[:2]) or "two executions of the same body"
            return "two answers", f"{len(successes)} successes that are not one answer: {what}"
    return None


def _odd_refusal(sent: list[tuple[int, Exchange]]) -> tuple[str, str] | None:
    for _, exchange in sent:
        answer = exchange.answer
        if answer is None or answer.is_success or answer.is_put_off or answer.status in (502, 503, 504):
            continue
        # What refuses the reuse of a key executes nothing, whatever its status: `reading.key-reuse` has it.
        is_reuse = exchange.intent.group_bodies == "distinct" and answer.is_refusal and answer.status not in ELSEWHERE
        if answer.status != IN_PROGRESS and not is_reuse:
            return f"answered {answer.status}", f"{answer.status} to one of the simultaneous requests"
    return None


def _other_stored(episode: Episode, contract: Contract, round_: Round) -> tuple[str, str] | None:
    """The rule does not hold what the successful answer says."""
    answers = [
        exchange.answer
        for exchange in (episode.exchanges[position] for position in round_.positions)
        if exchange.answer is not None and exchange.answer.is_success
    ]
    for position in round_.final.values():
        state = state_shown(contract, episode.exchanges[position])
        if state is None or not answers or not answers[0].part(contract.names.data):
            continue
        changed = changed_fields(contract, answers[0].part(contract.names.data), state)
        if changed:
            return OTHER_STORED, "; ".join(told(difference) for difference in changed[:2])
    return None


def whole(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """After simultaneous updates of one rule it equals one of their bodies, whole; every read in between equals the
    state before or one written so far."""
    for round_ in rounds(episode):
        if round_.requirement != "concurrency.whole":
            continue
        group = [episode.exchanges[position] for position in round_.positions]
        updates = [exchange for exchange in group if exchange.intent.operation == "update"]
        yield from _own_answers(episode, contract, round_, updates)
        reads = [(p, episode.exchanges[p]) for p in (*round_.positions, *round_.final.values())]
        for position, read in reads:
            state = state_shown(contract, read)
            if state is None:
                continue
            if _explained(episode, contract, updates, read, state):
                yield Kept("concurrency.whole")
            else:
                in_between = position in round_.positions
                yield Violation(
                    "concurrency.whole",
                    "a read in between" if in_between else "the final state",
                    "no body of them, whole",
                    "the state before, or one of the simultaneous bodies, whole",
                    short({name: state.get(name) for name in contract.names.texts}),
                    (*round_.positions, position),
                    compares_states=True,
                    explained_by=min((_causes(contract, update, read) for update in updates), key=len),
                )


def _own_answers(episode: Episode, contract: Contract, round_: Round, updates: list[Exchange]) -> Iterator[Judgement]:
    """What simultaneous updates are answered, which is one of their bodies, whole; and reads that find no rule."""
    for exchange in (episode.exchanges[position] for position in round_.positions):
        answer, is_read = exchange.answer, exchange.intent.operation == "read"
        if answer is None:
            continue
        is_torn = not is_read and answer.is_success and _is_mixture(contract, updates, answer.part(contract.names.data))
        if is_torn or (is_gone(contract, exchange) and exchange.intent.rule in episode.facts.before):
            yield Violation(
                "concurrency.whole",
                "a read in between" if is_read else "the answer to one of them",
                f"the {contract.noun} is gone" if is_read else "no body of them, whole",
                "one of the simultaneous bodies, whole",
                described(contract, answer),
                round_.positions,
                compares_states=is_read,
                explained_by=() if is_read else _causes(contract, exchange, exchange),
            )


def _is_mixture(contract: Contract, updates: list[Exchange], data: Mapping[str, Any]) -> bool:
    """Whether a state begins as one of these bodies, which nobody else sends, and is none of them."""
    shown = data.get(contract.names.marker)
    is_ours = shown is not None and any(sent_body(update).get(contract.names.marker) == shown for update in updates)
    return is_ours and not any(_is_body(contract, update, data) for update in updates)


def _causes(contract: Contract, update: Exchange, read: Exchange) -> tuple[str, ...]:
    """The findings that what an answer shows of a body's update would be, had there been no other at the time."""
    if update.request.body is None or read.answer is None or not sent_body(update):
        return ()
    if not read.answer.part(contract.names.data):
        return ()
    differences = by_requirement(contract, update.request.body, read.answer.body)
    return tuple(
        sorted(
            {
                finding_id(name, difference.place, difference.kind)
                for name, ones in differences.items()
                for difference in ones
            }
        )
    )


def _explained(
    episode: Episode,
    contract: Contract,
    updates: list[Exchange],
    read: Exchange,
    state: Mapping[str, Any],
) -> bool:
    """Whether some order of whole updates, each at a moment of its own time under way, explains a read."""
    lag = episode.facts.settle_seconds
    for update in updates:
        if update.answer is not None and update.answer.is_refusal:
            continue
        if update.started >= read.ended or not _is_body(contract, update, state):
            continue
        if not any(_overwrites(other, update, read, lag) for other in updates):
            return True
    before = _state_before(episode, contract, min(update.started for update in updates), read.intent.rule)
    if before is None or changed_fields(contract, before, state):
        return False
    return not any(
        other.answer is not None and other.answer.is_success and other.ended + lag < read.started for other in updates
    )


def _overwrites(other: Exchange, update: Exchange, read: Exchange, lag: float) -> bool:
    """Whether another update certainly came after one and before a read."""
    done = other.answer is not None and other.answer.is_success
    return done and other.started > update.ended and other.ended + lag < read.started


def _is_body(contract: Contract, update: Exchange, state: Mapping[str, Any]) -> bool:
    return distance(contract, sent_body(update), state) == 0


def _state_before(episode: Episode, contract: Contract, moment: float, rule: str) -> Mapping[str, Any] | None:
    state: Mapping[str, Any] | None = episode.facts.before.get(rule)
    for exchange in episode.exchanges:
        if exchange.intent.rule == rule and exchange.ended <= moment:
            state = state_shown(contract, exchange) or state
    return state


def disabled(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """After simultaneous updates of an enabled rule it is disabled."""
    names = contract.names
    for round_ in rounds(episode):
        for rule, position in round_.final.items():
            state = state_shown(contract, episode.exchanges[position])
            if state is None or not _is_disabling(episode, contract, round_, rule):
                continue
            if state.get(names.status) == names.disabled:
                yield Kept("concurrency.disabled")
            else:
                yield Violation(
                    "concurrency.disabled",
                    "the final state",
                    f"stored {short(state.get(names.status))}",
                    names.disabled,
                    short(state.get(names.status)),
                    (*round_.positions, position),
                    compares_states=True,
                )


def _is_disabling(episode: Episode, contract: Contract, round_: Round, rule: str) -> bool:
    """Whether a round updated a rule for certain, and no body of it asks for another status; what is sent again may
    update nothing."""
    sent = [episode.exchanges[position] for position in round_.positions]
    updates = [exchange for exchange in sent if (exchange.intent.operation, exchange.intent.rule) == ("update", rule)]
    is_executed = any(exchange.answer is not None and exchange.answer.is_success for exchange in updates)
    statuses = {sent_body(exchange).get(contract.names.status) for exchange in updates}
    is_first = all(exchange.intent.repeats is None for exchange in updates)
    return is_executed and is_first and statuses == {contract.names.disabled}


def isolated(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Simultaneous updates of different rules do not mix."""
    requirement = "concurrency.isolated"
    for round_ in rounds(episode):
        if round_.requirement != requirement:
            continue
        for position in round_.positions:
            exchange = episode.exchanges[position]
            if exchange.intent.operation != "update" or exchange.answer is None or not exchange.answer.is_success:
                continue
            final = round_.final.get(exchange.intent.rule)
            state = state_shown(contract, episode.exchanges[final]) if final is not None else None
            data = exchange.answer.part(contract.names.data)
            if not data:
                continue
            is_other = data.get(contract.names.id) != exchange.intent.rule
            mixed = is_other or not _is_body(contract, exchange, data)
            by_state = not mixed and state is not None and not _is_body(contract, exchange, state)
            telling = episode.exchanges[final] if by_state and final is not None else exchange
            if not mixed and not by_state:
                yield Kept(requirement)
            else:
                yield Violation(
                    requirement,
                    f"different {contract.noun.plural}",
                    "not its own body",
                    f"each {contract.noun} holds the body that was sent to it",
                    described(contract, exchange.answer) + f", {short(data.get(contract.names.marker))}",
                    (position,) if final is None else (position, final),
                    compares_states=by_state,
                    explained_by=() if is_other else _causes(contract, exchange, telling),
                )


CHECKS = run_by(
    (ONE_KEY, concurrent),
    ("reading.key-in-flight", key_in_flight),
    ("concurrency.whole", whole),
    ("concurrency.disabled", disabled),
    ("concurrency.isolated", isolated),
)
