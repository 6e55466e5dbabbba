"""A key that changes while a run goes on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rules_harness.harness.exchange import Answer, Request
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.harness.target.credentials import NoKey
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.wire.client import Client
from rules_harness.strategies.keys import KeyReference
from tests.wire.servers import GET, KEYS, Received, Server, answer, answered

OLD, NEW = KEYS["full"], "key-live-Qp2Ws8Ed5Rf1Tg7Yh"
BEARER = Request("GET", "/rules/rule_a", key=KeyReference("full", "Authorization", "Bearer "))


class Rotating:
    """A target that takes one key at a time, and the place where that is read."""

    def __init__(self) -> None:
        self.accepted = OLD
        self.published = OLD
        self.asked = 0
        self._lock = threading.Lock()

    def __call__(self, received: Received, sock: socket.socket) -> bool:
        given = dict(received.headers).get("Authorization")
        sock.sendall(answer(b"{}", status="200 OK" if given == f"ApiKey {self.accepted}" else "401 Unauthorized"))
        return True

    def read(self) -> str:
        with self._lock:
            self.asked += 1
        if not self.published:
            raise NoKey("there is none", "Wait.")
        return self.published


@contextmanager
def served() -> Iterator[tuple[Rotating, Server, Client, Keyring]]:
    target = Rotating()
    keyring = Keyring({"full": OLD}, sources={"full": target.read})
    with Server(target) as server:
        client = Client(server.profile(in_flight=8), keyring)
        try:
            yield target, server, client, keyring
        finally:
            client.close()


def test_a_refused_key_that_was_good_is_read_anew_and_the_request_sent_again() -> None:
    with served() as (target, server, client, keyring):
        assert answered(client.send(GET)).status == 200
        target.accepted = target.published = NEW
        assert [answered(one).status for one in client.send_many([GET] * 8)] == [200] * 8
        assert target.asked == 1
        assert answered(client.send(GET)).status == 200
        assert keyring.secrets() == {"full": OLD, "full#2": NEW}
        assert {received.line for received in server.received} == {"GET /api/v1/rules/rule_a HTTP/1.1"}


def test_a_key_that_never_was_good_is_not_read_anew() -> None:
    with served() as (target, _, client, _):
        target.accepted = target.published = NEW
        assert answered(client.send(GET)).status == 401
        assert target.asked == 0


def test_a_key_in_the_wrong_form_is_not_read_anew() -> None:
    with served() as (target, _, client, _):
        assert answered(client.send(GET)).status == 200
        assert [answered(client.send(BEARER)).status for _ in range(3)] == [401] * 3
        assert target.asked == 0


@pytest.mark.parametrize("published", [OLD, ""])
def test_a_withdrawn_key_costs_one_question(published: str) -> None:
    with served() as (target, server, client, _):
        assert answered(client.send(GET)).status == 200
        target.accepted, target.published = NEW, published
        assert [answered(client.send(GET)).status for _ in range(3)] == [401] * 3
        assert target.asked == 1
        assert len(server.received) == 4


def test_what_is_recorded_tells_the_keys_of_one_credential_apart() -> None:
    with served() as (target, _, client, keyring):
        cleaner = Cleaner(keyring)
        state = {"a": f"{OLD} {NEW}"}
        found = cleaner.recorded_value(state)
        assert found == {"a": f"{{key:full}} {NEW}"}
        client.send(GET)
        target.accepted = target.published = NEW
        client.send(GET)
        assert cleaner.recorded_value(state) == {"a": "{key:full} {key:full#2}"}
        assert cleaner.recalled_value(found) == state
        assert cleaner.recorded_answer(Answer(200, (("X", NEW),))).leaks == ("full",)
