"""Targets that mean harm, or are broken: what they cost stays within bounds, and no verdict is the worse for it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path

import pytest

from rules_harness.harness.exchange import Answer, Payload, Request, TransportFault
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.wire import breaker, intake
from rules_harness.harness.wire.client import Client, TargetDown
from tests.gate.runs import Ended, check, command
from tests.safety.proxy import Proxy
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
    client_of,
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
        assert time.monotonic() - began < 1


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


class Frail:
    """A target that one request, the one with ``HARM`` in its body, takes down: then nothing is answered for a while.

    ``times`` is how often that happens; ``crashes`` says that connections are closed meanwhile, and not left open;
    ``alone`` that others are answered all the same.
    """

    HARM = Payload.of(b"harm")

    def __init__(self, *, seconds: float, times: int = 99, crashes: bool = False, alone: bool = False) -> None:
        self._seconds, self._times, self._crashes, self._alone = seconds, times, crashes, alone
        self._away_until = 0.0
        self.harmed = 0

    def __call__(self, received: Received, sock: socket.socket) -> bool:
        harms = received.body == self.HARM.content and self.harmed < self._times
        if harms:
            self.harmed += 1
            self._away_until = time.monotonic() + self._seconds
        if (harms or not self._alone) and time.monotonic() < self._away_until:
            while not self._crashes and time.monotonic() < self._away_until:
                time.sleep(0.01)
            return False
        sock.sendall(OK)
        return True


HARM = Request("PUT", "/rules/rule_a", body=Frail.HARM)


def sent_by_side(client: Client, *requests: Request) -> list[Answer | TransportFault]:
    """What comes of requests that are under way together, after one that the target answers."""
    answered(client.send(GET))
    with ThreadPoolExecutor(len(requests)) as threads:
        return [sent.outcome for sent in threads.map(client.send, requests)]


@pytest.mark.parametrize("crashes", [False, True], ids=["hangs", "crashes"])
def test_what_takes_the_target_down_twice_is_marked_and_the_rest_goes_on(crashes: bool) -> None:
    target = Frail(seconds=0.4, crashes=crashes)
    with served(target, timeout_seconds=0.2) as (_, client):
        harm, *others = sent_by_side(client, HARM, PUT, PUT, GET)
        assert answered(client.send(PUT)).status == 200
    assert isinstance(harm, TransportFault)
    assert (harm.kind, harm.aftermath) == ("closed" if crashes else "timeout", "down")
    assert not any(isinstance(other, TransportFault) and other.aftermath for other in others)
    # A kept connection may have been closed for another reason, so what it carried is sent again before all that.
    assert target.harmed in (2, 3)


@pytest.mark.parametrize("crashes", [False, True], ids=["hangs", "crashes"])
def test_a_target_that_goes_away_once_is_waited_for_and_nothing_is_marked(crashes: bool) -> None:
    with served(Frail(seconds=0.4, times=1, crashes=crashes), timeout_seconds=0.2) as (_, client):
        outcomes = sent_by_side(client, HARM, PUT, GET)
        assert answered(client.send(PUT)).status == 200
    assert not any(isinstance(outcome, TransportFault) and outcome.aftermath for outcome in outcomes)


@pytest.mark.parametrize("crashes", [False, True], ids=["hangs", "crashes"])
def test_what_alone_is_never_answered_is_marked(crashes: bool) -> None:
    with served(Frail(seconds=9, alone=True, crashes=crashes), timeout_seconds=0.2) as (_, client):
        harm, other = sent_by_side(client, HARM, PUT)
    assert isinstance(harm, TransportFault)
    assert harm.aftermath == "again"
    assert isinstance(other, Answer)


def test_a_target_that_does_not_come_back_is_left_alone_and_the_request_is_named() -> None:
    with served(Frail(seconds=9), timeout_seconds=0.1) as (_, client):
        began = time.monotonic()
        (harm,) = sent_by_side(client, HARM)
        with pytest.raises(
            TargetDown, match=r"nothing is answered since PUT /rules/rule_a with 4 bytes \(the answer took"
        ):
            client.send(PUT)
        assert time.monotonic() - began < 2
    assert isinstance(harm, TransportFault)
    assert harm.aftermath == "gone"


def test_what_might_be_done_twice_is_not_sent_twice() -> None:
    trigger = Request("POST", "/rules/rule_a/trigger", body=Frail.HARM)
    target = Frail(seconds=0.3)
    with served(target, timeout_seconds=0.2) as (_, client):
        sent_by_side(client, trigger)
        assert target.harmed == 1
        client.send_together([HARM, HARM])
    assert target.harmed == 3


def test_what_never_left_leaves_once_the_target_is_back() -> None:
    server = Server(always(answer(headers="Connection: close\r\n")))
    with client_of(server.profile(timeout_seconds=0.5)) as client, ThreadPoolExecutor(1) as threads:
        with server:
            client.send(GET)
        waiting = threads.submit(client.send, PUT)
        time.sleep(0.3)
        with Server(always(OK), port=server.port) as again:
            assert answered(waiting.result()).status == 200
        assert [received.line[:3] for received in again.received] == ["GET", "PUT"]


def test_what_a_proxy_says_of_a_target_that_restarts_is_no_answer_of_it() -> None:
    began = time.monotonic()

    def script(received: Received, sock: socket.socket) -> None:
        is_away = 0.2 < time.monotonic() - began < 0.7
        sock.sendall(answer(status="502 Bad Gateway") if is_away else OK)

    with served(script, timeout_seconds=0.5) as (_, client):
        client.send(GET)
        time.sleep(0.3)
        assert all(answered(sent).status == 200 for sent in client.send_many([PUT] * 5))


def test_a_target_that_answers_too_little_is_left_alone_in_the_end() -> None:
    with served(Frail(seconds=9, alone=True), timeout_seconds=0.05) as (_, client):
        client.send(GET)

        def go_on() -> None:
            for _ in range(99):
                assert answered(client.send(PUT)).status == 200
                client.send(HARM)

        with pytest.raises(TargetDown, match="s were spent waiting for answers that never came"):
            go_on()


def test_a_stop_ends_waiting_for_a_target_to_come_back() -> None:
    with served(Frail(seconds=9), timeout_seconds=1) as (_, client):
        threading.Timer(1.2, client.stop).start()
        began = time.monotonic()
        sent_by_side(client, HARM)
        assert time.monotonic() - began < 1.7


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
            '[rules]\nwritable = ["rule_a"]\n[[accounts]]\nid = "acc_1"\ntype = "income_source"\n',
            encoding="utf-8",
        )
        began = time.monotonic()
        ended = check(profile, environ={"TEST_KEY": KEYS["full"]}, out=tmp_path / "out")
        assert time.monotonic() - began < 10
    assert ended.code == 3
    assert told in ended.summary["reason"]


class Hostile(Proxy):
    """The embedded target behind a front that lets everything through, but goes away after some requests."""

    def __init__(self, reference: ReferenceServer, folder: Path) -> None:
        super().__init__(reference.base_url)
        self._reference = reference
        self._folder = folder
        self._away_until = 0.0
        self.harms: Callable[[Received], bool] = lambda received: False

    def _relay(self, received: Received, sock: socket.socket) -> bool:
        if self.harms(received):
            self._away_until = time.monotonic() + 1
        return time.monotonic() >= self._away_until and super()._relay(received, sock)

    def check(self, *arguments: str) -> Ended:
        """A run against this front."""
        profile = self._folder / "profile.toml"
        text = self._reference.profile_toml.replace(self._reference.base_url, f"{self.address}/api/v1")
        profile.write_text(text, encoding="utf-8")
        return check(profile, *arguments, environ=self._reference.environment, out=self._folder / "out")


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Hostile]:
    with ReferenceServer() as reference, Hostile(reference, tmp_path) as front:
        yield front


def test_the_requirement_of_a_request_that_crashes_the_target_gets_the_finding(hostile: Hostile) -> None:
    hostile.harms = lambda received: b"%00" in received.head
    ended = hostile.check("--select", "not-found.odd-ids")
    assert ended.code == 1, ended.err
    findings = {(finding["requirement"], finding["level"], finding["kind"]) for finding in ended.summary["findings"]}
    assert findings == {("not-found.odd-ids", "must", "connection closed without an answer")}
    assert ended.requirements["not-found.odd-ids"]["exercised"] > 50
    again = command("judge", ended.folder, environ={}, folder=ended.folder)
    assert again.code == 1
    assert again.out.splitlines()[:5] == ended.out.splitlines()[:5]
