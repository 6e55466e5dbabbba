"""Targets that are no target: each answers everything alike."""

from __future__ import annotations

import json
import socket
import time

from rules_harness.openapi.contract import load
from tests.wire.servers import Received, Script, always, answer

_BODY = load().example_body()
RULE = {
    "id": "rule_01HXYZ1234",
    "nickname": None,
    "description": None,
    **_BODY,
    "created_at": "2025-01-15T10:30:00Z",
    "updated_at": "2025-01-20T14:45:00Z",
}


def refusing(status: str, code: str) -> Script:
    error = {"error": {"code": code, "message": "No."}}
    return always(answer(json.dumps(error).encode(), status=status))


NOTHING_THERE = always(answer(b"404 page not found", status="404 Not Found"))
NO_SUCH_RULE = refusing("404 Not Found", "resource_not_found")
UNAUTHORIZED = refusing("401 Unauthorized", "unauthorized")
EXAMPLE = always(answer(json.dumps({"request_id": "req_1", "data": RULE}).encode()))
OUT_OF_ORDER = refusing("500 Internal Server Error", "internal_error")
REDIRECTED = always(answer(b"", status="302 Found", headers="Location: https://login.example/\r\n"))
_PAGE = b"<html><body>Welcome</body></html>"
HTML = always(
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(_PAGE) + _PAGE,
)


PLAIN_404 = always(answer(b'{"detail":"Not Found"}', status="404 Not Found"))


def files(received: Received, sock: socket.socket) -> None:
    """As `python -m http.server` answers: a page for each error, and no PUT."""
    page = b"<!DOCTYPE HTML><html><body><h1>Error response</h1></body></html>"
    status = "404 File not found" if received.line.startswith("GET") else "501 Unsupported method ('PUT')"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html;charset=utf-8\r\nContent-Length: {len(page)}\r\n\r\n"
    sock.sendall(head.encode() + page)


def closes_in_the_middle(received: Received, sock: socket.socket) -> bool:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
    return False


def never_answers(received: Received, sock: socket.socket) -> None:
    time.sleep(3)


def endless(received: Received, sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        sock.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
