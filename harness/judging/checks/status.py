"""An update disables: "the update will set it to disabled and require a human to review and re-enable it"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from rules_harness.harness.exchange import Answer, Episode, Exchange
from rules_harness.harness.judging.checks.common import described, run_by, short, state_of
from rules_harness.harness.judging.outcome import Judgement, Kept, Seen, Violation
from rules_harness.harness.judging.states import sent_body
from rules_harness.openapi.contract import Contract

NOT_REACHED = (401, 404, 405)
"""What is answered where nothing can be triggered, or not with this key."""


class Change(msgspec.Struct, frozen=True):
    """One request to a rule whose status was known, and what the next read shows."""

    position: int
    exchange: Exchange
    answer: Answer
    before: Any
    after: Any
    read_at: int | None
    alone: bool
    """Nothing else was sent to the rule between the reads."""


def changes(episode: Episode, contract: Contract) -> Iterator[Change]:
    """Every answered update of an own rule, between the status known before it and the next read."""
    name = contract.names.status
    known: dict[str, Any] = {rule: state.get(name) for rule, state in episode.facts.before.items()}
    waiting: dict[str, list[tuple[int, Any]]] = {}
    for position, exchange in enumerate(episode.exchanges):
        rule = exchange.intent.rule
        if exchange.intent.operation != "read":
            waiting.setdefault(rule, []).append((position, known.get(rule)))
            known[rule] = _status_after(contract, exchange, known.get(rule))
            continue
        state = state_of(contract, exchange)
        if state is not None:
            yield from _read(episode, waiting.pop(rule, []), state.get(name), position)
            known[rule] = state.get(name)
    for left in waiting.values():
        yield from _read(episode, left, None, None)


def _status_after(contract: Contract, exchange: Exchange, before: Any) -> Any:
    """The status that a rule has after a request, as far as its answer tells."""
    answer, intent = exchange.answer, exchange.intent
    if answer is None or answer.status >= 500 or intent.group is not None:
        return None
    if not answer.is_success or intent.operation == "trigger" or intent.repeats is not None:
        return before
    return answer.part(contract.names.data).get(contract.names.status) if intent.operation == "update" else None


def _read(episode: Episode, sent: list[tuple[int, Any]], after: Any, read_at: int | None) -> Iterator[Change]:
    for position, before in sent:
        exchange = episode.exchanges[position]
        intent = exchange.intent
        is_single = intent.operation == "update" and intent.group is None and intent.existence == "own"
        if exchange.answer is not None and is_single:
            yield Change(position, exchange, exchange.answer, before, after, read_at, alone=len(sent) == 1)


def _is_executed(change: Change) -> bool:
    intent = change.exchange.intent
    return change.answer.is_success and intent.repeats is None and intent.access == "allowed"


def enabled_becomes_disabled(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """An update of an enabled rule leaves it disabled, whatever `status` the body carries, whatever else changes or
    does not, whatever trigger or actions, with or without a key."""
    names = contract.names
    for change in changes(episode, contract):
        if change.before == names.enabled and _is_executed(change):
            yield from _is_disabled("status.enabled-becomes-disabled", contract, change, "answers")


def stored(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """The stored status (GET) is disabled too: the answer does not just say so."""
    for change in changes(episode, contract):
        if (
            change.before == contract.names.enabled
            and _is_executed(change)
            and change.read_at is not None
            and change.alone
        ):
            yield from _is_disabled("status.stored", contract, change, "stored as")


def stays_disabled(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """An update of a disabled rule whose body says disabled leaves it disabled."""
    names = contract.names
    for change in changes(episode, contract):
        says = sent_body(change.exchange).get(names.status)
        if change.before != names.disabled or says != names.disabled or not _is_executed(change):
            continue
        yield from _is_disabled("status.stays-disabled", contract, change, "answers")
        if change.read_at is not None and change.alone:
            yield from _is_disabled("status.stays-disabled", contract, change, "stored as")


def no_enable_by_body(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A body saying `enabled` does not enable a disabled rule."""
    for _, status in _enabled_by_body(episode, contract):
        if status == contract.names.disabled:
            yield Kept("status.no-enable-by-body")


def enable_by_body(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """What does `status` enabled in the body do to a disabled rule?"""
    for change, status in _enabled_by_body(episode, contract):
        token = "stays-disabled" if status == contract.names.disabled else "becomes-enabled"
        yield Seen("reading.enable-by-body", token, "", _shown_by(change))


def _enabled_by_body(episode: Episode, contract: Contract) -> Iterator[tuple[Change, str]]:
    """Executed updates of a disabled rule whose body says enabled, each with the status that the rule has then."""
    names = contract.names
    for change in changes(episode, contract):
        says = sent_body(change.exchange).get(names.status)
        if change.before != names.disabled or says != names.enabled or not _is_executed(change) or not change.alone:
            continue
        answered = change.answer.part(names.data).get(names.status)
        status = change.after if change.read_at is not None else answered
        if status in (names.enabled, names.disabled):
            yield change, status


def rejected_keeps(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A refused update (any 4xx) leaves an enabled rule enabled."""
    names = contract.names
    for change in changes(episode, contract):
        if change.before != names.enabled or not change.answer.is_refusal or change.read_at is None or not change.alone:
            continue
        if change.after == names.enabled:
            yield Kept("status.rejected-keeps")
        else:
            yield Violation(
                "status.rejected-keeps",
                _place(contract),
                f"{short(change.after)} after a refusal",
                f"the {contract.noun} stays enabled",
                f"refused with {change.answer.status}, and the {contract.noun} is {short(change.after)}",
                _shown_by(change),
                compares_states=True,
            )


def replay_keeps(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A replayed answer neither enables nor disables anything: a rule that a human re-enabled after the first update
    stays enabled."""
    for change in changes(episode, contract):
        intent = change.exchange.intent
        if intent.requirement != "status.replay-keeps" or intent.repeats is None:
            continue
        first = episode.exchanges[intent.repeats].answer
        if first is None or not first.is_success:
            continue  # what nobody knows to have been executed may be executed now
        if change.before is None or change.read_at is None or not change.alone:
            continue
        if change.after == change.before:
            yield Kept("status.replay-keeps")
        else:
            yield Violation(
                "status.replay-keeps",
                _place(contract),
                f"{short(change.before)} becomes {short(change.after)}",
                f"the {contract.noun} stays {short(change.before)}",
                f"after the replay it is {short(change.after)}",
                _shown_by(change),
                compares_states=True,
            )


def not_triggerable(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """After the update the rule cannot be triggered until a human enables it."""
    for position, exchange in enumerate(episode.exchanges):
        answer = exchange.answer
        if exchange.intent.requirement != "status.not-triggerable" or answer is None:
            continue
        if answer.is_refusal and not answer.is_put_off and answer.status not in NOT_REACHED:
            yield Kept("status.not-triggerable")
        elif answer.is_success:
            yield Violation(
                "status.not-triggerable",
                exchange.intent.label,
                f"answered {answer.status}",
                "a refusal",
                described(contract, answer),
                (position,),
            )


def _is_disabled(requirement: str, contract: Contract, change: Change, verb: str) -> Iterator[Judgement]:
    names = contract.names
    data = change.answer.part(contract.names.data)
    if verb == "answers" and not data:
        return
    status = change.after if verb == "stored as" else data.get(names.status)
    if status == names.disabled:
        yield Kept(requirement)
        return
    yield Violation(
        requirement,
        _place(contract),
        f"{verb} {short(status)}",
        names.disabled,
        f"{verb} {short(status)}",
        _shown_by(change) if verb == "stored as" else (change.position,),
        compares_states=verb == "stored as",
    )


def _place(contract: Contract) -> str:
    """One place for every request that shows it: what else the body holds is not what went wrong."""
    return f"/{contract.names.status}"


def _shown_by(change: Change) -> tuple[int, ...]:
    return (change.position,) if change.read_at is None else (change.position, change.read_at)


CHECKS = run_by(
    ("status.enabled-becomes-disabled", enabled_becomes_disabled),
    ("status.stored", stored),
    ("status.stays-disabled", stays_disabled),
    ("status.no-enable-by-body", no_enable_by_body),
    ("reading.enable-by-body", enable_by_body),
    ("status.rejected-keeps", rejected_keeps),
    ("status.replay-keeps", replay_keeps),
    ("status.not-triggerable", not_triggerable),
)
