"""How much a run takes in of what its target answers, so that memory and journal stay within bounds.

What is not taken in is not there for anybody: the run judges what its journal holds.
"""

from __future__ import annotations

import threading
from typing import Final

import msgspec

from rules_harness.harness.exchange import Answer, Payload
from rules_harness.harness.wire.connection import Room

FOR_A_RUN: Final = 32 * 1024 * 1024
"""Bytes, of large answers. A target that stores every large body of `validation.size` answers with about so many."""
_FOR_A_REQUEST: Final = 16 * 1024
_LARGE: Final = 64 * 1024
_AMPLE: Final = Room()
_USUAL: Final = Room(body=_LARGE)
"""What is left for each answer once there were too many large ones."""
_SCANT: Final = Room(head=4 * 1024, body=4 * 1024)
"""What is left for each answer of a target that has said too much already."""
_MOST_VALUES: Final = 150_000
"""Of JSON in one answer."""
_FOR_A_VALUE: Final = 32
"""Bytes that a value of JSON weighs beside its text: once it is parsed it takes about so many, and time."""


class Intake:
    """The bytes that a run may still take in; may be used by several threads."""

    def __init__(self, requests: int) -> None:
        """``requests`` is how many the run may send."""
        self._lock = threading.Lock()
        self._left_for_large = FOR_A_RUN
        self._left = FOR_A_RUN + _FOR_A_REQUEST * requests

    @property
    def room(self) -> Room:
        """For the next answer."""
        if self._left <= 0:
            return _SCANT
        return _AMPLE if self._left_for_large > 0 else _USUAL

    def taken(self, answer: Answer) -> Answer:
        """What is taken in of an answer that fits its room: one of very many values is cut all the same."""
        text = answer.body.text or answer.body.base64 or ""
        values = text.count(",") + text.count("[") + text.count("{")
        if values > _MOST_VALUES:
            answer = msgspec.structs.replace(answer, body=Payload(text=text[: _SCANT.body]), cut=True)
        weight = sum(len(name) + len(value) for name, value in answer.headers) + len(text) + _FOR_A_VALUE * values
        with self._lock:
            self._left -= weight
            if weight > _LARGE:
                self._left_for_large -= weight
        return answer
