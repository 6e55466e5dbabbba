"""A worker: takes shards from whoever directs it, works them off, and tells what came of them."""

from __future__ import annotations

import ctypes
import gc
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from rules_harness.harness.campaign.messages import Report, Shard, encode, shard_from
from rules_harness.harness.campaign.shard import Equipment, Work

STOP: Final = b""
"""The message that ends the shard at work, and every further one."""
_M_ARENA_MAX: Final = -8
_ARENAS: Final = 2


class Worker:
    """Reads messages in a thread of its own, so that a stop is heeded while a shard is at work."""

    def __init__(self, receive: Callable[[], bytes], send: Callable[[bytes], None], equipment: Equipment) -> None:
        """``receive`` waits for a message and raises `EOFError` or `OSError` once nobody is there any more."""
        self._receive = receive
        self._send = send
        self._sending = threading.Lock()
        self._equipment = equipment
        self._shards: queue.SimpleQueue[Shard | None] = queue.SimpleQueue()
        self._work: Work | None = None
        self._stopped = False

    def serve(self) -> None:
        """Work shards off as they come, until nobody directs this worker any more."""
        _share_memory()
        threading.Thread(target=self._listen, daemon=True).start()
        # What is there already stays: only what a shard leaves behind is worth looking through.
        gc.freeze()
        while (shard := self._shards.get()) is not None:
            if self._is_stopped():
                self._emit(Report(shard=shard.number, is_last=True))
                continue
            self._work_off(shard)
            gc.collect()

    def _work_off(self, shard: Shard) -> None:
        work = self._work = Work(shard, self._equipment, self._emit)
        if self._is_stopped():
            work.stop()
        work.run()
        self._work = None

    def _listen(self) -> None:
        try:
            while True:
                message = self._receive()
                if message == STOP:
                    self._stop()
                else:
                    self._shards.put(shard_from(message))
        except (EOFError, OSError):
            self._stop()
            self._shards.put(None)

    def _is_stopped(self) -> bool:
        return self._stopped

    def _stop(self) -> None:
        self._stopped = True
        work = self._work
        if work is not None:
            work.stop()

    def _emit(self, report: Report) -> None:
        try:
            with self._sending:
                self._send(encode(report))
        except OSError:
            # Nobody listens any more: nothing is to be sent to the target either.
            self._stop()


def _share_memory() -> None:
    """Let all threads take memory from the same two places.

    glibc gives each new thread a place of its own and gives little of it back, so that a process whose threads come and
    go grows for hours (mallopt(3), M_ARENA_MAX); other C libraries have no such call.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)
