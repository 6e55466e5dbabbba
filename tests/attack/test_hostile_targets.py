"""Targets that mean harm, or are broken: what they cost stays within bounds, and no verdict is the worse for it."""

from __future__ import annotations

import socket
import threading
import time
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path

import pytest

from rules_harness.harness.wire import breaker, intake
from rules_harness.harness.wire.client import TargetDown
from tests.gate.runs import check
from tests.wire.servers import (
    GET,
    KEYS,
    OK,
    PUT,
    Received,
    Script,
    Server,
    always,
    answer,
    answered,
    fault,
    in_turn,
    served,
)

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def flood(head: bytes, piece: bytes, *, pause: float = 0) -> Script:
    """A script that says the same over and over, as fast as it is read where there is no pause."""

    def script(received: Received, sock: socket.socket) -> bool:
        sock.sendall(head)
        while True:
            sock.sendall(piece)
            time.sleep(pause)

    return script


ENDLESS = {
    "trailers": flood(CHUNKED + b"0\r\n", b"X-Trailer: y\r\n" * 500),
    "one trailer": flood(CHUNKED + b"0\r\nX-Trailer: ", b"y" * 5000),
    "one chunk extension": flood(CHUNKED + b"1;", b"y" * 5000),
    "chunk extensions": flood(CHUNKED, (b"1;" + b"y" * 5000 + b"\r\nx\r\n") * 10),
    "chunks of one byte": flood(CHUNKED, b"1\r\nx\r\n" * 100),
    "interim answers": flood(b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 100),
    "header fields": flood(b"HTTP/1.1 200 OK\r\n", b"X-Field: y\r\n" * 500),
    "one header field": flood(b"HTTP/1.1 200 OK\r\nX-Field: ", b"y" * 5000),
    "a status line": flood(b"HTTP/1.1 200 ", b"y" * 5000),
    "header fields, drop by drop": flood(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", pause=0.01),
    "a trailer, drop by drop": flood(CHUNKED + b"0\r\nX: ", b"y", pause=0.01),
    "a body, drop by drop": flood(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"y", pause=0.01),
}


@pytest.mark.slow
@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends_is_left_at_the_time_limit(script: Script) -> None:
    with served(script, timeout_seconds=0.5) as (_, client):
        began = time.monotonic()
        assert fault(client.send(GET)).kind in ("timeout", "too-large")
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends_is_left_at_once_when_the_run_is_stopped(script: Script) -> None:
    with served(script, timeout_seconds=60) as (_, client):
        threading.Timer(0.2, client.stop).start()
        began = time.monotonic()
        assert fault(client.send(GET)).kind in ("abandoned", "too-large")
        assert time.monotonic() - began < 10


def test_a_head_has_so_many_fields_and_bytes_and_no_more() -> None:
    usual = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
    many = usual + b"".join(b"X-%d: y\r\n" % number for number in range(10_000)) + b"\r\n{}"
    large = usual + b"".join(b"X-%d: %s\r\n" % (number, b"y" * 8000) for number in range(10)) + b"\r\n{}"
    common = usual + b"".join(b"X-%d: %s\r\n" % (number, b"y" * 300) for number in range(100)) + b"\r\n{}"
    with served(in_turn(many, large, common)) as (_, client):
        assert fault(client.send(GET)).detail == "the answer has more than 256 header fields"
        assert fault(client.send(GET)).detail == "more than 65536 bytes of the answer are not its body"
        assert len(answered(client.send(GET)).headers) == 101


def test_a_run_takes_in_so_much_and_then_little_of_each_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "FOR_A_RUN", 1_000_000)
    large, small = answer(b'"' + b"y" * 400_000 + b'"'), answer(b'"' + b"y" * 4000 + b'"')
    with served(in_turn(large, large, large, large, small, large), max_requests=10) as (_, client):
        replies = [answered(client.send(GET)) for _ in range(5)]
        assert [(reply.cut, len(reply.body.content)) for reply in replies] == [
            *[(False, 400_002)] * 3,
            (True, 4096),
            (False, 4002),
        ]
        with client.restoring():
            assert not answered(client.send(GET)).cut


DEFERRED = {
    "seconds": "1",
    "white space": " \t1 ",
    "a fraction": "0.9",
    "a date": "{soon}",
    "nothing": None,
    "no number": "soon",
    "negative": "-1",
    "a year that no calendar has": "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
    "a zone that no clock has": "Fri, 31 Dec 2027 23:59:59 +9999",
    "the first moment, east of it": "Mon, 01 Jan 0001 00:00:00 +1200",
}


@pytest.mark.slow
@pytest.mark.parametrize("value", DEFERRED.values(), ids=DEFERRED)
def test_every_retry_after_is_kept_whatever_its_form(value: str | None) -> None:
    moments: list[float] = []

    def script(received: Received, sock: socket.socket) -> None:
        moments.append(time.monotonic())
        if len(moments) > 1:
            sock.sendall(OK)
            return
        soon = formatdate(time.time() + 2, usegmt=True)
        header = "" if value is None else f"Retry-After: {value.format(soon=soon)}\r\n"
        sock.sendall(answer(status="429 Too Many Requests", headers=header))

    with served(script) as (_, client):
        assert answered(client.send(PUT)).status == 200
    if value != DEFERRED["the first moment, east of it"]:
        assert 0.9 <= moments[1] - moments[0] <= 2.5


def test_the_last_retry_after_in_a_row_is_kept_too() -> None:
    slow = answer(status="429 Too Many Requests", headers="Retry-After: 0.3\r\n")
    with served(in_turn(slow, slow, slow, slow, OK)) as (server, client):
        assert answered(client.send(PUT)).status == 429
        assert answered(client.send(GET)).status == 200
    moments = [received.moment for received in server.received]
    assert all(later - earlier >= 0.3 for earlier, later in pairwise(moments))


@pytest.mark.parametrize("value", ["86400", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_target_that_asks_for_too_long_is_left_alone_at_once(value: str) -> None:
    slow = answer(status="503 Service Unavailable", headers=f"Retry-After: {value}\r\n")
    with served(in_turn(OK, slow)) as (server, client):
        client.send(GET)
        assert answered(client.send(PUT)).status == 503
        with pytest.raises(TargetDown, match=r"the target asked to wait for \d+ s") as caught:
            client.send(PUT)
        assert caught.value.reason == "deferred"
    assert len(server.received) == 2


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Retry-After: 86400\r\n", "the target asked to wait for 86400 s"),
        ("Retry-After: 0.4\r\n", "the target asked to wait for 0.4 s, after 1 s in which it said only that"),
    ],
)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_run_whose_target_only_defers_ends_and_says_for_how_long_it_was_asked_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str, header: str, told: str
) -> None:
    monkeypatch.setattr(breaker, "LONGEST_ROW", 1.0)
    with Server(always(answer(status=status, headers=header))) as server:
        profile = tmp_path / "profile.toml"
        profile.write_text(
            f'[target]\nbase_url = "{server.url}"\n[credentials.full]\nkey_env = "TEST_KEY"\n'
            '[rules]\nwritable = ["rule_a"]\n[[accounts]]\nid = "acc_1"\ntype = "income_source"\n'
            '[[accounts]]\nid = "acc_2"\ntype = "pod"\n',
            encoding="utf-8",
        )
        began = time.monotonic()
        ended = check(profile, environ={"TEST_KEY": KEYS["full"]}, out=tmp_path / "out")
        assert time.monotonic() - began < 10
    assert ended.code == 3
    assert told in ended.summary["reason"]
