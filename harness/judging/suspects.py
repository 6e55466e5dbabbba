"""Violations as a run saw them, before it is known which of them count."""

from __future__ import annotations

from collections.abc import Set
from typing import Final

import msgspec

from rules_harness.harness.intent import Level
from rules_harness.harness.judging.outcome import NOT_SEEN_AGAIN, TRIES_AGAIN, Violation

Sort = tuple[tuple[str, ...], tuple[str, ...], Level | None, bool, bool]
"""What decides whether and how one observation of a finding counts: see `sort_of`."""
SOMEBODY_ELSE: Final = "somebody else may have written"
"""What a difference between states is put down to where it does not show again."""


def sort_of(violation: Violation) -> Sort:
    """The features that may be its cause, the findings that explain it, its own level, and whether it rests on states
    or on silence."""
    rests_on = violation.compares_states, violation.is_silence
    return violation.features, violation.explained_by, violation.level, *rests_on


def written_by_another(rule: str) -> str:
    """What was seen of a rule that has another writer."""
    return f"{rule} changed while nothing was sent to it: somebody else writes to it"


class Observation(msgspec.Struct):
    """The first violation of one sort, its episode, and how often there was one."""

    violation: Violation
    episode: str
    count: int = 0


class Suspect(msgspec.Struct):
    """A violation with the first episode that shows it."""

    violation: Violation
    episode: str
    doubt: str = ""
    """Why it may be somebody else's doing, if so: it was looked at again, and did not show."""
    is_confirmed: bool = False
    stability: str = ""
    observations: dict[Sort, Observation] = {}
    rules: set[str] = set()
    """The rules that it was seen on."""

    def why_inconclusive(self, violation: Violation, written_by_others: Set[str]) -> str:
        """Why one of its violations does not count, if so, where somebody else was seen to write to these rules."""
        if violation.compares_states:
            return self._why_states_differ(written_by_others)
        if violation.is_silence and self.stability == NOT_SEEN_AGAIN:
            return f"it did not show again in {TRIES_AGAIN} further tries: the connection may have been at fault"
        return ""

    def _why_states_differ(self, written_by_others: Set[str]) -> str:
        """What states may differ for beside what they are to show, if anything."""
        if self.rules and self.rules <= written_by_others:
            return written_by_another(min(self.rules))
        if self.is_confirmed:
            return ""
        if self.stability == NOT_SEEN_AGAIN:
            return self.doubt or f"it did not show again in {TRIES_AGAIN} further tries: {SOMEBODY_ELSE}"
        return self.doubt
