"""TLS and tunnels, with a certificate made for the occasion."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rules_harness.harness.exchange import Answer, Payload, Request, TransportFault
from rules_harness.harness.target.profile import Limits, Profile, SecretReference, Target
from rules_harness.harness.wire.client import Client
from rules_harness.strategies.keys import KeyReference
from tests.wire.servers import GET, LOGIN, Received, Script, Server, always, answer, keyring

PUT = Request(
    "PUT",
    "/rules/rule_a",
    body=Payload(text="x" * 3_000_000),
    key=KeyReference("full", "Authorization", "ApiKey "),
)
_NO_FAMILY = 44
"""A family of addresses that no machine has."""
WRAP = Callable[[socket.socket], socket.socket]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    name = ["-subj", "/CN=harness test", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command = [openssl, "req", *kind, *name, "-keyout", str(path), "-out", str(path.with_suffix(".crt"))]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


@pytest.fixture(scope="module")
def wrap(certificate: Path) -> WRAP:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return lambda sock: context.wrap_socket(sock, server_side=True)


def send(
    url: str,
    *,
    times: int = 1,
    ca_bundle: Path | None = None,
    proxy: str | None = None,
    login: SecretReference | None = None,
    client_cert: Path | None = None,
    request: Request = PUT,
    timeout: float = 5,
) -> Answer | TransportFault:
    trusted = None if ca_bundle is None else str(ca_bundle)
    shown = None if client_cert is None else str(client_cert)
    target = Target("test", url, ca_bundle=trusted, proxy=proxy, proxy_login=login, client_cert=shown)
    client = Client(Profile(target=target, credentials={}, limits=Limits(timeout_seconds=timeout)), keyring())
    try:
        return [client.send(request).outcome for _ in range(times)][-1]
    finally:
        client.close()


def tunnel(received: Received, sock: socket.socket) -> bool:
    """Do as a proxy does that is asked to CONNECT."""
    host, _, port = received.line.split()[1].partition(":")
    with socket.create_connection((host, int(port))) as onward:
        sock.sendall(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
        back = threading.Thread(target=pump, args=(onward, sock))
        back.start()
        pump(sock, onward)
        back.join()
    return False


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_an_address_of_a_family_that_the_machine_lacks_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_ipv6(*arguments: object, **named: object) -> list[tuple[object, ...]]:
        port = int(str(arguments[1]))
        there = socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)
        return [(_NO_FAMILY, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)), there]

    monkeypatch.setattr(socket, "getaddrinfo", without_ipv6)
    with Server(always(answer(b'{"a":1}'))) as server:
        outcome = send(server.url.replace("127.0.0.1", "localhost"), request=GET)
    assert isinstance(outcome, Answer), outcome


def test_a_target_behind_tls_is_reached_with_its_certificate(certificate: Path, wrap: WRAP) -> None:
    with Server(always(answer(b'{"a":1}')), wrap=wrap) as server:
        outcome = send(server.url.replace("http:", "https:"), times=3, ca_bundle=certificate)
        assert isinstance(outcome, Answer)
        assert outcome.object() == {"a": 1}
        assert [received.connection for received in server.received] == [1, 1, 1]
        assert len(server.received[0].body) >= 1_000_000


def test_an_unknown_certificate_is_refused_with_the_remedy(wrap: WRAP) -> None:
    with Server(always(answer()), wrap=wrap) as server:
        outcome = send(server.url.replace("http:", "https:"))
    assert isinstance(outcome, TransportFault)
    assert outcome.kind == "connect"
    assert "target.ca_bundle" in outcome.detail


def test_tls_towards_a_server_without_it_is_a_fault_of_the_connection() -> None:
    with Server(always(answer())) as server:
        outcome = send(server.url.replace("http:", "https:"), timeout=0.3)
    assert isinstance(outcome, TransportFault)
    assert outcome.kind == "connect"


def test_a_target_behind_tls_is_reached_through_a_proxy(certificate: Path, wrap: WRAP) -> None:
    with Server(always(answer(b'{"a":1}')), wrap=wrap) as server, Server(tunnel) as proxy:
        url = server.url.replace("http:", "https:")
        outcome = send(url, ca_bundle=certificate, proxy=f"http://127.0.0.1:{proxy.port}", login=LOGIN)
        assert isinstance(outcome, Answer), outcome
        assert proxy.received[0].line == f"CONNECT 127.0.0.1:{server.port} HTTP/1.1"
        assert proxy.received[0].headers[1] == ("Proxy-Authorization", "Basic bWU6cHch")
        assert server.received[0].line == "PUT /api/v1/rules/rule_a HTTP/1.1"


def test_a_proxy_that_refuses_is_named() -> None:
    with Server(always(answer(status="407 Proxy Authentication Required"))) as proxy:
        outcome = send("https://target.invalid/v1", proxy=f"http://127.0.0.1:{proxy.port}")
    assert isinstance(outcome, TransportFault)
    peer = f"the proxy 127.0.0.1 port {proxy.port}"
    assert outcome == TransportFault("proxy", f"{peer} made no tunnel: HTTP/1.1 407 Proxy Authentication Required")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_target_that_wants_a_client_certificate_gets_it(certificate: Path, version: ssl.TLSVersion) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version

    def wrap(sock: socket.socket) -> socket.socket:
        return context.wrap_socket(sock, server_side=True)

    with Server(always(answer(b'{"a":1}')), wrap=wrap) as server:
        url = server.url.replace("http:", "https:")
        assert isinstance(send(url, ca_bundle=certificate, client_cert=certificate), Answer)
        without = send(url, ca_bundle=certificate, request=GET)
    assert isinstance(without, TransportFault)
    assert without.kind == "connect"
    assert "target.client_cert" in without.detail


def test_a_proxy_that_is_down_is_told_as_the_proxys() -> None:
    with Server(always(answer())) as server:
        port = server.port
    for scheme in ("http", "https"):
        outcome = send(f"{scheme}://target.invalid/v1", proxy=f"http://127.0.0.1:{port}")
        refused = f"no connection to the proxy 127.0.0.1 port {port}: Connection refused"
        assert outcome == TransportFault("proxy", refused)
    outcome = send("http://target.invalid/v1", proxy="http://proxy.invalid:3128")
    assert isinstance(outcome, TransportFault)
    assert (outcome.kind, outcome.detail[:45]) == ("proxy", "no address for the proxy proxy.invalid port 3")


def test_a_proxy_that_wants_a_login_is_no_answer_of_the_target() -> None:
    with Server(always(answer(status="407 Proxy Authentication Required"))) as proxy:
        outcome = send("http://target.invalid/v1", proxy=f"http://127.0.0.1:{proxy.port}", request=GET)
    assert isinstance(outcome, TransportFault)
    assert outcome.kind == "proxy"
    assert "target.proxy" in outcome.detail


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "kind", "timeout"),
    [
        (always(answer(status="502 Bad Gateway")), "connect", 10),
        (always(b""), "proxy", 10),
        (lambda received, sock: time.sleep(3), "proxy", 0.5),
    ],
)
def test_what_a_proxy_says_of_the_target_is_the_targets(script: Script, kind: str, timeout: float) -> None:
    with Server(script) as proxy:
        outcome = send("https://target.invalid/v1", proxy=f"http://127.0.0.1:{proxy.port}", timeout=timeout)
    assert isinstance(outcome, TransportFault)
    assert outcome.kind == kind
    assert "made no tunnel" in outcome.detail
