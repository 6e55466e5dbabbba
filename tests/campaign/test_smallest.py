"""How often a finding showed when it was sent again: what could not be sent is no try."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import pytest

from rules_harness.harness.exchange import Answer, Episode, Exchange, Request
from rules_harness.harness.intent import Intent
from rules_harness.harness.judging.outcome import Violation
from rules_harness.harness.scenarios.unmet import Unmet
from rules_harness.harness.session.opening import specimen
from rules_harness.harness.smaller.minimise import Minimiser, Resent
from rules_harness.harness.smaller.recording import Recording
from rules_harness.openapi.contract import load

CONTRACT = load()
SHOWN = Violation("auth.no-effect", "refused with 401", "changed", "as before", "another", (0,), compares_states=True)
EPISODE = Episode("one", "auth", "one", (Exchange(Request("GET", "/rules/a"), Answer(200), Intent(), 0, 1),))
Try = Literal["shows", "passes", "cannot be sent"]


class Scripted(Minimiser):
    """Its tries end as they are told to."""

    def __init__(self, tries: Sequence[Try]) -> None:
        world = specimen(CONTRACT).world(datetime(2026, 6, 1, tzinfo=UTC))
        super().__init__(CONTRACT, world, lambda *_: pytest.fail("nothing is sent"), lambda _: {})
        self._left = list(tries)
        self._last: Try = "passes"

    def attempt(self, recording: Recording, name: str) -> Resent:
        self._last = self._left.pop(0) if self._left else "passes"
        if self._last == "cannot be sent":
            raise Unmet("the target cannot be prepared")
        return Resent(EPISODE, (0,))

    def shows(self, sent: Resent, positions: tuple[int, ...], violation: Violation) -> bool:
        return self._last == "shows"


@pytest.mark.parametrize(
    ("tries", "stability"),
    [
        (("shows", "shows", "shows", "shows"), "3 of 3"),
        (("shows", "passes", "shows", "passes"), "1 of 3"),
        (("shows", "passes", "passes", "passes"), "1 of 4"),
        (("passes", "passes", "passes", "passes"), "0 of 3"),
        (("cannot be sent",) * 4, ""),
        (("passes", "passes", "cannot be sent", "passes"), "0 of 2"),
    ],
)
def test_stability(tries: tuple[Try, ...], stability: str) -> None:
    smallest = Scripted(tries).minimise(Recording.of(EPISODE), SHOWN, name="smallest/one", budget=100)
    assert smallest.stability == stability
