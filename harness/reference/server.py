"""Runs the server: one socket on loopback, uvicorn, until told to stop."""

import socket
import sys
import threading
from collections.abc import Callable
from typing import NamedTuple

import uvicorn
from starlette.routing import Mount, Router

from rules_harness.harness.reference.api import Api
from rules_harness.harness.reference.calls import BASE
from rules_harness.harness.reference.control import routes
from rules_harness.harness.reference.service import Service

HOST = "127.0.0.1"
CONTROL = "/__control__"

RECURSION_LIMIT = 10_000
"""Frames. A variant takes 900 levels of conditions, and each is walked through whatever stands in for its step."""


class Ready(NamedTuple):
    """Where a server that is ready listens."""

    base_url: str
    control_url: str


class _Server(uvicorn.Server):
    """Says when it is ready, once."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def application(latency_ms: int) -> Router:
    """The whole server as one ASGI application: the control plane, and everything else to the API."""
    service = Service(latency_ms)
    return Router(routes=[Mount(CONTROL, routes=routes(service))], redirect_slashes=False, default=Api(service))


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 takes a free one.

    Raises:
        OSError: the port is taken or not allowed.
    """
    # asyncio sets TCP_NODELAY only where the socket names its protocol; without it each answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def ready(listener: socket.socket) -> Ready:
    """The URLs of a server on this socket."""
    origin = f"http://{HOST}:{listener.getsockname()[1]}"
    return Ready(base_url=origin + BASE, control_url=origin + CONTROL)


def run(
    listener: socket.socket, on_ready: Callable[[], None], latency_ms: int, *, until_stdin_closes: bool = False
) -> None:
    """Serve until interrupted, or until the other end of stdin is closed; calls `on_ready` once the server answers."""
    sys.setrecursionlimit(RECURSION_LIMIT)
    config = uvicorn.Config(
        application(latency_ms),
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="error",
        timeout_keep_alive=600,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config, on_ready)
    if until_stdin_closes:
        threading.Thread(target=_stop_with_stdin, args=(server,), daemon=True).start()
    server.run(sockets=[listener])


def _stop_with_stdin(server: uvicorn.Server) -> None:
    while sys.stdin.buffer.read(1):
        continue
    server.force_exit = True
    server.should_exit = True
