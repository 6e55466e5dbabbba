"""Full replacement: what was sent is what is there afterwards, all of it and nothing else."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from rules_harness.harness.exchange import Episode, Payload, parsed
from rules_harness.harness.intent import BodyKind
from rules_harness.harness.judging.checks.common import executed, run_by, short, state_of, told
from rules_harness.harness.judging.equality import (
    STRUCTURE_ROLES,
    Difference,
    differences,
    differences_from_body,
    left_behind,
)
from rules_harness.harness.judging.outcome import Judgement, Kept, Stored, Violation
from rules_harness.harness.judging.states import sent_body
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.places import body_place
from rules_harness.strategies.shapes import places_of, standing_of

STAYS = "update.omitted-stays"
COMPARED: Final = frozenset[BodyKind]({"valid", "open", "size"})
"""Bodies that say nothing wrong in the fields of the contract: where one is accepted they are stored as sent."""


def replaces(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """After a success, `data` equals the body in every field of the contract that the client sent, apart from `status`
    and documented defaults."""
    for sent in _replacements(episode, contract):
        yield from _compared("update.replaces", contract, sent)


def omitted_is_cleared(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """An optional field left out is null afterwards, not the old value; an explicit null is null."""
    for sent in _replacements(episode, contract):
        yield from _compared("update.omitted-is-cleared", contract, sent)


def omitted_stays(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A field left out keeps its value; an explicit null is null."""
    for sent in _replacements(episode, contract):
        if by_requirement(contract, sent.sent, sent.answer).get(STAYS):
            yield from _compared(STAYS, contract, sent)
    for position, before, body, data in _changes(episode, contract):
        left_out = body_place(contract).properties.keys() - body.keys() - {contract.names.status}
        changed = _changed(contract, left_out & before.keys(), before, data)
        if left_out and not changed:
            yield Kept(STAYS)
        for difference in changed:
            yield Violation(
                STAYS,
                difference.place,
                difference.kind,
                f"{difference.place} as it was before: {short(difference.sent)}",
                told(difference),
                (position,),
                inferred_place=standing_of(contract, difference.place) == "inferred",
            )


def steps_replaced(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Steps and actions are replaced: not merged, appended, reordered, renumbered or cut."""
    for sent in _replacements(episode, contract):
        yield from _compared("update.steps-replaced", contract, sent)


def amounts_exact(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Amounts survive exactly or are refused, percentages with their fraction, also those beyond what the schema
    allows: an amount that was accepted and altered breaks this, whatever else it breaks; the range that was tried is
    reported."""
    for sent in _replacements(episode, contract, "broken"):
        yield from _compared("update.amounts-exact", contract, sent)


def _changed(
    contract: Contract, names: Collection[str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Difference]:
    """Where these fields of two states differ, in the schema's order."""
    fields = body_place(contract).properties
    pairs = ((field, before[name], after.get(name)) for name, field in fields.items() if name in names)
    return [difference for pair in pairs for difference in differences(*pair)]


def _changes(
    episode: Episode, contract: Contract
) -> Iterator[tuple[int, Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]]:
    """The executed updates before which a state is known, each with its position, that state, its body and its data.

    A state is known by a read, or by the answer to an update, as long as nothing else was sent to the rule, then or at
    the same time.
    """
    known: dict[str, Mapping[str, Any]] = dict(episode.facts.before)
    answers = {position: answer for position, _, answer in executed(episode)}
    busy: dict[str, float] = {}
    for position, exchange in enumerate(episode.exchanges):
        rule, is_apart = exchange.intent.rule, exchange.started >= busy.get(exchange.intent.rule, 0.0)
        if exchange.intent.operation == "update":
            busy[rule] = max(busy.get(rule, 0.0), exchange.ended)
            before = known.pop(rule, None)
            following = episode.exchanges[position + 1 :]
            is_apart &= all(other.started >= exchange.ended for other in following if other.intent.rule == rule)
            data = answers[position].part(contract.names.data) if position in answers else {}
            body = sent_body(exchange)
            if is_apart and data:
                known[rule] = data
                if before and body and exchange.intent.body in ("valid", "open"):
                    yield position, before, body, data
        elif is_apart and (state := state_of(contract, exchange)) is not None:
            known[rule] = state


class Replacement(msgspec.Struct, frozen=True):
    """An executed update of which body, answer and, as far as known, the state before can be compared."""

    position: int
    sent: Payload
    answer: Payload
    before: Mapping[str, Any] | None


def _replacements(episode: Episode, contract: Contract, *more: BodyKind) -> Iterator[Replacement]:
    """The executed updates whose bodies are as the contract has them, or of further kinds, apart from bodies that say
    one thing twice."""
    known: dict[str, Mapping[str, Any]] = dict(episode.facts.before)
    for position, exchange, answer in executed(episode):
        intent, data = exchange.intent, answer.part(contract.names.data)
        before = known.get(intent.rule)
        known[intent.rule] = data or before or {}
        is_compared = intent.body in {*COMPARED, *more} and intent.reading != "reading.duplicate-names"
        if is_compared and exchange.request.body is not None and sent_body(exchange) and data:
            yield Replacement(position, exchange.request.body, answer.body, before)


def _compared(requirement: str, contract: Contract, sent: Replacement) -> Iterator[Judgement]:
    """Judges one replacement by one of the requirements that its differences may break."""
    differences = by_requirement(contract, sent.sent, sent.answer)
    compared = list(differences.get(requirement, ()))
    if requirement == "update.omitted-is-cleared" and not differences:
        body, answer = parsed(sent.sent), parsed(sent.answer)
        compared = list(left_behind(body_place(contract), body, answer[contract.names.data], sent.before))
    if not compared:
        yield Kept(requirement)
    for first in {difference.place: difference for difference in reversed(compared)}.values():
        yield Violation(
            requirement,
            first.place,
            first.kind,
            f"{first.place} as it was sent: {short(first.sent)}",
            told(first),
            (sent.position,),
            inferred_place=standing_of(contract, first.place) == "inferred",
        )


@functools.lru_cache(maxsize=64)
def by_requirement(contract: Contract, sent: Payload, answer: Payload) -> Mapping[str, Sequence[Difference]]:
    """The differences between a body and the answer to it, each under the requirement that it breaks."""
    body, data = parsed(sent), parsed(answer)[contract.names.data]
    sorted_out: dict[str, list[Difference]] = {}
    for difference in differences_from_body(contract, body, data):
        if difference.place == f"/{contract.names.status}":
            continue
        is_structure = difference.kind in ("length", "order") and bool(difference.roles & STRUCTURE_ROLES)
        if is_structure or "group-index" in difference.roles:
            requirement = "update.steps-replaced"
        elif difference.kind == "not-cleared":
            is_replaced = contract.update.is_full_replacement
            requirement = "update.omitted-is-cleared" if is_replaced else STAYS
        elif difference.is_number:
            requirement = "update.amounts-exact"
        else:
            requirement = "update.replaces"
        sorted_out.setdefault(requirement, []).append(difference)
    return sorted_out


def stored_places(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Which places the target accepts, stores and gives back."""
    for _, exchange, answer in executed(episode):
        body, data = sent_body(exchange), answer.part(contract.names.data)
        if exchange.intent.body == "valid" and body and data:
            given_back = places_of(contract, body) & places_of(contract, data)
            yield Stored((*sorted(given_back), *exchange.intent.shapes))


CHECKS = run_by(
    ("update.replaces", replaces),
    ("update.omitted-is-cleared", omitted_is_cleared),
    (STAYS, omitted_stays),
    ("update.steps-replaced", steps_replaced),
    ("update.amounts-exact", amounts_exact),
    ((), stored_places),
)
