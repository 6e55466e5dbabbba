"""The checks that are about several requirements, or about none."""

from __future__ import annotations

from functools import partial

import pytest

from rules_harness.harness.judging.checks import CHECKS
from rules_harness.harness.judging.checks.generic import generic
from rules_harness.harness.judging.checks.replacement import stored_places
from rules_harness.harness.judging.checks.silence import unanswered
from rules_harness.harness.judging.outcome import Kept, Stored, Violation
from tests.judging.episodes import (
    CONTRACT,
    Outcome,
    Sent,
    action,
    answered,
    body,
    episode,
    lost,
    ok,
    put,
    refused,
    rule,
    steps,
)

HTML = (("Content-Type", "text/html"),)
MORE = body(steps=steps(action(limit={"period": "PER_WEEK", "amount_in_cents": 5})))
LIMIT = "/steps/*/actions/*:fixed_amount/limit"
boundary = partial(put, content="broken", boundary="missing")


def test_no_other_check_is_about_anything_but_one_thing() -> None:
    assert [check.judge for check in CHECKS if len(check.about) != 1] == [unanswered, stored_places, generic]


@pytest.mark.parametrize(
    ("outcome", "broken", "held"),
    [
        (refused(), set(), {"envelope.documented-status", "envelope.content-type", "envelope.error"}),
        (ok(), set(), {"envelope.documented-status", "envelope.content-type"}),
        (answered(500, {}), set(), set()),
        (refused(418), {"envelope.documented-status"}, {"envelope.content-type"}),
        (refused(headers=HTML), {"envelope.content-type"}, {"envelope.documented-status"}),
        (answered(400, {"error": "bad"}), {"envelope.error"}, {"envelope.content-type"}),
        (refused(413, headers=HTML), set(), set()),
        (refused(429), set(), set()),
        (lost(), set(), set()),
    ],
    ids=["refused", "accepted", "failed", "odd status", "odd type", "odd error", "an edge", "put off", "lost"],
)
def test_generic_checks_judge_the_cases_of_the_boundary(outcome: Outcome, broken: set[str], held: set[str]) -> None:
    judgements = list(generic(episode(boundary(outcome)), CONTRACT))
    assert {one.requirement for one in judgements if isinstance(one, Violation)} == broken
    assert {one.requirement for one in judgements if isinstance(one, Kept)} >= held
    if not broken and not held:
        assert judgements == []


def test_generic_checks_judge_nothing_else() -> None:
    assert list(generic(episode(put(answered(500, {}))), CONTRACT)) == []


def _stored(*sent: Sent) -> set[str]:
    found = stored_places(episode(*sent), CONTRACT)
    return {place for one in found if isinstance(one, Stored) for place in one.places}


def test_places_that_were_sent_and_given_back_are_stored() -> None:
    assert LIMIT in _stored(put(ok(rule(steps=MORE["steps"])), MORE))
    assert "condition:any" in _stored(put(shapes=("condition:any",)))


def test_places_that_were_not_given_back_or_not_sent_are_not_stored() -> None:
    assert LIMIT not in _stored(put(ok(), MORE))
    assert LIMIT not in _stored(put(ok(rule(steps=MORE["steps"]))))


@pytest.mark.parametrize(
    "sent",
    [
        put(refused(), MORE),
        put(ok(rule(steps=MORE["steps"])), MORE, content="open"),
        put(ok(rule(steps=MORE["steps"])), MORE, repeats=0),
        put(ok(data=...), MORE),
        put(lost(), MORE),
    ],
    ids=["refused", "open", "replayed", "without data", "lost"],
)
def test_nothing_is_stored_by_what_was_not_executed(sent: Sent) -> None:
    assert _stored(sent) == set()
