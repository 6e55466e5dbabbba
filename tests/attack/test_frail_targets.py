"""Targets that one request takes down, or that go away by themselves: who takes the blame, and the rest goes on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rules_harness.harness.exchange import Answer, Payload, Request, TransportFault
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.wire.client import Client, TargetDown
from tests.gate.runs import Ended, check, command
from tests.safety.proxy import Proxy
from tests.wire.servers import GET, OK, PUT, Received, Server, always, answer, answered, client_of, served


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


@pytest.mark.slow
def test_the_requirement_of_a_request_that_crashes_the_target_gets_the_finding(hostile: Hostile) -> None:
    hostile.harms = lambda received: b"%00" in received.head
    ended = hostile.check("--select", "not-found.odd-ids")
    assert ended.code == 1, ended.err
    findings = {(finding["requirement"], finding["level"], finding["kind"]) for finding in ended.summary["findings"]}
    assert findings == {("not-found.odd-ids", "must", "connection closed without an answer")}
    assert ended.requirements["not-found.odd-ids"]["exercised"] > 50
    judged = ended.folder / "judged"
    again = command("judge", ended.folder, "--out", judged, environ={}, folder=judged)
    assert again.code == 1
    assert again.requirements == ended.requirements
