"""A forward proxy that passes everything on and keeps what passed."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tests.harness.servers import Received, Server

BASE_PATH = "/api/v1"
CONTROL_PATH = "/__control__"


class Passed(msgspec.Struct, frozen=True):
    """A request as it passed, what came back, and when (monotonic seconds) it came and was answered."""

    method: str
    host: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    answer: bytes
    moment: float
    ended: float

    @property
    def status(self) -> int:
        return int(self.answer[9:12] or 0)

    @property
    def rule(self) -> str | None:
        """What stands where an id stands, still encoded; nothing for the operator's hooks."""
        prefix = f"{BASE_PATH}/rules/"
        return self.path.removeprefix(prefix) if self.path.startswith(prefix) else None

    @property
    def enables(self) -> str | None:
        """The rule that the operator enables with this request."""
        prefix, suffix = f"{CONTROL_PATH}/rules/", "/enable"
        is_hook = self.path.startswith(prefix) and self.path.endswith(suffix)
        return self.path.removeprefix(prefix).removesuffix(suffix) if is_hook else None

    @property
    def is_write(self) -> bool:
        return self.rule is not None and self.method != "GET"

    @property
    def object(self) -> dict[str, Any] | None:
        """The body as a JSON object; ``None`` where it is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    @property
    def data(self) -> dict[str, Any]:
        """The rule in the answer; empty where there is none."""
        try:
            value = json.loads(self.answer.partition(b"\r\n\r\n")[2])
        except ValueError:
            return {}
        return value.get("data") or {} if isinstance(value, dict) else {}


class Proxy(Server):
    """Passes requests in absolute form (RFC 9112, section 3.2.2) to one server, whatever host they are meant for."""

    def __init__(self, upstream: str) -> None:
        """``upstream`` is the URL of the server; its path does not matter."""
        super().__init__(self._relay)
        url = urlsplit(upstream)
        self._upstream = (url.hostname or "", url.port or 80)
        self.passed: list[Passed] = []
        self.before: Callable[[str, str], None] = lambda method, path: None
        """Called with each request before it goes on."""
        self.instead: Callable[[str, str], bytes | None] = lambda method, path: None
        """What is answered in place of the server."""

    def _relay(self, received: Received, sock: socket.socket) -> bool:
        method, target, version = received.line.split(" ")
        url = urlsplit(target)
        body = received.body
        length = next((int(value) for name, value in received.headers if name.lower() == "content-length"), 0)
        while len(body) < length:
            body += sock.recv(1 << 20)
        self.before(method, url.path)
        own = self.instead(method, url.path)
        if own is None:
            origin = url.path + ("?" + url.query if url.query else "")
            lines = received.head.split(b"\r\n")[1:]
            head = b"\r\n".join([f"{method} {origin} {version}".encode("latin-1"), *lines, b"Connection: close"])
            own = self._asked(head + b"\r\n\r\n" + body)
        self._keep(received, body, own)
        sock.sendall(own)
        return False

    def _asked(self, content: bytes) -> bytes:
        answer = b""
        with socket.create_connection(self._upstream) as upstream:
            upstream.sendall(content)
            while piece := upstream.recv(1 << 20):
                answer += piece
        return answer

    def _keep(self, received: Received, body: bytes, answer: bytes) -> None:
        import time

        method, target, _ = received.line.split(" ")
        url = urlsplit(target)
        passed = Passed(
            method,
            url.netloc,
            url.path,
            url.query,
            tuple(received.headers),
            body,
            answer,
            received.moment,
            time.monotonic(),
        )
        self.passed.append(passed)
