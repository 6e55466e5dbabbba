"""Makes the findings of a run smaller, those that tell most first, until time or requests are spent."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from rules_harness.harness.exchange import Episode
from rules_harness.harness.judging.outcome import Finding
from rules_harness.harness.judging.tally import Tally
from rules_harness.harness.smaller.minimise import Minimiser
from rules_harness.harness.smaller.recording import Recording
from rules_harness.harness.target.profile import Limits

SECONDS: Final = 60.0
"""How long a run may make findings smaller, in all."""


class Budget(msgspec.Struct, frozen=True):
    """What making findings smaller may take: requests for each and in all, until a moment of `time.monotonic`."""

    each: int
    requests: int
    until: float

    @classmethod
    def of(cls, limits: Limits, *, requests: int) -> Budget:
        """That of a profile from now on, with no more than so many requests."""
        return cls(limits.minimise_requests, requests, time.monotonic() + SECONDS)


def smallest_episodes(
    tally: Tally, findings: Iterable[Finding], firsts: Mapping[str, Episode], minimiser: Minimiser, budget: Budget
) -> Iterator[Episode]:
    """For each finding the smallest episode that shows it, as it is recorded: of the scenario that showed it first.

    ``firsts`` are by `Tally.seen_first_as`.  What does not show again keeps its first episode, and says so by its
    stability.  What could not be sent again is left out.  Raises what the client raises.
    """
    left = budget.requests
    for finding in _in_order(findings):
        identity = tally.seen_first_as(finding)
        first = firsts.get(identity)
        if first is None:
            continue
        if left < 1 or time.monotonic() > budget.until:
            return
        smallest = minimiser.minimise(
            Recording.of(first),
            tally.suspects[identity].violation,
            name=f"smallest/{finding.id}",
            budget=min(budget.each, left),
            until=budget.until,
        )
        left -= smallest.requests
        if smallest.episode is None and not smallest.stability:
            continue
        yield msgspec.structs.replace(
            smallest.episode or first,
            id=f"smallest/{finding.id}",
            family=first.family,
            scenario=first.scenario,
            smallest=identity,
            stability=smallest.stability,
        )


def _in_order(findings: Iterable[Finding]) -> list[Finding]:
    """What fails the contract first; of each requirement one before any has a second."""
    earlier = Counter[str]()
    ranked = []
    for finding in findings:
        ranked.append((finding.level != "must", earlier[finding.requirement], finding))
        earlier[finding.requirement] += 1
    return [finding for *_, finding in sorted(ranked, key=lambda row: row[:2])]
