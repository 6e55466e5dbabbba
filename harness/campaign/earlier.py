"""The part of a campaign that another one continues."""

from __future__ import annotations

import msgspec

from rules_harness.harness.campaign.collecting import Collector
from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import Count, FoundRule


class Earlier(msgspec.Struct, frozen=True):
    """The part of a campaign that another one continues."""

    counts: tuple[Count, ...]
    episodes: tuple[Episode, ...]
    unrestored: tuple[FoundRule, ...]
    """Rules that may still stand as that part last wrote them."""
    seconds: float


def take_over(earlier: Earlier | None, collector: Collector) -> dict[str, FoundRule]:
    """What an earlier part of a campaign has counted and found; returns its rules that were not put back."""
    if earlier is None:
        return {}
    for count in earlier.counts:
        collector.continue_from(count)
    for episode in earlier.episodes:
        collector.known(episode)
    return {rule.rule: rule for rule in earlier.unrestored}
