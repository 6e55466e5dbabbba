"""Holds a race open, so that a fault in the handling of simultaneous requests shows every time."""

import asyncio
from collections.abc import Hashable

_ALONE_SECONDS = 0.03
_QUIET_SECONDS = 0.06
_STEP_SECONDS = 0.005
LONGEST_SECONDS = 0.25


class Race:
    """Requests that stand at one place wait for each other, and go on in the opposite order of their arrival."""

    def __init__(self) -> None:
        self.in_flight = 0
        """API requests that have come in and are not answered yet."""
        self._waiting: dict[Hashable, list[asyncio.Future[None]]] = {}

    async def hold(self, place: Hashable, longest: float = LONGEST_SECONDS) -> None:
        """Wait until nobody comes any more, which takes 30 ms where nobody did; at most `longest` seconds."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[None] = loop.create_future()
        waiting = self._waiting.setdefault(place, [])
        waiting.append(mine)
        if len(waiting) == 1:
            await self._gather(waiting, longest)
            del self._waiting[place]
            for other in reversed(waiting):
                other.set_result(None)
        await mine

    async def _gather(self, waiting: list[asyncio.Future[None]], longest: float) -> None:
        passed = quiet = 0.0
        gathered = 1
        while passed < longest and (quiet < _patience(gathered) or gathered < self.in_flight):
            await asyncio.sleep(_STEP_SECONDS)
            passed += _STEP_SECONDS
            quiet = quiet + _STEP_SECONDS if len(waiting) == gathered else 0.0
            gathered = len(waiting)


def _patience(gathered: int) -> float:
    return _ALONE_SECONDS if gathered == 1 else _QUIET_SECONDS
