"""Findings that rest on comparing states are confirmed: the rule is watched, and the scenario is run again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from rules_harness.harness.judging.outcome import TRIES_AGAIN, Judgement, Violation
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.scenarios.unmet import Unmet
from rules_harness.harness.session.keeping import renew, watched
from rules_harness.harness.target.hooks import HookFailed

CONFIRMATIONS: Final = 2
"""How often one finding is confirmed, at most, before further sightings are believed."""
BenchOfAttempt = Callable[[str, int], Bench]
"""A bench for a scenario's id and the number of an attempt."""
Record = Callable[[Bench, str], Iterable[Judgement]]
"""Records what was sent on a bench, with the rule that somebody else writes to, and says what is judged of it."""


class Confirming:
    """Counts how often each finding of a run was confirmed; may be used by several threads."""

    def __init__(self) -> None:
        self._confirmed: Counter[str] = Counter()
        self._lock = threading.Lock()

    def due(self, judgements: Iterable[Judgement]) -> frozenset[str]:
        """The ids of the findings that another writer could have caused, if that is to be ruled out for one of them."""
        doubtful = frozenset(_compared(judgements))
        with self._lock:
            if all(self._confirmed[identity] >= CONFIRMATIONS for identity in doubtful):
                return frozenset()
            self._confirmed.update(doubtful)
        return doubtful


def confirm(scenario: Scenario, doubtful: frozenset[str], make_bench: BenchOfAttempt, record: Record) -> None:
    """Watch the rules for another writer, and run a scenario again until each doubtful finding was seen once more.

    That is tried `TRIES_AGAIN` times at most, and not at all where the target does not let it be tried.  Raises what
    the client raises.
    """
    disturbed = watched(make_bench("safety/watch", 0)) if scenario.owns_rules else ""
    if disturbed:
        record(make_bench(scenario.id, 1), disturbed)
        return
    unseen = set(doubtful)
    for attempt in range(1, TRIES_AGAIN + 1):
        bench = make_bench(scenario.id, attempt)
        try:
            if scenario.owns_rules:
                renew(make_bench(f"safety/renew-{scenario.id}", attempt))
            scenario.run(bench)
        except (Unmet, HookFailed):
            return
        unseen -= set(_compared(record(bench, "")))
        if not unseen:
            return


def _compared(judgements: Iterable[Judgement]) -> Iterable[str]:
    """The ids of what rests on comparing states."""
    return (
        judgement.finding_id
        for judgement in judgements
        if isinstance(judgement, Violation) and judgement.compares_states
    )
