"""What a campaign is given, and what it says of itself while it goes on."""

from __future__ import annotations

from typing import Protocol

import msgspec

from rules_harness.harness.campaign.messages import CorpusEntry
from rules_harness.harness.session.session import Settings

SHARD_SECONDS = 5.0


class CampaignSettings(Settings, frozen=True, kw_only=True):
    """What a campaign is given besides the target."""

    seconds: float
    """How long to search; what was found is made smaller, and rules are put back, after that."""
    requests: int | None = None
    """How many requests to search with; without it as many as the profile allows."""
    capture_all: bool = False
    entries: tuple[CorpusEntry, ...] = ()
    """What is tried first."""
    shard_seconds: float = SHARD_SECONDS


class State(msgspec.Struct, frozen=True):
    """Where a campaign stands. Times are in seconds, ``latency`` is (median, 95th percentile)."""

    doing: str
    elapsed: float
    seconds_left: float
    requests: int
    requests_left: int
    rate: float
    """Requests per second, of late."""
    latency: tuple[float, float] | None
    coverage: dict[str, tuple[int, int]]
    """Reached, and all, by kind."""
    findings: dict[str, int]
    """By family of requirements."""


class Watcher(Protocol):
    """Whoever looks on."""

    def state(self, state: State) -> None: ...

    def note(self, text: str) -> None: ...


class Nobody:
    """Nobody looks on."""

    def state(self, state: State) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""
