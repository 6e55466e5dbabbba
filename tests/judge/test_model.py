"""The model explains every history that the contract allows, and no broken promise."""

from __future__ import annotations

from typing import get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model import Account, follow
from tests.judge.simulated import CONTRACT, OURS, THEIRS, Break, Caller, Read, Step, Target, Tokens, Update

KEYS = ("order-0001-a", "order-0001-b")
READINGS = {
    "key_reuse": "reading.key-reuse",
    "on_other_rule": "reading.key-on-other-rule",
    "key_scope": "reading.key-scope",
    "body_identity": "reading.body-identity",
    "refusal_replayed": "reading.refusal-replayed",
    "after_window": "reading.after-window",
}

tokens = st.builds(Tokens)
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
    ),
    st.builds(Update, rule=st.just(THEIRS), caller=st.just("other_org"), key=st.sampled_from(KEYS)),
)
reads = st.builds(Read, rule=st.sampled_from((*OURS, THEIRS)))
histories = st.lists(st.one_of(updates, updates, reads), max_size=12)


def _followed(history: list[Step], chosen: Tokens, broken: Break = "") -> Account:
    return follow(Target(chosen, broken).recorded(history), CONTRACT)


@given(history=histories, chosen=tokens)
@settings(max_examples=300, deadline=None)
def test_everything_allowed_is_explained(history: list[Step], chosen: Tokens) -> None:
    account = _followed(history, chosen)
    assert account.contradictions == ()
    assert account.worlds
    common = set(account.worlds[0].tokens).intersection(*(world.tokens for world in account.worlds))
    said = {(reading, token) for reading, token, _ in common}
    for field, reading in READINGS.items():
        answers = {token for name, token in said if name == reading}
        assert answers <= {getattr(chosen, field)}, (reading, answers)
