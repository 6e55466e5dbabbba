"""Wherever bytes, addresses or connections come from, waiting ends at the time limit, and where the run is stopped."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import msgspec
import pytest

from rules_harness.harness.exchange import Payload, Request
from rules_harness.harness.target.profile import Profile
from tests.wire.servers import GET, Received, Script, Server, client_of, fault

Stall = Callable[[], AbstractContextManager[Profile]]
LIMIT = 0.4
SOON = 1.2


def silent(received: Received, sock: socket.socket) -> bool:
    """Never answer."""
    time.sleep(30)
    return False


def dripping(received: Received, sock: socket.socket) -> bool:
    """Answer a byte at a time, without end."""
    while True:
        sock.sendall(b"H")
        time.sleep(0.02)


def flooding(received: Received, sock: socket.socket) -> bool:
    """Answer as much as is read, without end."""
    while True:
        sock.sendall(b"HTTP/1.1 200 X" * 1000)


class Handshake(Server):
    """A server that takes connections and does to each what a script says, before it has read anything."""

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            self.script(Received(b"", b"", time.monotonic(), number), sock)
        except OSError:
            return


@contextmanager
def tls(script: Script) -> Iterator[Profile]:
    """A target whose TLS handshake does what a script says."""
    with Handshake(script) as server:
        yield pointed(server.profile(timeout_seconds=LIMIT), base_url=f"https://127.0.0.1:{server.port}/api/v1")


@contextmanager
def tunnel(script: Script) -> Iterator[Profile]:
    """A proxy that does what a script says once it is asked for a tunnel."""
    with Server(script) as server:
        proxy = f"http://127.0.0.1:{server.port}"
        yield pointed(server.profile(timeout_seconds=LIMIT), base_url="https://staging.test/api/v1", proxy=proxy)


@contextmanager
def full() -> Iterator[Profile]:
    """A port at which nobody takes connections, and that has no room for more that wait."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        with Server(silent) as server:
            profile = server.profile(timeout_seconds=LIMIT)
        yield pointed(profile, base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1")
        for one in waiting:
            one.close()


def _unanswered(*_: object, **__: object) -> list[Any]:
    time.sleep(5)
    return []


@contextmanager
def nameless() -> Iterator[Profile]:
    """A host whose name nobody finds, nor says so."""
    with pytest.MonkeyPatch.context() as patch, Server(silent) as server:
        patch.setattr(socket, "getaddrinfo", _unanswered)
        yield pointed(server.profile(timeout_seconds=LIMIT), base_url="http://staging.test/api/v1")


def pointed(profile: Profile, **target: str) -> Profile:
    return msgspec.structs.replace(profile, target=msgspec.structs.replace(profile.target, **target))


STALLS: dict[str, Stall] = {
    "a handshake that does not begin": lambda: tls(silent),
    "a handshake, drop by drop": lambda: tls(dripping),
    "a handshake without end": lambda: tls(flooding),
    "a tunnel that is not made": lambda: tunnel(silent),
    "a tunnel, drop by drop": lambda: tunnel(dripping),
    "a tunnel's answer without end": lambda: tunnel(flooding),
    "nobody takes the connection": full,
    "nobody finds the name": nameless,
}


@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
def test_a_connection_that_stalls(stall: Stall) -> None:
    with stall() as profile, client_of(profile) as client:
        began = time.monotonic()
        assert fault(client.send(GET)).kind in ("connect", "proxy")
        assert time.monotonic() - began < SOON


@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
def test_is_left_at_once_when_the_run_is_stopped(stall: Stall) -> None:
    with stall() as found:
        limits = msgspec.structs.replace(found.limits, timeout_seconds=60)
        with client_of(msgspec.structs.replace(found, limits=limits)) as client:
            threading.Timer(0.2, client.stop).start()
            began = time.monotonic()
            assert fault(client.send(GET)).kind in ("unsent", "connect", "proxy")
            assert time.monotonic() - began < SOON


def test_a_body_that_nobody_reads() -> None:
    large = Request("PUT", "/rules/rule_a", body=Payload.of(b"x" * 30_000_000))
    with Handshake(silent) as server, client_of(server.profile(timeout_seconds=LIMIT)) as client:
        began = time.monotonic()
        assert fault(client.send(large)).kind == "timeout"
        assert time.monotonic() - began < SOON + 1
