"""Tallies of hand-made judgements, and what they conclude."""

from __future__ import annotations

from typing import Any

import msgspec

from rules_harness.harness.exchange import Episode
from rules_harness.harness.judging.judge import conclude
from rules_harness.harness.judging.outcome import Judgement, Outcome, Violation
from rules_harness.harness.judging.tally import Tally
from tests.judging.episodes import CONTRACT, episode, put

PLACE = "/steps/*/actions/*:fixed_amount/limit"
DAILY, NULL = "/trigger:SCHEDULED/schedule_type=DAILY", "/nickname=null"
"""A feature that is only inferred, and one that the page shows."""


def a_violation(requirement: str = "update.replaces", **details: Any) -> Violation:
    return Violation(requirement, details.pop("place", PLACE), "lost", "kept", "lost", (0,), **details)


def an_episode(name: str = "one", **details: Any) -> Episode:
    return msgspec.structs.replace(episode(put()), id=name, **details)


def tally_of(*judgements: Judgement) -> Tally:
    tally = Tally(CONTRACT)
    tally.add(an_episode(), judgements)
    return tally


def concluded(tally: Tally, profile: dict[str, Any] | None = None, **details: Any) -> Outcome:
    return conclude(tally, profile=profile or {}, **details)


def verdict_of(tally: Tally, requirement: str = "update.replaces", **details: Any) -> str:
    return concluded(tally, **details).requirements[requirement].verdict
