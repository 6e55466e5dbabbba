"""The model explains every history that the contract allows, and no broken promise."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import get_args, get_type_hints

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules_harness.harness.judging.histories import MOST_POSSIBILITIES, follow
from rules_harness.harness.judging.possibilities import FollowedHistory
from tests.judging.episodes import CONTRACT, episode, lost
from tests.judging.keyed import again, use
from tests.judging.simulated import OURS, THEIRS, Break, Lost, Read, Step, Target, Tokens, Update

KEYS = ("order-0001-a", "order-0001-b")
READINGS = {
    "key_reuse": "reading.key-reuse",
    "on_other_rule": "reading.key-on-other-rule",
    "key_scope": "reading.key-scope",
    "body_identity": "reading.body-identity",
    "refusal_replayed": "reading.refusal-replayed",
    "after_window": "reading.after-window",
}

ONE, TWO = OURS
A, B = KEYS
BROKEN: dict[Break, tuple[list[Step], int]] = {
    "replay executes": ([Update(key=A), Update(key=A)], 1),
    "replay executes, answers the original": ([Update(key=A), Update(key=B, body=2), Update(key=A), Read()], 3),
    "reuse executes": ([Update(key=A), Update(key=A, body=2)], 1),
    "reuse executes, then refuses": ([Update(key=A), Update(key=A, body=2), Read()], 2),
    "other rule answers the first": ([Update(key=A), Update(TWO, key=A, body=2)], 1),
    "other rule gets the stored request": ([Update(key=A), Update(TWO, key=A, body=2), Read(TWO)], 1),
    "other organization gets the answer": ([Update(key=A), Update(THEIRS, "other_org", A, 2)], 1),
    "stored answer without permission": ([Update(key=A), Update(caller="read_only", key=A)], 1),
    "401 is stored": ([Update(caller="none", key=A), Update(key=A)], 1),
    "without key nothing executes twice": ([Update(), Update(body=2), Update(), Read()], 2),
    "keys cut short": ([Update(key=A), Update(key=B, body=2)], 1),
}
"""For each broken promise a history that shows it, and the position at which it must show."""

tokens = st.builds(Tokens, **{name: st.sampled_from(get_args(hint)) for name, hint in get_type_hints(Tokens).items()})
updates = st.one_of(
    st.builds(
        Update,
        rule=st.sampled_from(OURS),
        caller=st.sampled_from(("full", "full", "limited", "none", "read_only")),
        key=st.sampled_from((None, *KEYS, *KEYS)),
        body=st.integers(1, 3),
        spaced=st.booleans(),
        broken=st.sampled_from((False, False, False, True)),
        late=st.sampled_from((False,) * 7 + (True,)),
        lost=st.sampled_from(("",) * 7 + get_args(Lost)[1:]),
    ),
    st.builds(Update, rule=st.just(THEIRS), caller=st.just("other_org"), key=st.sampled_from(KEYS)),
)
reads = st.builds(Read, rule=st.sampled_from((*OURS, THEIRS)))
histories = st.lists(st.one_of(updates, updates, reads), max_size=12)


def _followed(history: list[Step], chosen: Tokens, broken: Break = "") -> FollowedHistory:
    return follow(Target(chosen, broken).recorded(history), CONTRACT)


LATE_REFUSAL: list[Step] = [Update(key=A), Update(key=A, broken=True, late=True), Update(key=A)]
LATE_LOSS: list[Step] = [Update(key=A), Update(key=A, late=True, lost="its answer"), Update(key=A)]
"""A key whose window is over is taken by a request that was refused, or whose answer never came."""


@pytest.mark.slow
@example(history=LATE_REFUSAL, chosen=Tokens(key_reuse="original", refusal_replayed="stored"))
@example(history=LATE_LOSS, chosen=Tokens(request_id="new"))
@given(history=histories, chosen=tokens)
@settings(max_examples=300, deadline=None)
def test_everything_allowed_is_explained(history: list[Step], chosen: Tokens) -> None:
    followed = _followed(history, chosen)
    assert followed.contradictions == ()
    assert followed.possibilities
    common = set(followed.possibilities[0].tokens).intersection(
        *(possibility.tokens for possibility in followed.possibilities)
    )
    said = {(reading, token) for reading, token, _ in common}
    for field, reading in READINGS.items():
        answers = {token for name, token in said if name == reading}
        assert answers <= {getattr(chosen, field)}, (reading, answers)


SHOWN: dict[str, list[Step]] = {
    "key_reuse": [Update(key=A), Update(key=A, body=2)],
    "on_other_rule": [Update(key=A), Update(TWO, key=A, body=2)],
    "key_scope": [Update(key=A), Update(caller="limited", key=A, body=2)],
    "body_identity": [Update(key=A), Update(key=A, spaced=True), Update(key=A, body=2)],
    "refusal_replayed": [Update(key=A, broken=True), Update(key=A)],
    "after_window": [Update(key=A), Update(key=B, body=2), Update(key=A, late=True), Read()],
}
"""For each open question a history that answers it."""


@pytest.mark.parametrize("field", list(READINGS))
def test_open_question_is_answered(field: str) -> None:
    for token in get_args(get_type_hints(Tokens)[field]):
        followed = _followed(SHOWN[field], Tokens(**{field: token}))
        for possibility in followed.possibilities:
            assert {said for reading, said, _ in possibility.tokens if reading == READINGS[field]} == {token}


def test_every_break_has_a_history() -> None:
    assert set(BROKEN) == {name for name in get_args(Break) if name}


@pytest.mark.slow
@pytest.mark.parametrize("broken", list(BROKEN))
def test_broken_promise_is_contradicted(broken: Break) -> None:
    history, position = BROKEN[broken]
    for chosen in _all_tokens():
        assert _followed(history, chosen).contradictions == (), chosen
        found = _followed(history, chosen, broken).contradictions
        assert [contradiction.position for contradiction in found][:1] == [position], chosen
        assert all(found[0].expected), chosen


@pytest.mark.slow
@given(history=histories, chosen=tokens, broken=st.sampled_from([name for name in get_args(Break) if name]))
@settings(max_examples=300, deadline=None)
def test_no_history_is_too_odd(history: list[Step], chosen: Tokens, broken: Break) -> None:
    followed = _followed(history, chosen, broken)
    assert 0 < len(followed.possibilities) <= MOST_POSSIBILITIES
    assert {contradiction.position for contradiction in followed.contradictions} <= set(followed.judged)


def test_many_lost_requests_are_given_up_on() -> None:
    """Each may have taken its key or not."""
    sent = [use(number, f"key-{number:02d}", lost()) for number in range(1, 40)]
    followed = follow(episode(*sent, again(1, key="key-01")), CONTRACT)
    assert (followed.possibilities, followed.contradictions, followed.judged) == ((), (), ())


def _all_tokens() -> Iterator[Tokens]:
    choices = [get_args(hint) for hint in get_type_hints(Tokens).values()]
    return (Tokens(*chosen) for chosen in itertools.product(*choices))
