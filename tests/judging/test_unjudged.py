"""Why an episode says nothing of what it was made to judge: the first obstacle on the way."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rules_harness.harness.exchange import Answer, Episode, Exchange, Facts, Request, TransportFault
from rules_harness.harness.intent import Intent
from rules_harness.harness.judging.outcome import Kept
from rules_harness.harness.judging.unjudged import unjudged

REQUIREMENT = "status.stored"
UPDATE = Intent(rule="rule_a", body="valid", requirement=REQUIREMENT)
SETUP = Intent(rule="rule_a", body="valid", purpose="setup")
READ = Intent(rule="rule_a", operation="read", purpose="read")
STRANGER = Intent(rule="rule_a", body="valid", access="no-permission")
Outcome = Answer | TransportFault


def exchange(intent: Intent, outcome: Outcome) -> Exchange:
    return Exchange(Request("PUT", "/rules/rule_a"), outcome, intent, 0.0, 0.1)


def episode(*exchanges: Exchange, readable: bool = True) -> Episode:
    return Episode("status/stored", "status", "stored", exchanges, Facts(readable=readable), about=(REQUIREMENT,))


@pytest.mark.parametrize(
    ("exchanges", "reason"),
    [
        ([(UPDATE, TransportFault("timeout", "none within 2 s"))], "a request got no answer (timeout)"),
        ([(UPDATE, Answer(429))], "the target asked to come again later (429)"),
        ([(UPDATE, Answer(503, (("Retry-After", "1"),)))], "the target asked to come again later (503)"),
        ([(SETUP, Answer(500)), (UPDATE, Answer(200))], "what prepared it was answered 500"),
        ([(UPDATE, Answer(200)), (READ, Answer(404))], "a read was answered 404"),
        ([(UPDATE, Answer(422))], "a plausible body was refused (422)"),
        ([(STRANGER, Answer(403))], "no answer was to the point: 403"),
        ([], "no answer was to the point: nothing was sent"),
    ],
)
def test_the_first_obstacle_is_the_reason(exchanges: Sequence[tuple[Intent, Outcome]], reason: str) -> None:
    asked = episode(*(exchange(intent, outcome) for intent, outcome in exchanges))
    assert [*unjudged(asked, [])] == [(REQUIREMENT, reason)]


def test_without_reads_states_cannot_be_compared() -> None:
    (left,) = unjudged(episode(exchange(UPDATE, Answer(200)), readable=False), [])
    assert left == (REQUIREMENT, "the target has no companion GET, so that states cannot be compared")


def test_what_was_judged_needs_no_reason() -> None:
    assert [*unjudged(episode(exchange(UPDATE, Answer(429))), [Kept(REQUIREMENT)])] == []
