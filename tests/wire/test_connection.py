"""What goes out and what comes in, with real servers that are slow, rude, broken or too talkative."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import time
import zlib
from collections.abc import Callable

import pytest

from rules_harness.harness.exchange import Payload, Request, TransportFault
from rules_harness.harness.target.profile import Profile, Target
from rules_harness.strategies.keys import KeyPlace, KeyReference
from tests.wire.servers import (
    GET,
    KEYS,
    LOGIN,
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


def test_a_request_goes_out_as_its_record_says_with_the_key_put_in() -> None:
    with Server(always(OK)) as server:
        target = Target("test", server.url, headers=(("X-Called-Reason", "a test"),))
        profile = Profile(target=target, credentials={})
        with client_of(profile) as client:
            sent = client.send(PUT)
    received = server.received[0]
    assert received.line == "PUT /api/v1/rules/rule_a HTTP/1.1"
    assert received.headers[:2] == [("Host", f"127.0.0.1:{server.port}"), ("X-Called-Reason", "a test")]
    assert received.headers[2] == ("Accept", "application/json")
    assert received.headers[3][0] == "User-Agent"
    assert received.headers[3][1].startswith("rules-harness/")
    assert received.headers[4:] == [
        ("Authorization", f"ApiKey {KEYS['full']}"),
        ("Content-Type", "application/json"),
        ("Content-Length", "21"),
    ]
    assert received.body == b'{"status":"disabled"}'
    assert answered(sent).object()["request_id"] == "r"
    assert 0 <= sent.started <= sent.ended


def test_a_raw_request_goes_out_untouched() -> None:
    request = Request(
        "pUt",
        "/rules/a%2e%2E/../ü?q={key:full}&r=%7e",
        (("X-Odd", " \tspaces  "), ("x-odd", "ÿ")),
        Payload(text=" {"),
        raw=True,
        key=KeyReference("full", "t", "a b", place="query"),
    )
    with served(always(OK)) as (server, client):
        answered(client.send(request))
    assert server.received[0].head == (
        "pUt /api/v1/rules/a%2e%2E/../ü?q={key:full}&r=%7e"
        f"&t=a%20b{KEYS['full']} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        "X-Odd:  \tspaces  \r\nx-odd: ÿ\r\nContent-Length: 2\r\nConnection: close"
    ).encode("latin-1")
    assert server.received[0].body == b" {"


def test_a_given_header_takes_the_place_of_the_usual_one() -> None:
    headers = (("user-agent", "odd"), ("Content-Length", "2"), ("Accept", "*/*"))
    with served(always(OK)) as (server, client):
        client.send(Request("PUT", "/rules/a", headers, Payload(text="{}")))
    assert server.received[0].headers[1:] == list(headers)


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/rules/a b"),
        Request("GET", "/rules/ä"),
        Request("GE T", "/rules/a"),
        Request("GET", "/rules/a", (("X-A", "b\r\nX-C: d"),)),
        Request("GET", "/rules/a", (("X-A\n", "b"),)),
    ],
)
def test_only_a_raw_request_may_be_odd(request_: Request) -> None:
    with served(always(OK)) as (server, client):
        with pytest.raises(ValueError, match="not an HTTP request"):
            client.send(request_)
        with pytest.raises(KeyError):
            client.send(Request("GET", "/rules/a", key=KeyReference("revoked", "Authorization", "ApiKey ")))
    assert server.received == []


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with served(always(OK)) as (_, client):
        answered(client.send(GET))


def test_the_proxy_of_the_profile_is_used() -> None:
    with Server(always(OK)) as server:
        target = Target(
            "test", "http://target.invalid/api/v1", proxy=f"http://127.0.0.1:{server.port}", proxy_login=LOGIN
        )
        with client_of(Profile(target=target, credentials={})) as client:
            answered(client.send(GET))
    received = server.received[0]
    assert received.line == "GET http://target.invalid/api/v1/rules/rule_a HTTP/1.1"
    assert ("Host", "target.invalid") in received.headers
    assert ("Proxy-Authorization", f"Basic {base64.b64encode(b'me:pw!').decode()}") in received.headers


def test_a_connection_is_used_again_and_one_that_was_closed_is_not() -> None:
    def script(received: Received, sock: socket.socket) -> bool:
        sock.sendall(OK)
        return received.body != b"last"

    with served(script) as (server, client):
        for text in ("one", "last", "three", "four"):
            answered(client.send(Request("POST", "/rules/a", body=Payload(text=text))))
            time.sleep(0.02)
    assert [received.connection for received in server.received] == [1, 1, 2, 2]


def test_a_request_is_repeated_once_where_a_kept_connection_was_closed_without_an_answer() -> None:
    def script(received: Received, sock: socket.socket) -> bool:
        is_first = server.received[-1].connection != (server.received[-2].connection if len(server.received) > 1 else 0)
        if is_first:
            sock.sendall(OK)
        return is_first

    with served(script) as (server, client):
        answered(client.send(PUT))
        answered(client.send(PUT))
        assert [received.connection for received in server.received] == [1, 1, 2]
        assert fault(client.send(Request("POST", "/rules/a"))).kind == "closed"
        assert [received.connection for received in server.received] == [1, 1, 2, 2]


def test_a_request_is_not_repeated_on_a_new_connection() -> None:
    with served(lambda received, sock: False) as (server, client):
        assert fault(client.send(PUT)) == TransportFault("closed", "the peer closed the connection without an answer")
    assert len(server.received) == 1


CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4;x=y\r\n":1}\r\n0\r\nX-Trailer: t\r\n\r\n'
DEFLATED = zlib.compress(b'{"a":1}')


@pytest.mark.parametrize(
    "content",
    [
        answer(b'{"a":1}'),
        CHUNKED,
        answer(b'{"a":1}', length=False),
        b"HTTP/1.0 200 OK\r\n\r\n" + b'{"a":1}',
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(b'{"a":1}'),
        answer(gzip.compress(b'{"a":1}'), headers="Content-Encoding: gzip\r\n"),
        answer(DEFLATED, headers="Content-Encoding: deflate\r\n"),
        answer(DEFLATED[2:-4], headers="Content-Encoding: deflate\r\n"),
        answer(b'{"a":1}') + b"rubbish behind it",
        answer(b'{"a":1}') + answer(b"another answer"),
    ],
)
@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_every_way_to_send_an_answer_is_understood(content: bytes, piece: int) -> None:
    def script(received: Received, sock: socket.socket) -> bool:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(content), piece):
            sock.sendall(content[start : start + piece])
        return False

    with served(script) as (_, client):
        for _ in range(2):
            reply = answered(client.send(GET))
            assert (reply.status, reply.body.content, reply.cut) == (200, b'{"a":1}', False)
            assert reply.header("X-Trailer") is reply.header("Link") is None
            time.sleep(0.02)  # so that what follows the answer is there, and noticed, before the next request


def test_headers_and_bytes_of_an_answer_are_kept() -> None:
    content = answer(b"\xff\xfe", status="418 I'm a teapot", headers="Set-Cookie: a\r\nset-cookie: \xe9\r\n")
    with served(always(content)) as (_, client):
        reply = answered(client.send(GET))
    assert reply.status == 418
    assert reply.header_values("SET-COOKIE") == ("a", "é")
    assert reply.body == Payload(base64=base64.b64encode(b"\xff\xfe").decode())


def test_redirects_are_not_followed() -> None:
    with served(always(answer(status="307 Temporary Redirect", headers="Location: /elsewhere\r\n"))) as (
        server,
        client,
    ):
        assert answered(client.send(PUT)).status == 307
    assert len(server.received) == 1


def drip(content: bytes, rest: Callable[[], bytes]) -> Script:
    def script(received: Received, sock: socket.socket) -> bool:
        sock.sendall(content)
        while piece := rest():
            sock.sendall(piece)
            time.sleep(0.02)
        return False

    return script


ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "script",
    [
        lambda received, sock: time.sleep(2),
        drip(b"HTTP/1.1 200 ", lambda: b"x"),
        drip(b"HTTP/1.1 200 OK\r\n", lambda: b"X: y\r\n"),
        drip(ENDLESS, lambda: b"1\r\nx\r\n"),
        drip(b"HTTP/1.1 200 OK\r\n\r\n", lambda: b"x"),
        drip(b"HTTP/1.1 100 Continue\r\n\r\n", lambda: b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_nothing_takes_longer_than_the_time_limit(script: Script) -> None:
    with served(script, timeout_seconds=0.3) as (_, client):
        sent = client.send(GET)
        assert fault(sent).kind == "timeout"
        assert sent.ended - sent.started < 1.5


def test_an_endless_body_is_cut() -> None:
    with served(drip(ENDLESS, lambda: b"10000\r\n" + b"x" * 65536 + b"\r\n"), timeout_seconds=20) as (_, client):
        reply = answered(client.send(GET))
    assert reply.cut
    assert len(reply.body.content) == 4 * 1024 * 1024


def test_a_body_that_unpacks_without_end_is_cut() -> None:
    packed = answer(gzip.compress(b"x" * 10_000_000), headers="Content-Encoding: gzip\r\n")
    with served(always(packed)) as (_, client):
        reply = answered(client.send(GET))
    assert reply.cut
    assert len(reply.body.content) == 4 * 1024 * 1024


@pytest.mark.parametrize(
    ("content", "kind", "part"),
    [
        (answer(b"{}")[:-1], "closed", "in the middle of the answer"),
        (CHUNKED[:-12], "closed", "in the middle of the answer"),
        (b"HTTP/1.1 200 OK\r\nX-", "closed", "in the middle of the answer"),
        (b"", "closed", "without an answer"),
        (b"SSH-2.0-server\r\n", "malformed", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "malformed", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "malformed", "not HTTP/1.1"),
        (answer(b"no gzip", headers="Content-Encoding: gzip\r\n"), "malformed", "not gzip"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 400_000, "too-large", "not its body"),
    ],
)
def test_what_cannot_be_judged_is_a_transport_fault(content: bytes, kind: str, part: str) -> None:
    def script(received: Received, sock: socket.socket) -> bool:
        sock.sendall(content)
        return False

    with served(script) as (_, client):
        found = fault(client.send(GET))
    assert found.kind == kind
    assert part in found.detail


def test_a_closed_port_and_an_unknown_host_are_faults_of_the_connection() -> None:
    with Server(always(OK)) as server:
        profile = server.profile()
    for url, part in ((server.url, "refused"), ("http://no-such-host.invalid", "no address for no-such-host.invalid")):
        with client_of(Profile(target=Target("test", url), credentials={}, limits=profile.limits)) as client:
            found = fault(client.send(GET))
            assert found.kind == "connect"
            assert part in found.detail


def test_an_early_answer_to_a_large_body_is_read() -> None:
    def script(received: Received, sock: socket.socket) -> bool:
        sock.sendall(answer(status="413 Content Too Large", headers="Connection: close\r\n"))
        time.sleep(0.2)
        return False

    with served(script) as (_, client):
        request = Request("PUT", "/rules/a", body=Payload(text="x" * 30_000_000))
        assert answered(client.send(request)).status == 413


@pytest.mark.parametrize("odd", ["{key:full}", "{key:other}", "{header:X}", "{proxy:login}"])
def test_nothing_but_the_reference_of_a_request_is_ever_a_key(odd: str) -> None:
    request = Request("PUT", f"/rules/{odd}", (("X-Odd", odd),), Payload(text=f'{{"a":"{odd}"}}'))
    with served(always(OK)) as (server, client):
        answered(client.send(request))
    received = server.received[0]
    assert received.line == f"PUT /api/v1/rules/{odd} HTTP/1.1"
    assert ("X-Odd", odd) in received.headers
    assert received.body == f'{{"a":"{odd}"}}'.encode()


def test_a_key_stands_where_its_reference_says() -> None:
    body = Payload(text='{"a":1}')
    with served(always(OK)) as (server, client):
        places: tuple[tuple[KeyPlace, str], ...] = (
            ("query", "ApiKey "),
            ("cookie", "ApiKey%20"),
            ("field", "ApiKey "),
        )
        for place, before in places:
            key = KeyReference("full", "token", before, "truncated", place)
            answered(client.send(Request("PUT", "/rules/a", (), body, key=key)))
        answered(client.send(Request("PUT", "/rules/a", (), Payload(text=" { } "), key=key)))
        with pytest.raises(ValueError, match="JSON object"):
            client.send(Request("PUT", "/rules/a", (), Payload(text="[]"), key=key))
    query, cookie, field, alone = server.received
    truncated = KEYS["full"][:-1]
    assert query.line == f"PUT /api/v1/rules/a?token=ApiKey%20{truncated} HTTP/1.1"
    assert ("Cookie", f"token=ApiKey%20{truncated}") in cookie.headers
    assert json.loads(field.body) == {"a": 1, "token": f"ApiKey {truncated}"}
    assert json.loads(alone.body) == {"token": f"ApiKey {truncated}"}


def test_an_answer_is_what_came_and_a_fault_tells_no_key() -> None:
    body = f'{{"message":"bad key {KEYS["full"]}"}}'
    script = in_turn(answer(body.encode(), headers="X-Echo: a\r\n"), f"{KEYS['full']}\r\n".encode())
    with served(script) as (_, client):
        assert answered(client.send(GET)).body.text == body
        assert KEYS["full"] not in fault(client.send(GET)).detail
