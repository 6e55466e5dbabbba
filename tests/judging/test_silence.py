"""Requests without an answer: who takes the blame, and when nobody does."""

from __future__ import annotations

import pytest

from rules_harness.harness.exchange import Aftermath, Answer, Episode, Exchange, FaultKind, Payload, Request
from rules_harness.harness.exchange import TransportFault as Fault
from rules_harness.harness.intent import Intent
from rules_harness.harness.judging.outcome import Violation
from rules_harness.harness.judging.tally import judge_episode
from rules_harness.openapi.contract import load

CONTRACT = load()
REQUEST = Request("PUT", "/rules/a")
RAW = Request("PUT", "/rules/a", raw=True)
SIZE = Intent(requirement="validation.size", body="size", label="size:large")
ODD_ID = Intent(requirement="not-found.odd-ids", existence="odd", label="id:nul")
TYPE = Intent(requirement="validation.type", body="broken", place="/status")
PLAIN = Intent(body="valid")


def violations(request: Request, intent: Intent, kind: FaultKind, aftermath: Aftermath) -> set[tuple[str, str | None]]:
    exchange = Exchange(request, Fault(kind, "10 s", aftermath), intent, 0, 1)
    judgements = judge_episode(Episode("one", "validation", "one", (exchange,)), CONTRACT)
    return {(one.requirement, one.level) for one in judgements if isinstance(one, Violation)}


@pytest.mark.parametrize("kind", ["timeout", "closed", "connect", "abandoned", "too-large", "malformed", "unsent"])
@pytest.mark.parametrize("intent", [SIZE, ODD_ID, TYPE, PLAIN])
def test_a_request_that_was_left_unanswered_once_breaks_nothing(intent: Intent, kind: FaultKind) -> None:
    assert violations(REQUEST, intent, kind, "") == set()


@pytest.mark.parametrize("kind", ["timeout", "closed"])
@pytest.mark.parametrize(
    ("intent", "requirement"),
    [
        (SIZE, "validation.size"),
        (ODD_ID, "not-found.odd-ids"),
        (TYPE, "envelope.no-server-error"),
        (PLAIN, "envelope.no-server-error"),
    ],
)
def test_what_takes_the_target_down_twice_breaks_its_requirement(
    intent: Intent, requirement: str, kind: FaultKind
) -> None:
    assert violations(REQUEST, intent, kind, "down") == {(requirement, None)}
    assert violations(REQUEST, intent, kind, "gone") == {(requirement, "should")}


@pytest.mark.parametrize(("aftermath", "is_silence"), [("again", True), ("down", False), ("gone", False)])
def test_what_the_connection_can_be_at_fault_for_is_marked(aftermath: Aftermath, is_silence: bool) -> None:
    """Not where the target itself was down."""
    exchange = Exchange(REQUEST, Fault("closed", "closed", aftermath), PLAIN, 0, 1)
    judgements = judge_episode(Episode("one", "validation", "one", (exchange,)), CONTRACT)
    assert [one.is_silence for one in judgements if isinstance(one, Violation)] == [is_silence]


def test_what_is_large_or_malformed_may_be_cut_off_but_not_kept_waiting() -> None:
    for request, intent in ((REQUEST, SIZE), (REQUEST, ODD_ID), (RAW, PLAIN)):
        assert violations(request, intent, "closed", "again") == set()
        assert len(violations(request, intent, "timeout", "again")) == 1
    assert violations(REQUEST, TYPE, "closed", "again") == {("envelope.no-server-error", None)}


def test_an_answer_that_is_cut_is_no_replay_of_one_that_is_whole() -> None:
    """A run takes in so much, and no more: what is left of a replay is not what was answered."""
    content = b'{"request_id": "r", "data": {"id": "a", "nickname": "n"}}'
    whole, part = (Answer(200, (), Payload.of(content[:length]), cut=length < 50) for length in (len(content), 40))
    first = Intent(rule="a", existence="own", body="valid", key="k", requirement="idempotency.replay")
    again = first.but(repeats=0)
    for answers in ((whole, part), (part, whole)):
        pairs = zip((first, again), answers, strict=True)
        exchanges = tuple(Exchange(REQUEST, answer, intent, at, at + 1) for at, (intent, answer) in enumerate(pairs))
        judgements = judge_episode(Episode("one", "idempotency", "one", exchanges), CONTRACT)
        broken = {one.requirement for one in judgements if isinstance(one, Violation)}
        assert {name for name in broken if name.startswith("idempotency.")} == set()


def test_of_an_answer_that_is_cut_nothing_but_its_status_and_its_leaks_is_judged() -> None:
    content = b'{"request_id": "r", "data": {"id": "a", "nickname": "' + b"n" * 100
    headers = (("Content-Type", "application/json"), ("X-Request-ID", "r"))
    answer = Answer(200, headers, Payload.of(content), leaks=("full",), cut=True)
    exchange = Exchange(REQUEST, answer, PLAIN, 0, 1)
    broken = [
        one.requirement
        for one in judge_episode(Episode("one", "update", "one", (exchange,)), CONTRACT)
        if isinstance(one, Violation)
    ]
    assert broken == ["envelope.no-leak"]
