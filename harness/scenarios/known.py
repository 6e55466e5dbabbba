"""What the scenarios of a run know of its rules, and leave for each other."""

from __future__ import annotations

from typing import Any

from rules_harness.harness.exchange import Exchange


class Known:
    """The states of rules as last read; one for all benches, each rule used by one bench at a time."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self.stale: set[str] = set()
        self.answered: dict[str, dict[str, Any]] = {}
        """What the last successful update of each rule was answered."""
        self.kept: dict[str, tuple[Exchange, ...]] = {}
        """What one scenario leaves for a later one, by a name of theirs."""
        self.keys = 0
        """How many requests with a key were sent that repeat no other one."""
