"""The command is run by bash with curl, and what arrives is compared with what was recorded."""

from __future__ import annotations

import gzip
import json
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules_harness.harness.exchange import Payload, Request
from rules_harness.reports import curl
from rules_harness.reports.model import TargetView
from rules_harness.reports.references import UNKNOWN_KEY, Secret
from rules_harness.strategies.keys import KeyForm, KeyPlace, KeyReference
from tests.reports.samples import sample_report

ENVIRONMENT = {"full": "RULES_KEY_FULL", "scope.LIST_RULES": ""}
KEYS = {"RULES_KEY_FULL": "sk_live_abcDEF123", "RULES_KEY_SCOPE_LIST_RULES": "sk_list_1"}

needs_curl = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="needs bash and curl")


class Received:
    """What arrived last, byte for byte."""

    line: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@contextmanager
def listening() -> Iterator[tuple[str, Received]]:
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            received.line = self.requestline
            received.headers = tuple(self.headers.items())
            received.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is told."""

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/api/v1", received
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Received]]:
    with listening() as found:
        yield found


def run(command: str) -> None:
    environment = {**KEYS, "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    shell = ["bash", "-euo", "pipefail", "-c", command]
    done = subprocess.run(shell, check=False, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr


def sent(server: tuple[str, Received], request: Request, *, packed: bytes | None = None) -> Received:
    base_url, received = server
    command = curl.command(TargetView("staging", base_url, ENVIRONMENT), request, packed=packed)
    assert command.isascii()
    run(command)
    return received


@needs_curl
@pytest.mark.parametrize(
    "body",
    [
        b'{"nickname": "it\'s \\"quoted\\""}',
        b"line\nbreak\r\nand\ttab",
        b"@/etc/passwd",
        b"$HOME `id` $(id) \\ !! %s",
        b"",
        b"nul\x00inside",
        b"\xff\xfe not UTF-8 \x80",
        "Café 😀 \u202e".encode(),
        b"-d --data",
    ],
)
def test_bodies_arrive_byte_for_byte(server: tuple[str, Received], body: bytes) -> None:
    request = Request("PUT", "/rules/a", (("Content-Type", "application/json"),), Payload.of(body))
    assert sent(server, request).body == body


@needs_curl
def test_long_bodies_go_compressed_and_arrive_whole(server: tuple[str, Received]) -> None:
    body = b'{"nickname": "' + b"x" * 2**20 + b'"}'
    assert sent(server, Request("PUT", "/rules/a"), packed=gzip.compress(body)).body == body


@needs_curl
@settings(max_examples=25, deadline=None)
@given(body=st.binary(max_size=80), value=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=20))
def test_anything_arrives_as_it_was(body: bytes, value: str) -> None:
    with listening() as server:
        value = "".join(character for character in value if not 0x7F <= ord(character) <= 0xA0)
        got = sent(server, Request("PUT", "/rules/a", (("X-Odd", f"v{value}"),), Payload.of(body)))
        assert got.body == body
        assert ("X-Odd", f"v{value}") in got.headers


@needs_curl
def test_headers_arrive_as_they_were_and_none_is_added_to_the_body(server: tuple[str, Received]) -> None:
    headers = (("X-Request-ID", "a'b\"c\\d"), ("Idempotency-Key", ""), ("X-Twice", "1"), ("X-Twice", "2"))
    got = sent(server, Request("PUT", "/rules/a", headers, Payload(text="{}")))
    names = [name.lower() for name, _ in got.headers]
    assert [pair for pair in got.headers if pair[0].startswith(("X-", "Idem"))] == list(headers)
    assert "content-type" not in names


@needs_curl
@pytest.mark.parametrize("target", ["/rules/a/../b", "/rules/%2e%2e%2fb?x=1&y=[1]{2}", "/rules/a'b\"c", "/rules/a;b$c"])
def test_targets_arrive_as_they_were(server: tuple[str, Received], target: str) -> None:
    assert sent(server, Request("PUT", target)).line == f"PUT /api/v1{target} HTTP/1.1"


@needs_curl
@pytest.mark.parametrize(
    ("key", "form", "value"),
    [
        ("full", "", "sk_live_abcDEF123"),
        ("full", "truncated", "sk_live_abcDEF12"),
        ("full", "extended", "sk_live_abcDEF1230"),
        ("full", "swapcase", "SK_LIVE_ABCdef123"),
        ("full", "basic", "c2tfbGl2ZV9hYmNERUYxMjM6"),
        ("unknown", "", UNKNOWN_KEY),
        ("scope.LIST_RULES", "", "sk_list_1"),
    ],
)
def test_keys_come_from_the_environment(server: tuple[str, Received], key: str, form: KeyForm, value: str) -> None:
    def got(place: KeyPlace, name: str, before: str = "") -> Received:
        reference = KeyReference(key, name, before, form, place)
        return sent(server, Request("PUT", "/rules/a", (), Payload(text='{"a": 1}'), key=reference))

    assert ("Authorization", f"ApiKey {value}") in got("header", "Authorization", "ApiKey ").headers
    assert ("Cookie", f"token={value}") in got("cookie", "token").headers
    assert got("query", "token", "ApiKey ").line == f"PUT /api/v1/rules/a?token=ApiKey%20{value} HTTP/1.1"
    assert json.loads(got("field", "token", "ApiKey ").body) == {"a": 1, "token": f"ApiKey {value}"}


@needs_curl
def test_a_recorded_text_is_sent_as_it_was(server: tuple[str, Received]) -> None:
    body = Payload(text='{"a":"{key:full}","b":"{key:|}full}"}')
    got = sent(server, Request("PUT", "/rules/a", (("X-A", "{key:|}full}"),), body))
    assert json.loads(got.body) == {"a": "sk_live_abcDEF123", "b": "{key:full}"}
    assert ("X-A", "{key:full}") in got.headers


@needs_curl
def test_headers_that_go_with_every_request_are_there(server: tuple[str, Received]) -> None:
    base_url, received = server
    headers = (("X-Called-Reason", "conformance"), ("X-Gateway", Secret("header:X-Gateway")))
    command = curl.command(TargetView("staging", base_url, ENVIRONMENT, headers), Request("PUT", "/rules/a"))
    run(f"export RULES_HEADER_X_GATEWAY=secret; {command}")
    assert {("X-Called-Reason", "conformance"), ("X-Gateway", "secret")} <= set(received.headers)


@pytest.mark.parametrize(
    "request_",
    [
        Request("PUT", "/rules/a\x00b"),
        Request("PUT", "/rules/a b"),
        Request("PUT", "/rules/a#b"),
        Request("PUT", "/rules/a", (("X-A", "1\r\nX-B: 2"),)),
        Request("PUT", "/rules/a", (), Payload(text="{key:full|hex}")),
    ],
)
def test_what_curl_cannot_send_is_said_in_a_comment(request_: Request) -> None:
    assert curl.command(TargetView("staging", "http://127.0.0.1", {}), request_).startswith("# curl cannot send this")


def test_commands_of_a_finding_enable_the_rule_and_warn_of_used_keys() -> None:
    report = sample_report()
    by_requirement = {view.finding.requirement: curl.lines(view, report) for view in report.findings}
    assert by_requirement["status.enabled-becomes-disabled"][0] == "# enable rule_a first, as its owner does"
    assert by_requirement["idempotency.replay"][0].startswith("# its keys are used up")
    assert sum(line.startswith("curl") for line in by_requirement["idempotency.replay"]) == 3
    assert len(by_requirement["validation.type"]) == 1
