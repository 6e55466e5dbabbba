"""When requests leave, when they do not, and when they leave again."""

from __future__ import annotations

import socket
import threading
import time
from email.utils import formatdate

import pytest

from rules_harness.harness.exchange import Answer, Request, TransportFault
from rules_harness.harness.wire.client import BudgetSpent, Sent, Stopped, TargetDown
from tests.wire.servers import (
    GET,
    OK,
    PUT,
    Received,
    Server,
    always,
    answer,
    answered,
    client_of,
    fault,
    in_turn,
    served,
)


def most_in_a_second(moments: list[float]) -> int:
    # A second less a tenth: a busy machine may be that late to look at its clock.
    return max(sum(1 for other in moments if moment <= other < moment + 0.9) for moment in moments)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "waits", "may_have_executed"),
    [
        (answer(status="429 Too Many Requests", headers="Retry-After: 1\r\n"), 0.9, False),
        (answer(status="503 Service Unavailable", headers="retry-after: 1\r\n"), 0.9, False),
        (answer(status="429 Too Many Requests"), 0.4, False),
        (answer(status="429 Too Many Requests", headers="Retry-After: soon\r\n"), 0.4, False),
        (answer(status="429 Too Many Requests", headers=f"Retry-After: {formatdate(0, usegmt=True)}\r\n"), 0, False),
        (answer(status="425 Too Early", headers="Retry-After: 0\r\n"), 0, False),
        (answer(status="502 Bad Gateway"), 0, True),
        (answer(status="504 Gateway Timeout"), 0, True),
    ],
)
def test_a_target_that_asks_for_patience_is_asked_again(first: bytes, waits: float, may_have_executed: bool) -> None:
    with served(in_turn(first, OK)) as (server, client):
        sent = client.send(PUT)
        assert answered(sent).status == 200
        assert client.requests_sent == 2
        assert sent.resent == may_have_executed
    one, two = server.received
    assert (one.head, one.body) == (two.head, two.body)
    assert two.moment - one.moment >= waits
    assert sent.ended - sent.started >= waits


@pytest.mark.parametrize(
    ("content", "attempts"),
    [
        (answer(status="429 Too Many Requests", headers="Retry-After: 0\r\n"), 4),
        (answer(status="503 Service Unavailable"), 1),
        (answer(status="502 Bad Gateway"), 2),
        (answer(status="500 Internal Server Error"), 1),
    ],
)
def test_the_last_answer_stands(content: bytes, attempts: int) -> None:
    with served(always(content)) as (server, client):
        assert answered(client.send(PUT)).status == int(content[9:12])
    assert len(server.received) == attempts


def test_a_pause_holds_for_every_request() -> None:
    with served(in_turn(answer(status="429 Too Many Requests", headers="Retry-After: 1\r\n"), OK)) as (server, client):
        thread = threading.Thread(target=client.send, args=(PUT,))
        thread.start()
        while not server.received:
            time.sleep(0.001)
        time.sleep(0.1)
        client.send(GET)
        thread.join()
    assert min(received.moment for received in server.received[1:]) - server.received[0].moment >= 0.9


def test_the_rate_is_never_exceeded() -> None:
    rate = 20
    with served(always(OK), requests_per_second=rate) as (server, client):
        client.send_many([GET] * (2 * rate + 1))
        client.send_together([GET] * client.most_together)
    moments = [received.moment for received in server.received]
    assert len(moments) == 2 * rate + 1 + client.most_together
    assert most_in_a_second(moments) <= rate


def test_no_more_are_in_flight_than_allowed() -> None:
    lock = threading.Lock()
    in_flight: list[Received] = []
    most = 0

    def script(received: Received, sock: socket.socket) -> None:
        nonlocal most
        with lock:
            in_flight.append(received)
            most = max(most, len(in_flight))
        time.sleep(0.01)
        with lock:
            in_flight.remove(received)
        sock.sendall(OK)

    with served(script, in_flight=3) as (server, client):
        others = [threading.Thread(target=client.send_many, args=([GET] * 10,)) for _ in range(2)]
        for thread in others:
            thread.start()
        for _ in range(5):
            client.send_together([GET] * 3)
        for thread in others:
            thread.join()
    assert len(server.received) == 35
    assert most == 3


def test_results_come_in_the_order_of_the_requests() -> None:
    def script(received: Received, sock: socket.socket) -> None:
        time.sleep(0.05 if received.line.startswith("GET /api/v1/0") else 0)
        sock.sendall(answer(received.line.split()[1].encode()))

    requests = [Request("GET", f"/{number}") for number in range(8)]
    with served(script) as (_, client):
        for results in (client.send_many(requests), client.send_together(requests)):
            assert [answered(sent).body.text for sent in results] == [f"/api/v1/{number}" for number in range(8)]
        assert client.send_many([]) == client.send_together([]) == []


def test_requests_sent_together_overlap_each_on_its_own_connection() -> None:
    barrier = threading.Barrier(6, timeout=5)

    def script(received: Received, sock: socket.socket) -> None:
        barrier.wait()
        sock.sendall(OK)

    with served(script, in_flight=6) as (server, client):
        results = client.send_together([PUT] * 6)
        assert all(answered(sent).status == 200 for sent in results)
        assert max(sent.started for sent in results) < min(sent.ended for sent in results)
        with pytest.raises(ValueError, match="7 requests at one moment, where the limits allow 6"):
            client.send_together([PUT] * 7)
    assert len({received.connection for received in server.received}) == 6


def test_stop_abandons_what_is_open_and_lets_nothing_leave() -> None:
    with served(lambda received, sock: time.sleep(3)) as (server, client):
        results: list[Sent] = []
        thread = threading.Thread(target=lambda: results.extend(client.send_many([PUT] * 20)))
        thread.start()
        while len(server.received) < 8:
            time.sleep(0.001)
        began = time.monotonic()
        client.stop()
        thread.join()
        assert time.monotonic() - began < 2
        kinds = [fault(sent).kind for sent in results]
        assert (kinds.count("abandoned"), kinds.count("unsent")) == (8, 12)
        for send in (
            lambda: client.send(GET),
            lambda: client.send_many([GET] * 2),
            lambda: client.send_together([GET]),
        ):
            with pytest.raises(Stopped):
                send()
    assert len(server.received) == 8


def test_draining_waits_for_what_has_left_and_lets_nothing_else_leave() -> None:
    def slow(received: Received, sock: socket.socket) -> None:
        time.sleep(0.4)
        sock.sendall(OK)

    with served(slow) as (server, client):
        results: list[Sent] = []
        thread = threading.Thread(target=lambda: results.extend(client.send_many([PUT] * 20)))
        thread.start()
        while len(server.received) < 8:
            time.sleep(0.001)
        client.drain()
        thread.join()
        kinds = [isinstance(sent.outcome, Answer) or fault(sent).kind for sent in results]
        assert (kinds.count(True), kinds.count("unsent")) == (8, 12)
        with pytest.raises(Stopped):
            client.send(PUT)
        with client.restoring():
            answered(client.send(PUT))
    assert len(server.received) == 9


@pytest.mark.parametrize(
    "limits",
    [{"requests_per_second": 1}, {"requests_per_second": 100}],
    ids=["waiting for the rate", "waiting for a pause"],
)
def test_stop_ends_waiting(limits: dict[str, float]) -> None:
    content = OK if limits["requests_per_second"] == 1 else answer(status="429 Slow", headers="Retry-After: 50\r\n")
    with served(always(content), **limits) as (_, client):
        timer = threading.Timer(0.2, client.stop)
        timer.start()
        began = time.monotonic()
        results = client.send_many([GET] * 3)
        assert time.monotonic() - began < 1.6
        assert any(isinstance(sent.outcome, Answer) for sent in results)


def test_putting_back_goes_on_after_a_stop_within_bounds() -> None:
    with served(always(OK)) as (server, client):
        client.stop()
        with client.restoring():
            for _ in range(30):
                answered(client.send(PUT))
            with pytest.raises(BudgetSpent, match="reserve"):
                client.send(PUT)
        with pytest.raises(Stopped):
            client.send(PUT)
    assert len(server.received) == 30


def test_the_budget_is_kept_to_the_request() -> None:
    with served(always(OK), max_requests=5) as (server, client):
        client.send(GET)
        results = client.send_many([GET] * 6)
        assert [isinstance(sent.outcome, Answer) for sent in results].count(True) == 4
        unsent = next(fault(sent) for sent in results if isinstance(sent.outcome, TransportFault))
        assert unsent == TransportFault("unsent", "limits.max_requests = 5 is used up")
        for send in (
            lambda: client.send(GET),
            lambda: client.send_many([GET] * 2),
            lambda: client.send_together([GET]),
        ):
            with pytest.raises(BudgetSpent):
                send()
        assert client.requests_sent == 5
        with client.restoring():
            answered(client.send(PUT))
    assert len(server.received) == 6


def test_a_target_that_is_not_there_is_left_alone() -> None:
    with Server(always(OK)) as server:
        profile = server.profile()
    with client_of(profile) as client:
        for _ in range(10):
            assert fault(client.send(GET)).kind == "connect"
        with pytest.raises(TargetDown, match="refused") as caught:
            client.send(GET)
        assert caught.value.reason == "connection"


def test_a_target_that_answers_only_server_errors_is_left_alone() -> None:
    with served(always(answer(status="500 Internal Server Error"))) as (server, client):
        for _ in range(20):
            assert answered(client.send(PUT)).status == 500
        with pytest.raises(TargetDown, match="20 answers in a row") as caught:
            client.send(GET)
        assert caught.value.reason == "server-error"
        with client.restoring():
            assert answered(client.send(PUT)).status == 500
    assert len(server.received) == 21


def test_a_target_that_fails_on_odd_requests_alone_is_not_down() -> None:
    def script(received: Received, sock: socket.socket) -> None:
        sock.sendall(OK if received.line.startswith("GET") else answer(status="500 Internal Server Error"))

    with served(script) as (server, client):
        client.send(GET)
        for _ in range(50):
            assert answered(client.send(PUT)).status == 500
    assert [received.line[:3] for received in server.received].count("GET") == 3


def test_a_target_that_goes_down_later_is_left_alone() -> None:
    with served(in_turn(OK, answer(status="500 Internal Server Error"))) as (server, client):
        client.send(GET)
        for _ in range(20):
            client.send(PUT)
        with pytest.raises(TargetDown):
            client.send(PUT)
    assert [received.line[:3] for received in server.received].count("GET") == 2
