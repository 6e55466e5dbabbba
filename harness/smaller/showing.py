"""Whether what was sent again shows what it showed first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from rules_harness.harness.exchange import Episode, Exchange
from rules_harness.harness.judging.outcome import Judgement, Violation
from rules_harness.harness.judging.states import sent_body
from rules_harness.harness.judging.tally import judge_episode, same_violation
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.places import Pointer, body_place, visited


def shown_again(
    contract: Contract, episode: Episode, violation: Violation, recorded: Collection[int]
) -> Violation | None:
    """The same violation, if what was sent last of those that show it is at one of these positions.

    What was sent only to prepare the target does not count: it may show what an earlier attempt left behind.
    """

    def is_recorded(judgement: Judgement) -> bool:
        shown_by = judgement.shown_by if isinstance(judgement, Violation) else ()
        sent = [position for position in shown_by if episode.exchanges[position].intent.operation != "read"]
        return not sent or sent[-1] in recorded

    return same_violation(violation, filter(is_recorded, judge_episode(episode, contract)))


def writes_what_stays(contract: Contract, exchanges: Iterable[Exchange], violation: Violation) -> bool:
    """Whether what the first update that shows it should have cleared was sent by an earlier one of these, so that they
    show it on any target and not only where another request has left it behind."""
    sent_before = set[tuple[str, Pointer]]()
    for exchange in exchanges:
        if exchange.intent.operation != "update":
            continue
        rule, answer = exchange.intent.rule, exchange.answer
        sent = {pointer for path, pointer in _held(contract, sent_body(exchange)) if _is_alike(path, violation.place)}
        data = {} if answer is None else answer.part(contract.names.data)
        got = {pointer for path, pointer in _held(contract, data) if path == violation.place}
        if stayed := {(rule, pointer) for pointer in got - sent}:
            return bool(sent_before & stayed)
        sent_before |= {(rule, pointer) for pointer in sent}
    return False


def _held(contract: Contract, value: Mapping[str, Any]) -> Iterator[tuple[str, Pointer]]:
    """What a body or a state holds: the path of each place, and where it is."""
    for place, pointer, inner in visited(body_place(contract), value):
        if inner is not None:
            yield place.path, pointer


def _is_alike(path: str, other: str) -> bool:
    """Whether two paths are the same but for the alternatives that they lead through."""
    return re.sub(r":[^/]*", "", path) == re.sub(r":[^/]*", "", other)
