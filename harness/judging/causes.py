"""What of a body draws a refusal or a crash: found by comparing those that did with what was accepted.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final

from rules_harness.harness.judging.outcome import Violation
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.shapes import standing_of

ALIKE: Final = 3
"""Features that always come together, at most, of which the smallest is told; of more, nobody can tell which it is."""


class Causes:
    """The features of the bodies that drew something, without those of bodies that were accepted."""

    def __init__(
        self, contract: Contract, sightings: Iterable[tuple[Violation, int]], accepted: Collection[str]
    ) -> None:
        """``sightings`` are violations, and how often each was seen."""
        self._contract = contract
        self._accepted = accepted
        self._times: dict[str, Counter[str]] = {}
        for violation, times in sightings:
            counter = self._times.setdefault(violation.requirement, Counter())
            counter.update(dict.fromkeys(self._suspects(violation), times))

    def is_unknown_kind(self, violation: Violation) -> bool:
        """Whether a plausible body has a feature that is only inferred, and that the target may not know at all."""
        if violation.level != "should":
            return False
        suspects = self._suspects(violation)
        return bool(suspects) and not any(map(self._is_documented, suspects))

    def place_of(self, violation: Violation) -> str:
        """The cause: of the features that were never accepted the one that is seen most often, the smallest of several;
        the violation's own place where there is none."""
        suspects = self._suspects(violation)
        if violation.level == "should":
            suspects = [feature for feature in suspects if self._is_documented(feature)]
        times = self._times[violation.requirement]
        most = max((times[feature] for feature in suspects), default=0)
        causes = sorted((feature for feature in suspects if times[feature] == most), key=lambda one: (len(one), one))
        return causes[0] if 0 < len(causes) <= ALIKE else violation.place

    def _suspects(self, violation: Violation) -> list[str]:
        return [feature for feature in violation.features if feature not in self._accepted]

    def _is_documented(self, feature: str) -> bool:
        return standing_of(self._contract, feature) == "documented"
