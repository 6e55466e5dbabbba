"""What is left of a finding in its smallest form, and how often it showed when it was sent again: what could not be
sent is no try."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import pytest

from rules_harness.harness.exchange import Answer, Episode, Exchange, Payload, Request
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
    """Its tries end as they are told to; each sends the same."""

    def __init__(self, tries: Sequence[Try], resent: Resent | None = None) -> None:
        world = specimen(CONTRACT).world(datetime(2026, 6, 1, tzinfo=UTC))
        super().__init__(CONTRACT, world, lambda *_: pytest.fail("nothing is sent"), lambda _: None)
        self._left = list(tries)
        self._last: Try = "passes"
        self._resent = resent or Resent(EPISODE, (0,))

    def attempt(self, recording: Recording, name: str) -> Resent:
        self._last = self._left.pop(0) if self._left else "passes"
        if self._last == "cannot be sent":
            raise Unmet("the target cannot be prepared")
        return self._resent

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


def read(rule: str, status: str) -> Exchange:
    content = Payload.of(json.dumps({"data": {"status": status}}).encode())
    intent = Intent(operation="read", rule=rule, existence="own", caller="full")
    return Exchange(Request("GET", f"/rules/{rule}"), Answer(200, (), content), intent, 0, 1)


def update(rule: str) -> Exchange:
    return Exchange(Request("PUT", f"/rules/{rule}"), Answer(200), Intent(rule=rule, existence="own"), 0, 1)


@pytest.mark.parametrize(
    ("prepared", "kept"),
    [
        ([read("rule_a", "disabled")], []),
        ([read("rule_a", "enabled")], [0]),
        ([read("rule_a", "enabled"), read("rule_a", "enabled")], [0]),
        ([read("rule_a", "disabled"), read("rule_a", "enabled")], [1]),
        ([read("rule_a", "enabled"), read("rule_b", "enabled")], [0, 1]),
    ],
)
def test_what_prepared_it_is_left_out_but_for_the_first_read_that_shows_a_rule_enabled(
    prepared: list[Exchange], kept: list[int]
) -> None:
    """Whoever sends it again learns from that read to enable the rule."""
    exchanges = (*prepared, update("rule_a"), update("rule_b"))
    sent = Resent(Episode("one", "status", "one", exchanges), (len(prepared), len(prepared) + 1))
    smallest = Scripted(["shows"] * 100, sent).minimise(Recording.of(EPISODE), SHOWN, name="smallest/one", budget=100)
    assert smallest.episode is not None
    assert smallest.episode.exchanges == (*(prepared[position] for position in kept), *exchanges[-2:])
