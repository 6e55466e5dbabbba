"""Decides what of a campaign is kept whole: samples of what passed, and of each finding all that decides about it."""

from __future__ import annotations

from collections import Counter
from typing import Final

from rules_harness.harness.campaign.messages import Judged, Sample
from rules_harness.harness.exchange import Answer
from rules_harness.harness.judging.suspects import Sort, sort_of

_BULKY_BYTES: Final = 100_000
"""Of what passed and took more than this in bodies, one episode of a name is sample enough."""


class Sampling:
    """Knows what was kept so far. Whatever it leaves out changes no verdict when it is counted only."""

    def __init__(self, *, passed: int, shown: int, everything: bool) -> None:
        """``passed`` and ``shown`` are how many episodes are kept of one name that passed, and of one finding."""
        self._passed_at_most = passed
        self._shown_at_most = shown
        self._everything = everything
        self._passed: Counter[str] = Counter()
        self._shown: Counter[str] = Counter()
        self._sorts: dict[str, set[Sort]] = {}
        self._looked_at: set[tuple[str, bool]] = set()
        """Findings that were seen again, and not seen again, when they were to be confirmed."""

    def keeps(self, sample: Sample) -> bool:
        """Whether a sample is kept; if so it is known from then on."""
        scenario, violations = sample.first.episode.scenario, sample.first.violations
        is_kept = (
            self._everything
            or any(self._shown[identity] < self._shown_at_most for identity in violations)
            or any(self._is_new(identity, sort) for identity, sort in _sorts(sample.first))
            or not _looked_at(sample) <= self._looked_at
            or (not violations and self._passed[scenario] < (1 if _is_bulky(sample) else self._passed_at_most))
        )
        if is_kept:
            self.know(sample)
        return is_kept

    def know(self, sample: Sample) -> None:
        """A sample that is kept."""
        violations = sample.first.violations
        self._passed[sample.first.episode.scenario] += not violations
        self._shown.update(violations.keys())
        for identity, sort in _sorts(sample.first):
            if self._is_new(identity, sort):
                self._sorts.setdefault(identity, set()).add(sort)
        self._looked_at |= _looked_at(sample)

    def _is_new(self, identity: str, sort: Sort) -> bool:
        """Whether this sighting may count where none that is kept does."""
        places, *rest = sort
        return not any(others == rest and set(fewer) <= set(places) for fewer, *others in self._sorts.get(identity, ()))


def _is_bulky(sample: Sample) -> bool:
    exchanges = sample.first.episode.exchanges
    sent = sum(len(exchange.request.body.content) for exchange in exchanges if exchange.request.body is not None)
    answered = sum(len(exchange.outcome.body.content) for exchange in exchanges if isinstance(exchange.outcome, Answer))
    return sent + answered > _BULKY_BYTES


def _sorts(judged: Judged) -> list[tuple[str, Sort]]:
    return [(identity, sort_of(violation)) for identity, alike in judged.violations.items() for violation in alike]


def _looked_at(sample: Sample) -> set[tuple[str, bool]]:
    return {
        (identity, identity in again.violations and not again.episode.disturbed)
        for again in sample.again
        for identity, alike in sample.first.violations.items()
        if any(violation.compares_states for violation in alike)
    }
