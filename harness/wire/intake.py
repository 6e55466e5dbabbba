"""How much a run takes in of what its target answers, so that memory and journal stay within bounds.

What is not taken in is not there for anybody: the run judges what its journal holds.
"""

from __future__ import annotations

import threading
from typing import Final

from rules_harness.harness.wire.connection import RawAnswer, Room

FOR_A_RUN: Final = 32 * 1024 * 1024
"""Bytes. A target that stores every large body of `validation.size` answers with about so many."""
_FOR_A_REQUEST: Final = 4 * 1024
_AMPLE: Final = Room()
_SCANT: Final = Room(head=8 * 1024, body=8 * 1024)
"""What is left for each answer of a target that has said too much already."""


class Intake:
    """The bytes that a run may still take in; may be used by several threads."""

    def __init__(self, requests: int) -> None:
        """``requests`` is how many the run may send."""
        self._lock = threading.Lock()
        self._left = FOR_A_RUN + _FOR_A_REQUEST * requests

    @property
    def room(self) -> Room:
        """For the next answer."""
        return _AMPLE if self._left > 0 else _SCANT

    def take(self, raw: RawAnswer) -> None:
        """Take notice of an answer."""
        with self._lock:
            self._left -= raw.size
