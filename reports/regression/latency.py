"""Whether answers take longer: the ratio of two medians, with an interval that says how far chance alone could go.

The interval is Price and Bonett's (2002, "Distribution-free confidence intervals for difference and ratio of medians"):
it assumes nothing of how latencies are distributed, draws nothing at random, and costs a sort.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist, median
from typing import Final

from rules_harness.reports.regression.model import Answers, Drift, LatencyDrift
from rules_harness.reports.regression.traffic import InputTally, Kind

ENOUGH: Final = 20
"""How many answers an interval takes, of either run."""
CLEAR: Final = 1.1
"""A drift is told as one where the whole interval lies beyond this ratio, or below its inverse."""
_EXACT_LIMIT: Final = 1000
_SHORTEST: Final = 1e-6
_WITHIN_95: Final = NormalDist().inv_cdf(0.975)


def drifts(
    common: Sequence[Kind], base: Mapping[Kind, InputTally], head: Mapping[Kind, InputTally]
) -> Iterator[LatencyDrift]:
    """The drift of each operation's successes and errors, over the kinds of input that both runs sent.

    Nothing is said of those that were answered fewer than 20 times in either run.
    """
    gathered: dict[tuple[str, Answers], tuple[array[float], array[float]]] = {}
    for kind in common:
        if kind.body == "size":
            continue
        for sort in base[kind].seconds.keys() & head[kind].seconds.keys():
            before, after = gathered.setdefault((kind.operation, sort), (array("d"), array("d")))
            before.extend(base[kind].seconds[sort])
            after.extend(head[kind].seconds[sort])
    for (operation, sort), (before, after) in sorted(gathered.items()):
        if min(len(before), len(after)) >= ENOUGH:
            yield _drift(operation, sort, sorted(before), sorted(after))


def _drift(operation: str, sort: Answers, before: Sequence[float], after: Sequence[float]) -> LatencyDrift:
    ratio, low, high = _interval(before, after)
    drift: Drift = "slower" if low > CLEAR else "faster" if high < 1 / CLEAR else "no clear change"
    return LatencyDrift(
        operation, sort, len(before), len(after), median(before), median(after), ratio, low, high, drift
    )


def _interval(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """The ratio of the medians of two sorted samples, and the ends of its 95 % interval."""
    logarithm = math.log(max(median(after), _SHORTEST) / max(median(before), _SHORTEST))
    reach = _WITHIN_95 * math.hypot(_error(before), _error(after))
    return math.exp(logarithm), math.exp(logarithm - reach), math.exp(logarithm + reach)


def _error(ordered: Sequence[float]) -> float:
    """The standard error of the logarithm of a median, from two order statistics on either side of it."""
    count = len(ordered)
    rank = max(round((count + 1) / 2 - math.sqrt(count)), 1)
    spread = math.log(max(ordered[count - rank], _SHORTEST) / max(ordered[rank - 1], _SHORTEST))
    return spread / (2 * _deviations(count, rank))


def _deviations(count: int, rank: int) -> float:
    """How many standard deviations from the median the order statistic of this rank lies."""
    if count > _EXACT_LIMIT:
        return (count / 2 - rank + 0.5) / (math.sqrt(count) / 2)
    below = sum(math.comb(count, k) for k in range(rank)) / 2**count
    return NormalDist().inv_cdf(1 - below)
