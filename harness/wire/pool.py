"""Connections that are kept between requests."""

from __future__ import annotations

import threading
from typing import Final

from rules_harness.harness.wire.connection import Connection, Patience
from rules_harness.harness.wire.dialling import Route

_IDLE_SECONDS: Final = 1.5
"""After so long a kept connection is not used again: servers close theirs after two seconds and more."""


class Pool:
    """The connections of one client; may be used by several threads."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._lock = threading.Lock()
        self._idle: list[Connection] = []

    def take(self, patience: Patience) -> Connection:
        """The connection that was used last, or a new one; raises like `Route.connect`."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._route.connect(patience)
            if connection.is_fresh(_IDLE_SECONDS):
                return connection
            connection.close()

    def give_back(self, connection: Connection) -> None:
        """Keep it where it can carry another exchange, else close it."""
        if not connection.reusable:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)

    def close(self) -> None:
        """Close every idle connection."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
