"""What a partial update leaves out stays: rows for a contract whose update is one."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from rules_harness.harness.intent import BodyKind
from rules_harness.harness.judging.checks.replacement import omitted_stays
from tests.judging.episodes import CONTRACT, OTHER, Sent, Value, body, get, lost, ok, put, refused, rule
from tests.judging.rows import HOLDS, Broken, Row, agrees, row

PARTIAL: Final = msgspec.structs.replace(CONTRACT, update=msgspec.structs.replace(CONTRACT.update, method="PATCH"))
BEFORE: Final = rule(description="A note")
NAME: Final = {"nickname": "New"}
NEW: Final = rule(nickname="New", description="A note")
LOST: Final = rule(nickname="New", description=None)
CHANGED: Final = Broken("changed", "/description")


def named(state: Value = NEW, content: BodyKind = "valid") -> Sent:
    """An update of the nickname alone, answered with this state."""
    return put(ok(state), NAME, content=content)


def lasting(first: Sent, seconds: float) -> Sent:
    """The same, begun at the start and under way for so long."""
    return msgspec.structs.replace(first, at=(0.0, seconds))


ROWS: Final = (
    row("what is left out stays", named(), HOLDS, before=BEFORE),
    row("what is left out is gone", named(LOST), Broken("lost", "/description"), before=BEFORE),
    row("what is left out is another", named(rule(nickname="New", description="B")), CHANGED, before=BEFORE),
    row("an open body leaves something out", named(content="open"), HOLDS, before=BEFORE),
    row("a broken body is taken", named(LOST, content="broken"), before=BEFORE),
    row("it is refused", put(refused(), NAME), before=BEFORE),
    row("no answer comes", put(lost(), NAME), before=BEFORE),
    row("nothing is left out", put(ok(), body(description="A note")), before=BEFORE),
    row("nothing is known of what was there", named(LOST)),
    row("a read tells what was there", [get(BEFORE), named(LOST)], Broken("lost", "/description")),
    row(
        "an answer tells what was there",
        [put(ok(BEFORE), body(description="A note")), named(LOST)],
        Broken("lost", "/description"),
    ),
    row(
        "a refusal tells nothing of what is there",
        [put(refused(), body(), content="broken"), named(LOST)],
        before=BEFORE,
    ),
    row("a body that is not an object", put(ok(), b"[]", content="open"), before=BEFORE),
    row("the answer has no rule", put(ok(..., data=...), NAME), before=BEFORE),
    row("a null is cleared", put(ok(LOST), {**NAME, "description": None}), HOLDS, before=BEFORE),
    row(
        "a null keeps the old value",
        put(ok(NEW), {**NAME, "description": None}),
        Broken("not-cleared", "/description"),
        HOLDS,
        before=BEFORE,
    ),
    row("another one is under way", [lasting(named(), 5.0), named(LOST)], before=BEFORE),
    row(
        "another rule is updated at the same time",
        [lasting(named(), 5.0), put(ok(rule(OTHER)), body(), rule=OTHER)],
        HOLDS,
        before=BEFORE,
    ),
    row("a read beside an update tells nothing", [lasting(put(lost(), NAME), 5.0), get(BEFORE), named(LOST)]),
)


@pytest.mark.parametrize("row", ROWS, ids=[row.text for row in ROWS])
def test_what_is_left_out_stays(row: Row) -> None:
    judgements = list(omitted_stays(row.episode, PARTIAL))
    assert len(judgements) == len(row.expected), judgements
    for expected, judgement in zip(row.expected, judgements, strict=True):
        assert agrees(expected, judgement), judgement
