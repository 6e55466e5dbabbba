"""What the scenarios of a run know of its rules, and leave for each other."""

from __future__ import annotations

import threading
from typing import Any

from rules_harness.harness.exchange import Exchange


class Known:
    """One for all benches, which may be on several threads, each with rules of its own."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        """Of each rule, as last read."""
        self.first: dict[str, dict[str, Any]] = {}
        """Of each rule, as first read: what a target did to it later is not among it."""
        self.stale: set[str] = set()
        """Rules that were written since."""
        self.answered: dict[str, dict[str, Any]] = {}
        """What the last successful update of each rule was answered."""
        self.kept: dict[str, tuple[Exchange, ...]] = {}
        """What one scenario leaves for a later one, by a name of theirs."""
        self._keys = 0
        self._lock = threading.Lock()

    @property
    def keys(self) -> int:
        """How many keys were used."""
        return self._keys

    def count_keys(self, number: int) -> None:
        """So many more were used."""
        with self._lock:
            self._keys += number
