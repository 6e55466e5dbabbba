"""When the next request may leave: a rate that no window of a second exceeds, and pauses that the target asks for."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Final

from pyrate_limiter import InMemoryBucket, Rate, RateItem

_WINDOW: Final = 1.05
"""Seconds. A little more than one, because requests that leave a second apart may arrive closer together."""
_SLICE: Final = 0.1
"""Seconds between two looks at whether waiting is still wanted."""


class Pacer:
    """Spreads requests over time; may be used by several threads.

    ``burst`` requests may leave at one moment; what is left of a second's rate is spread over the second.
    """

    def __init__(self, requests_per_second: float, burst: int) -> None:
        self._bucket = InMemoryBucket(_rates(requests_per_second, burst))
        self._lock = threading.Lock()
        self.paused_until = 0.0
        """The moment (monotonic seconds) before which the target wants to be left alone."""
        self._swept = 0

    @property
    def most_together(self) -> int:
        """How many requests may leave at one moment."""
        return self._bucket.rates[0].limit

    def pause(self, seconds: float) -> None:
        """Let nothing leave for so long, as a Retry-After asks (RFC 9110, section 10.2.3)."""
        with self._lock:
            self.paused_until = max(self.paused_until, time.monotonic() + seconds)

    def acquire(self, weight: int, *, given_up: Callable[[], bool], heeds: float) -> bool:
        """Wait until ``weight`` requests may leave together; False where waiting was given up.

        A pause is heeded until the moment ``heeds`` (monotonic seconds).
        """
        while not given_up():
            with self._lock:
                wait = min(self.paused_until, heeds) - time.monotonic()
                if wait <= 0:
                    wait = self._try(weight)
            if wait <= 0:
                return True
            time.sleep(min(wait, _SLICE))
        return False

    def _try(self, weight: int) -> float:
        """Take the room for ``weight`` requests, or say in how many seconds there will be some."""
        now = int(1000 * time.monotonic())
        if now - self._swept > 1000 * _WINDOW:
            self._bucket.leak(now)
            self._swept = now
        item = RateItem("request", now, weight)
        if self._bucket.put(item):
            return 0.0
        wait = self._bucket.waiting(item)
        assert isinstance(wait, int)  # only a remote bucket has to be awaited
        return max(1, wait) / 1000


def _rates(requests_per_second: float, burst: int) -> list[Rate]:
    """The rate of a second and, where a burst is less than that, the same rate over the time that a burst takes."""
    limit = max(1, int(requests_per_second))
    window = math.ceil(1000 * _WINDOW / min(1, requests_per_second))
    burst = max(burst, limit // 10)
    if burst >= limit:
        return [Rate(limit, window)]
    return [Rate(burst, max(1, window * burst // limit)), Rate(limit, window)]
