"""Findings that rest on comparing states are confirmed: the rule is watched, and the scenario is run again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from rules_harness.harness.judging.outcome import Judgement, Violation, finding_id
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.planner import Unmet
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.session.keeping import renew, watched
from rules_harness.harness.target.hooks import HookFailed

CONFIRMATIONS: Final = 2
"""How often one finding is confirmed, at most, before further sightings are believed."""
MakeBench = Callable[[str, int], Bench]
"""A bench for a scenario's id and the number of an attempt."""


class Confirmation(msgspec.Struct, frozen=True):
    """A scenario that was run again, on ``bench``; ``disturbed`` says who else was seen to write."""

    bench: Bench
    disturbed: str


class Confirming:
    """Counts how often each finding of a run was confirmed; may be used by several threads."""

    def __init__(self) -> None:
        self._confirmed: Counter[str] = Counter()
        self._lock = threading.Lock()

    def is_due(self, judgements: Iterable[Judgement]) -> bool:
        """Whether another writer could have caused one of these, and that was not ruled out often enough."""
        doubtful = {
            finding_id(judgement.requirement, judgement.place, judgement.kind)
            for judgement in judgements
            if isinstance(judgement, Violation) and judgement.compares_states
        }
        with self._lock:
            if all(self._confirmed[identity] >= CONFIRMATIONS for identity in doubtful):
                return False
            self._confirmed.update(doubtful)
        return True


def confirm(scenario: Scenario, make_bench: MakeBench) -> Confirmation | None:
    """Watch the rules for another writer and run a scenario again; ``None`` where that cannot be done after all.

    Raises what the client raises.
    """
    disturbed = watched(make_bench("safety/watch", 0))
    bench = make_bench(scenario.id, 1)
    if not disturbed:
        try:
            if scenario.lane not in ("unknown", "last"):
                renew(make_bench(f"safety/renew-{scenario.id}", 0))
            scenario.run(bench)
        except (Unmet, HookFailed):
            return None
    return Confirmation(bench, disturbed)
