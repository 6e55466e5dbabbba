"""Holds a race open, so that a fault in the handling of simultaneous requests shows every time."""

import asyncio
from collections.abc import Hashable

_QUIET_SECONDS = 0.03
_STEP_SECONDS = 0.005
LONGEST_SECONDS = 0.25


class Race:
    """Requests that stand at one place wait for each other, and go on in the opposite order of their arrival."""

    def __init__(self) -> None:
        self.in_flight = 0
        """API requests that have come in and are not answered yet."""
        self._waiting: dict[Hashable, list[asyncio.Future[None]]] = {}

    async def hold(self, place: Hashable, longest: float = LONGEST_SECONDS) -> None:
        """Wait until every request in flight stands here, at least 30 ms, at most `longest` seconds."""
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
        passed = 0.0
        while passed < _QUIET_SECONDS or (passed < longest and len(waiting) < self.in_flight):
            await asyncio.sleep(_STEP_SECONDS)
            passed += _STEP_SECONDS
