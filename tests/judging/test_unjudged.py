"""Why an episode says nothing of what it was made to judge: the first obstacle on the way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec
import pytest

from rules_harness.harness.exchange import Episode, Facts
from rules_harness.harness.judging.outcome import Kept
from rules_harness.harness.judging.unjudged import unanswered_in, unjudged
from tests.judging.episodes import JSON, Sent, answered, episode, get, lost, ok, put, refused

REQUIREMENT = "status.stored"
LATER = (*JSON, ("Retry-After", "1"))
update = partial(put, requirement=REQUIREMENT)
setup = partial(put, purpose="setup")


def asking(*sent: Sent, readable: bool = True) -> Episode:
    return msgspec.structs.replace(episode(*sent), facts=Facts(readable=readable), about=(REQUIREMENT,))


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ([update(lost("timeout"))], "a request got no answer (timeout)"),
        ([update(lost("unsent"))], f"a request did not leave: {lost('unsent').detail}"),
        ([update(refused(429))], "the target asked to come again later (429)"),
        ([update(refused(503, headers=LATER))], "the target asked to come again later (503)"),
        ([setup(answered(500, {})), update(ok())], "what prepared it was answered 500"),
        ([update(ok()), get(refused(404))], "a read was answered 404"),
        ([update(refused(422))], "a plausible body was refused (422)"),
        ([put(refused(403), access="no-permission")], "no answer was to the point: 403"),
        ([], "no answer was to the point: nothing was sent"),
    ],
)
def test_the_first_obstacle_is_the_reason(sent: Sequence[Sent], reason: str) -> None:
    assert [*unjudged(asking(*sent), [])] == [(REQUIREMENT, reason)]


def test_without_reads_states_cannot_be_compared() -> None:
    (left,) = unjudged(asking(update(ok()), readable=False), [])
    assert left == (REQUIREMENT, "the target has no companion GET, so that states cannot be compared")


def test_what_was_judged_needs_no_reason() -> None:
    assert [*unjudged(asking(update(refused(429))), [Kept(REQUIREMENT)])] == []


def test_what_never_left_is_no_error() -> None:
    assert unanswered_in(asking(update(lost("timeout")))).keys() == {REQUIREMENT}
    assert unanswered_in(asking(update(lost("unsent")))) == {}
