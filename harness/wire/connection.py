"""One HTTP/1.1 connection: bytes out as they are, an answer in, within a time that nothing can stretch.

Why not an HTTP library: it would normalise what goes out, its time limits hold for each read and not for the answer as
a whole, and its CPU time per request is ten times as long.  The answers are parsed by httptools.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final

import httptools
import msgspec

from rules_harness.harness.exchange import FaultKind

MAX_BODY: Final = 4 * 1024 * 1024
MAX_HEAD: Final = 64 * 1024
MAX_FIELDS: Final = 256
"""Header fields of an answer; servers and clients that count them stop at a hundred or so."""
_PIECE: Final = 64 * 1024
_REFUSALS: Final = frozenset(
    {
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV1_ALERT_ACCESS_DENIED",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    }
)
"""How a peer says that it does not accept the certificate of the client, or that it misses one."""
_SLICE: Final = 0.1
"""Seconds between two looks at whether the answer is still wanted."""


class Fault(Exception):
    """The connection failed; ``unanswered`` says that not one byte of an answer came."""

    def __init__(self, kind: FaultKind, detail: str, *, unanswered: bool = False) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.unanswered = unanswered


def reason(error: Exception) -> str:
    """What ended a connection or kept it from being made, with what to do about it where that is known."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{error.verify_message}; name the certificate's issuer in target.ca_bundle"
    if isinstance(error, ssl.SSLError) and error.reason in _REFUSALS:
        words = error.reason.lower().replace("_", " ")
        return f"{words}; the target wants a client certificate that it trusts, named in target.client_cert"
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


class Abandoned(Exception):
    """Waiting for the peer was given up."""


class Room(msgspec.Struct, frozen=True):
    """How many bytes of an answer are taken in: of its body, which is cut there, and of whatever is none of its body.

    That is its head, and interim answers, chunk extensions and trailers as many in a row.
    """

    head: int = MAX_HEAD
    body: int = MAX_BODY


class RawAnswer(msgspec.Struct, frozen=True):
    """An answer as it came; ``cut`` where there was no room for the whole body, and the rest was left unread."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    cut: bool
    room: Room = Room()


class Patience:
    """How long a wait may last: until a deadline (monotonic seconds), or until it is given up."""

    def __init__(self, deadline: float, given_up: Callable[[], bool]) -> None:
        self._deadline = deadline
        self._given_up = given_up

    def wait(self, sock: socket.socket, events: int, what: str) -> int:
        """The events that came; raises `Fault` at the deadline, `Abandoned` when given up."""
        poll = select.poll()
        poll.register(sock, events)
        while True:
            remaining = self.check(what)
            if ready := poll.poll(1000 * min(remaining, _SLICE) + 1):
                return ready[0][1]

    def check(self, what: str) -> float:
        """The seconds that are left; raises like `wait`."""
        if self._given_up():
            raise Abandoned
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise Fault("timeout", f"{what} took longer than the time limit")
        return remaining


class Connection:
    """A connected socket that carries one exchange after the other."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._answer = _Answer(Room())
        self._rest = memoryview(b"")
        self._idle_since = time.monotonic()
        self.used = False
        self.reusable = True

    def is_fresh(self, seconds: float) -> bool:
        """Whether it was idle for less than so long, and the peer has not closed it or said anything unasked."""
        return time.monotonic() - self._idle_since < seconds and not self._poll.poll(0)

    def start(self, payload: bytes, room: Room) -> None:
        """Send what can be sent at once."""
        self._answer = _Answer(room)
        self._rest = memoryview(payload)
        self.reusable = False
        self._send_some()

    def finish(self, patience: Patience) -> RawAnswer:
        """Send the rest and read the answer; raises `Fault` and `Abandoned`."""
        answer = self._answer
        while self._rest and not answer.is_begun:
            events = patience.wait(self._sock, select.POLLIN | select.POLLOUT, "sending the request")
            if events & ~select.POLLOUT:
                self._receive()
            if events & select.POLLOUT:
                self._send_some()
        while not answer.is_whole:
            # A peer that always has more to say leaves nothing to wait for, so each look costs a look at the clock.
            patience.check("the answer")
            if not self._receive():
                patience.wait(self._sock, select.POLLIN, "the answer")
        self.reusable = not (self._rest or answer.must_close)
        self.used = True
        self._idle_since = time.monotonic()
        return answer.raw()

    def close(self) -> None:
        self.reusable = False
        self._sock.close()

    def _send_some(self) -> None:
        try:
            while self._rest:
                self._rest = self._rest[self._sock.send(self._rest[:_PIECE]) :]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        except OSError:
            # The peer may have answered before it closed: that is for _receive to find out.
            self._rest = memoryview(b"")
            self._answer.must_close = True

    def _receive(self) -> bool:
        """Take in what has come; False where nothing has."""
        try:
            content = self._sock.recv(_PIECE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError as error:
            if isinstance(error, ssl.SSLError) and error.reason in _REFUSALS:
                raise Fault("connect", f"TLS failed: {reason(error)}") from None
            self._answer.end(f"the connection broke ({error.strerror or type(error).__name__})")
            return True
        if content:
            self._answer.feed(content)
        else:
            self._answer.end("the peer closed the connection")
        return True


class _Answer:
    """Puts an answer together from what httptools calls out."""

    def __init__(self, room: Room) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._room = room
        self._received = 0
        self._bare = 0
        self._fields = 0
        self._head = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._is_cut = False
        self._status = 0
        self.must_close = False
        self.is_whole = False

    @property
    def is_begun(self) -> bool:
        """Whether the head of a final answer is there: none of the interim ones (RFC 9110, section 15.2)."""
        return self._status >= 200 or self._status == 101

    def raw(self) -> RawAnswer:
        return RawAnswer(self._status, tuple(self._headers), bytes(self._body), self._is_cut, self._room)

    def feed(self, content: bytes) -> None:
        self._received += len(content)
        self._bare += len(content)
        try:
            self._parser.feed_data(content)
        except httptools.HttpParserUpgrade:
            self.is_whole = self.must_close = True
        except httptools.HttpParserError as error:
            if not self.is_whole:
                raise Fault("malformed", f"the answer is not HTTP/1.1: {error}") from None
            self.must_close = True
        if self._is_cut and not self.is_whole:
            self.is_whole = self.must_close = True
        self._check_size()

    def end(self, how: str) -> None:
        """The connection is over: the end of the body where nothing else says where it ends (RFC 9112, section 6.3).

        A peer that answers early and drops what still comes often resets the connection behind its answer.
        """
        names = {name.lower() for name, _ in self._headers}
        if not self.is_begun or names & {b"content-length", b"transfer-encoding"}:
            raise self.closed(how)
        self.is_whole = self.must_close = True

    def closed(self, how: str) -> Fault:
        if self._received == 0:
            return Fault("closed", f"{how} without an answer", unanswered=True)
        return Fault("closed", f"{how} in the middle of the answer, after {self._received} bytes")

    def _check_size(self) -> None:
        if self._fields > MAX_FIELDS:
            raise Fault("too-large", f"the answer has more than {MAX_FIELDS} header fields")
        if max(self._head, 0 if self.is_whole else self._bare) > self._room.head:
            raise Fault("too-large", f"more than {self._room.head} bytes of the answer are not its body")

    def on_message_begin(self) -> None:
        self.must_close = self.must_close or self.is_whole

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.is_whole:
            return
        self._fields += 1
        self._head += len(name) + len(value)
        if not self.is_begun and self._fields <= MAX_FIELDS:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        if not self.is_whole:
            self._status = self._parser.get_status_code()
            self.must_close = not self._parser.should_keep_alive()

    def on_body(self, content: bytes) -> None:
        if self.is_whole:
            return
        self._bare = 0
        room = self._room.body - len(self._body)
        self._body += content[:room]
        self._is_cut = len(content) > room

    def on_message_complete(self) -> None:
        if self.is_begun:
            self.is_whole = True
        else:
            self._headers.clear()
            self._status = 0
