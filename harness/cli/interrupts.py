"""Ctrl-C: once to stop sending and put the rules back, twice to end at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from rules_harness.harness.cli.output import Output
from rules_harness.harness.errors import INTERRUPTED

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(stop: Callable[[], None], output: Output, *, remedy: str) -> Iterator[None]:
    """Inside the `with` block the first signal calls ``stop``, and the second ends the process and tells the remedy."""
    is_stopping = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal is_stopping
        if is_stopping:
            os.write(2, output.clean(f"\n{remedy}\n").encode("utf-8", "replace"))
            os._exit(INTERRUPTED)
        is_stopping = True
        stop()
        os.write(2, b"\nstopping: rules are being put back (once more ends at once)\n")

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
