"""Small real servers on loopback, which do to a client whatever a test tells them to, and clients of theirs."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import msgspec

from rules_harness.harness.exchange import Answer, Payload, Request, TransportFault
from rules_harness.harness.target.profile import Limits, Profile, Rules, SecretReference, Target
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.wire.client import Client, Sent
from rules_harness.strategies.keys import KeyReference

KEYS = {"full": "key-live-Zq7Xw2Rt9Lm4Vb6Nc8", "limited": "key-live-Hj5Kd3Fs1Gp0Ya2Ue6"}


class Received(msgspec.Struct, frozen=True):
    """A request as it arrived: bytes, the moment (monotonic seconds) and the number of its connection."""

    head: bytes
    body: bytes
    moment: float
    connection: int

    @property
    def line(self) -> str:
        return self.head.decode("latin-1").split("\r\n", 1)[0]

    @property
    def headers(self) -> list[tuple[str, str]]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [(name, value) for name, _, value in (line.partition(": ") for line in lines if line)]


Script = Callable[[Received, socket.socket], object]
"""Answers one request; what it returns says whether the connection stays open (``None`` does)."""


def answer(body: bytes = b"{}", *, status: str = "200 OK", headers: str = "", length: bool = True) -> bytes:
    """The bytes of an answer."""
    size = f"Content-Length: {len(body)}\r\n" if length else ""
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{size}{headers}\r\n".encode("latin-1") + body


def always(content: bytes) -> Script:
    """A script that answers everything alike."""
    return lambda received, sock: sock.sendall(content)


def in_turn(*contents: bytes) -> Script:
    """A script that answers the first request with the first, and all after the last with the last."""
    rest = list(contents)
    return lambda received, sock: sock.sendall(rest.pop(0) if len(rest) > 1 else rest[0])


class Server:
    """A context manager: listens on a port, by default a free one, until the ``with`` block ends.

    Each connection has a thread of its own.
    """

    def __init__(
        self, script: Script, *, wrap: Callable[[socket.socket], socket.socket] | None = None, port: int = 0
    ) -> None:
        self.script = script
        self.received: list[Received] = []
        self._connections = 0
        self._wrap = wrap
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    def profile(self, **limits: float) -> Profile:
        """A profile of this server that leaves a client free to run."""
        usual = {"requests_per_second": 10_000.0, "timeout_seconds": 5.0}
        return Profile(
            target=Target("test", self.url),
            credentials={},
            rules=Rules(writable=("rule_a",)),
            limits=msgspec.convert(usual | limits, Limits),
        )

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A thread that waits in accept() wakes up at a shutdown, not at a close.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                sock.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.append(sock)
                self._connections += 1
                number = self._connections
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            if self._wrap is not None:
                sock = self._wrap(sock)
            while (received := self._read(sock, number)) is not None:
                with self._lock:
                    self.received.append(received)
                if self.script(received, sock) not in (None, True):
                    break
        except OSError:
            pass
        finally:
            sock.close()

    def _read(self, sock: socket.socket, number: int) -> Received | None:
        content = b""
        while b"\r\n\r\n" not in content:
            piece = sock.recv(65536)
            if not piece:
                return None
            content += piece
        moment = time.monotonic()
        head, _, body = content.partition(b"\r\n\r\n")
        lengths = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        while len(body) < min(lengths[0] if lengths else 0, 1_000_000):
            piece = sock.recv(65536)
            if not piece:
                return None
            body += piece
        return Received(head, body, moment, number)


PUT = Request(
    "PUT",
    "/rules/rule_a",
    (("Content-Type", "application/json"),),
    Payload.of(b'{"status":"disabled"}'),
    key=KeyReference("full", "Authorization", "ApiKey "),
)
GET = Request("GET", "/rules/rule_a", key=KeyReference("full", "Authorization", "ApiKey "))
LOGIN = SecretReference("proxy:login")
OK = answer(b'{"request_id":"r","data":{}}')


@contextmanager
def client_of(profile: Profile) -> Iterator[Client]:
    client = Client(profile, keyring())
    try:
        yield client
    finally:
        client.close()


@contextmanager
def served(script: Script, **limits: float) -> Iterator[tuple[Server, Client]]:
    with Server(script) as server, client_of(server.profile(**limits)) as client:
        yield server, client


def answered(sent: Sent) -> Answer:
    assert isinstance(sent.outcome, Answer), sent.outcome
    return sent.outcome


def fault(sent: Sent) -> TransportFault:
    assert isinstance(sent.outcome, TransportFault), sent.outcome
    return sent.outcome


def keyring() -> Keyring:
    return Keyring(KEYS, {LOGIN.secret: "me:pw%21"})
