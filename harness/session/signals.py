"""Signals that end a run: the first stops sending and has the rules put back, the second ends the process at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final, Protocol

from rules_harness.harness.errors import INTERRUPTED
from rules_harness.openapi.contract import Contract

_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
"""Ctrl-C, a polite kill, a terminal that is closed, Ctrl-\\; some platforms lack the last two."""


class Interruptible(Protocol):
    """A run that can be stopped, and what puts its rules back where it is not waited for."""

    @property
    def contract(self) -> Contract: ...

    @property
    def restore_command(self) -> str: ...

    def stop(self) -> None: ...


@contextmanager
def interruptible(run: Interruptible) -> Iterator[None]:
    """Inside the `with` block the first signal stops the run, the second ends the process and says what to do.

    Only the main thread receives signals: elsewhere nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    remedy = f"ended at once; put the {run.contract.noun.plural} back with: {run.restore_command}"
    is_stopping = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal is_stopping
        if is_stopping:
            _say(remedy)
            os._exit(INTERRUPTED)
        is_stopping = True
        run.stop()
        _say(f"stopping: {run.contract.noun.plural} are being put back (once more ends at once)")

    before = {number: signal.signal(number, handle) for number in _numbers()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_to_director() -> None:
    """Ignore what ends a run: the terminal sends it to every process, and it is for the one that directs the others."""
    for number in _numbers():
        signal.signal(number, signal.SIG_IGN)


def _numbers() -> list[int]:
    return [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


def _say(text: str) -> None:
    """Tell whoever is still there: a terminal that was closed must not keep the rules from being put back."""
    with suppress(OSError):
        os.write(2, f"\n{text}\n".encode("utf-8", "backslashreplace"))
