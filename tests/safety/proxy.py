"""A forward proxy that passes everything on and keeps what passed."""

from __future__ import annotations

import functools
import json
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tests.wire.servers import Received, Server

BASE_PATH = "/api/v1"
CONTROL_PATH = "/__control__"


class Passed(msgspec.Struct, frozen=True, dict=True):
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
        return int(self.answer[9:12])

    @property
    def rule(self) -> str:
        """What stands where an id stands, still encoded; empty for the operator's hooks."""
        prefix = f"{BASE_PATH}/rules/"
        return self.path.removeprefix(prefix) if self.path.startswith(prefix) else ""

    @property
    def enables(self) -> str:
        """The rule that the operator enables with this request, if it is the hook that does so."""
        prefix, suffix = f"{CONTROL_PATH}/rules/", "/enable"
        is_hook = self.path.startswith(prefix) and self.path.endswith(suffix)
        return self.path.removeprefix(prefix).removesuffix(suffix) if is_hook else ""

    @property
    def is_write(self) -> bool:
        return bool(self.rule) and self.method != "GET"

    @functools.cached_property
    def object(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        return _object(self.body)

    @functools.cached_property
    def data(self) -> dict[str, Any]:
        """The rule in the answer; empty where there is none."""
        data = _object(self.answer.partition(b"\r\n\r\n")[2]).get("data")
        return data if isinstance(data, dict) else {}


def _object(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


class Proxy(Server):
    """Passes requests in absolute form (RFC 9112, section 3.2.2) to one server, whatever host they are meant for.

    The operator's hooks may come in origin form.  ``before`` is called with the method and the path of each request
    before it goes on; ``instead`` may answer in place of the server.
    """

    def __init__(self, upstream: str) -> None:
        """``upstream`` is a URL of the server; its path does not matter."""
        super().__init__(self._relay)
        url = urlsplit(upstream)
        self._upstream = (url.hostname or "", url.port or 80)
        self.passed: list[Passed] = []
        self.before: Callable[[str, str], object] = lambda method, path: None
        self.instead: Callable[[str, str], bytes | None] = lambda method, path: None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def writes(self) -> list[Passed]:
        return [passed for passed in self.passed if passed.is_write]

    def _relay(self, received: Received, sock: socket.socket) -> bool:
        method, target, version = received.line.split(" ")
        url = urlsplit(target)
        body = received.body
        length = next((int(value) for name, value in received.headers if name.lower() == "content-length"), 0)
        while len(body) < length:
            body += sock.recv(1 << 20)
        self.before(method, url.path)
        answer = self.instead(method, url.path)
        if answer is None:
            origin = url.path + (f"?{url.query}" if url.query else "")
            lines = [f"{method} {origin} {version}".encode("latin-1"), *received.head.split(b"\r\n")[1:]]
            answer = self._asked(b"\r\n".join([*lines, b"Connection: close", b"", body]))
        headers = tuple(received.headers)
        self.passed.append(
            Passed(method, url.netloc, url.path, url.query, headers, body, answer, received.moment, time.monotonic())
        )
        sock.sendall(answer)
        return False

    def _asked(self, content: bytes) -> bytes:
        answer = b""
        with socket.create_connection(self._upstream) as upstream:
            upstream.sendall(content)
            while piece := upstream.recv(1 << 20):
                answer += piece
        return answer
