from __future__ import annotations

import msgspec
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from rules_harness.strategies.histories import (
    Abilities,
    Broken,
    Clock,
    Enable,
    History,
    Read,
    Replay,
    Reuse,
    Step,
    Stranger,
    Together,
    Update,
    consistent,
    histories,
)

EVERYTHING = Abilities(enable=True, clock=True, strangers=True, together=True)
NOTHING = Abilities(strangers=False)


def keyed(step: Step) -> bool:
    return isinstance(step, Update | Broken) and step.keyed


@pytest.mark.slow
@given(histories(EVERYTHING))
def test_references_lead_to_earlier_steps_with_a_key(history: History) -> None:
    for position, step in enumerate(history):
        if isinstance(step, Replay | Reuse) or (isinstance(step, Stranger) and step.of is not None):
            assert step.of is not None
            assert step.of < position
            assert keyed(history[step.of])


@given(histories(EVERYTHING))
def test_simultaneous_requests_come_last(history: History) -> None:
    assert not any(isinstance(step, Together) for step in history[:-1])


@given(histories(NOTHING))
def test_what_a_target_cannot_do_is_not_drawn(history: History) -> None:
    assert not any(isinstance(step, Enable | Clock | Together | Stranger) for step in history)


@given(histories(EVERYTHING))
@settings(max_examples=30)
def test_a_history_survives_being_written_down(history: History) -> None:
    assert msgspec.json.decode(msgspec.json.encode(history), type=History) == history


def test_histories_shrink_to_the_fewest_steps() -> None:
    found = find(histories(EVERYTHING), lambda history: any(isinstance(step, Replay) for step in history))
    assert found == (Update(body=0, keyed=True), Replay(of=0))


def test_a_reference_that_leads_nowhere_is_left_out() -> None:
    assert consistent([Replay(3), Read()]) == (Read(),)
    assert consistent([Replay(3)]) == (Read(),)


@given(st.lists(st.builds(Reuse, st.integers(0, 9), st.integers(0, 3)), max_size=5))
def test_references_are_bent_to_the_keys_that_there_are(steps: list[Step]) -> None:
    history = consistent([Update(keyed=True), Update(), *steps])
    assert all(step.of == 0 for step in history if isinstance(step, Reuse))
