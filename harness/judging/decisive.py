"""Which answers a judgement rests on, found out by asking the checks again with other answers in their place. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from rules_harness.harness.exchange import Answer, Episode, Exchange, Facts, Payload, TransportFault, only
from rules_harness.harness.judging.checks import CHECKS
from rules_harness.harness.judging.outcome import Finding, Judgement, Kept, Violation
from rules_harness.harness.judging.states import sent_body
from rules_harness.harness.judging.tally import closest, same_violation
from rules_harness.openapi.contract import Contract

_UNANSWERED: Final = TransportFault("unsent", "left out")
_MADE_AT: Final = "2026-01-01T00:00:00Z"


class Basis(msgspec.Struct, frozen=True):
    """What must be sent to see a finding again, by positions in its episode.

    With ``is_alone`` each request that shows it does so whatever was sent before and however its rule stood.
    """

    positions: tuple[int, ...]
    is_alone: bool
    compares_states: bool


class Statuses(msgspec.Struct, frozen=True):
    """Where the status of the answer at ``position`` decides: those that violate, and those with which it holds."""

    position: int
    violating: tuple[int, ...]
    holding: tuple[int, ...]


def basis_of(finding: Finding, episode: Episode, contract: Contract) -> Basis:
    """The exchanges that show a finding, if they do so alone; else everything up to the last of them."""
    wanted = violation_of(finding)
    seen = closest(wanted, _judged(episode, finding.requirement, contract))
    compares_states = seen is not None and seen.compares_states
    if not compares_states and _shows_alone(wanted, episode, contract):
        return Basis(tuple(sorted(finding.shown_by)), is_alone=True, compares_states=False)
    last = max(finding.shown_by, default=-1)
    return Basis(tuple(range(min(last + 1, len(episode.exchanges)))), is_alone=False, compares_states=compares_states)


def is_held(requirement: str, episode: Episode, positions: Iterable[int], contract: Contract) -> bool:
    """Whether the answers at these positions put a requirement to the test, and it held.

    Without them less of it would have been kept.
    """
    bare = episode
    for position in positions:
        bare = _with(bare, position, _UNANSWERED)
    return _kept(requirement, episode, contract) > _kept(requirement, bare, contract)


def telling_statuses(finding: Finding, episode: Episode, contract: Contract) -> Statuses | None:
    """What the status of the one answer that shows a finding says; ``None`` where it takes more to tell.

    In place of that answer stand ones that are right in all but their status.  Where the recorded status would be right
    then, something else is wrong.
    """
    if len(finding.shown_by) != 1:
        return None
    (position,) = finding.shown_by
    exchange, wanted = episode.exchanges[position], violation_of(finding)
    if exchange.answer is None or any(
        other.intent.group is not None or other.intent.window for other in episode.exchanges
    ):
        return None
    violating, holding = [], []
    for status in (status.value for status in HTTPStatus if status >= HTTPStatus.OK):
        probed = _with(episode, position, _right_but_for(status, exchange, contract))
        if same_violation(wanted, _judged(probed, finding.requirement, contract)) is not None:
            violating.append(status)
        elif is_held(finding.requirement, probed, (position,), contract):
            holding.append(status)
    if exchange.answer.status not in violating or not holding:
        return None
    return Statuses(position, tuple(violating), tuple(holding))


def violation_of(finding: Finding) -> Violation:
    """The violation that a finding is."""
    return Violation(
        finding.requirement, finding.place, finding.kind, finding.expected, finding.actual, finding.shown_by
    )


def _shows_alone(wanted: Violation, episode: Episode, contract: Contract) -> bool:
    """Whether what shows a violation shows it by itself; a replay and a read show what was sent before."""
    intents = [episode.exchanges[position].intent for position in wanted.shown_by]
    if not intents or any(intent.repeats is not None or intent.operation == "read" for intent in intents):
        return False
    alone = only(episode.exchanges, wanted.shown_by)
    if alone is None:
        return False
    bare = msgspec.structs.replace(episode, exchanges=alone, facts=Facts(readable=episode.facts.readable))
    return same_violation(wanted, _judged(bare, wanted.requirement, contract)) is not None


def _judged(episode: Episode, requirement: str, contract: Contract) -> Iterator[Judgement]:
    for check in CHECKS:
        if requirement in check.about:
            yield from check.judge(episode, contract)


def _kept(requirement: str, episode: Episode, contract: Contract) -> int:
    judgements = _judged(episode, requirement, contract)
    return sum(isinstance(judgement, Kept) and judgement.requirement == requirement for judgement in judgements)


def _with(episode: Episode, position: int, outcome: Answer | TransportFault) -> Episode:
    exchanges = list(episode.exchanges)
    exchanges[position] = msgspec.structs.replace(exchanges[position], outcome=outcome)
    return msgspec.structs.replace(episode, exchanges=tuple(exchanges))


def _right_but_for(status: int, exchange: Exchange, contract: Contract) -> Answer:
    """What a conforming target might answer with this status."""
    names, intent = contract.names, exchange.intent
    request_id = exchange.request.header(names.request_id_header) or "req_1"
    headers = (
        ("Content-Type", "application/json"),
        (names.request_id_header, request_id),
        ("WWW-Authenticate", names.auth_scheme),
        ("Allow", f"{contract.update.method}, GET"),
    )
    content: Mapping[str, Any]
    if status < HTTPStatus.MULTIPLE_CHOICES:
        made = {names.id: intent.rule, names.created_at: _MADE_AT, names.updated_at: _MADE_AT}
        data = {**sent_body(exchange), names.status: names.disabled, **made}
        content = {names.data: data} | ({} if names.request_id is None else {names.request_id: request_id})
    else:
        codes = {401: names.unauthorized, 403: names.forbidden, 404: names.not_found}
        message = f"'{intent.rule}' was not found." if status == HTTPStatus.NOT_FOUND else "It is refused."
        content = {names.error: {names.code: codes.get(status, "bad_request"), names.message: message}}
    return Answer(status, headers, Payload(text=json.dumps(content)))
