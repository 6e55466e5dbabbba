"""Hooks: what only an operator can do, by request and by command."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
from pathlib import Path

import pytest

from rules_harness.harness.target.hooks import HookFailed, Hooks
from rules_harness.harness.target.profile import CommandHook, HttpHook, Profile, SecretReference, Target
from rules_harness.harness.target.secrets import Keyring
from tests.wire.servers import KEYS, Received, Server, always, answer


def hooks(**given: HttpHook | CommandHook) -> Hooks:
    keyring = Keyring(KEYS, {"header:enable_rule.X-Token": "operator-token"})
    return Hooks(Profile(target=Target("test", "http://127.0.0.1"), credentials={}, hooks=given), keyring)


def python(code: str, *arguments: str, timeout: float = 10) -> CommandHook:
    return CommandHook(command=(sys.executable, "-c", code, *arguments), timeout=timeout)


def test_a_request_carries_what_the_profile_says() -> None:
    with Server(always(answer())) as server:
        headers = (("X-Token", SecretReference("header:enable_rule.X-Token")), ("X-Plain", "{key:full}"))
        hook = HttpHook(url=f"{server.url}/{{rule_id}}/enable", method="PATCH", headers=headers)
        hooks(enable_rule=hook).enable_rule("a b/c")
        received = server.received[0]
    assert received.line == "PATCH /api/v1/a%20b%2Fc/enable HTTP/1.1"
    assert ("X-Token", "operator-token") in received.headers
    assert ("X-Plain", "{key:full}") in received.headers
    assert received.body == b""


def test_a_placeholder_that_is_a_whole_string_becomes_a_number() -> None:
    body = {"by": "{seconds}", "in": ["{seconds}", {"text": "{seconds} s", "n": 1}], "x": "{}"}
    with Server(always(answer(b"", status="204 No Content"))) as server:
        clock = hooks(advance_clock=HttpHook(url=server.url, json=body))
        clock.advance_clock(86_400)
        clock.advance_clock(0.5)
        bodies = [json.loads(received.body) for received in server.received]
    assert bodies[0] == {"by": 86_400, "in": [86_400, {"text": "86400 s", "n": 1}], "x": "{}"}
    assert bodies[1]["by"] == 0.5


def test_a_rule_id_of_digits_stays_text() -> None:
    with Server(always(answer())) as server:
        hooks(enable_rule=HttpHook(url=server.url, json={"rule": "{rule_id}"})).enable_rule("4711")
        assert json.loads(server.received[0].body) == {"rule": "4711"}


def test_a_command_gets_its_arguments_and_no_shell(tmp_path: Path) -> None:
    path = tmp_path / "said"
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(' '.join(sys.argv[2:]))"
    hooks(advance_clock=python(code, str(path), "{seconds}", "$HOME; echo")).advance_clock(60)
    assert path.read_text() == "60 $HOME; echo"


@pytest.mark.parametrize(
    ("hook", "part"),
    [
        (python("import sys; sys.exit('no such rule')"), "ended with 1: no such rule"),
        (python(f"import sys; sys.exit('bad {KEYS['full']}')"), "bad {key:full}"),
        (python("import time; time.sleep(9)", timeout=0.1), "took longer than 0.1 s"),
        (CommandHook(command=("/no/such/program",)), "No such file"),
        (HttpHook(url="http://127.0.0.1:1/enable"), "refused"),
    ],
)
def test_a_hook_that_fails_says_why(hook: HttpHook | CommandHook, part: str) -> None:
    with pytest.raises(HookFailed) as caught:
        hooks(enable_rule=hook).enable_rule("rule_a")
    assert caught.value.name == "enable_rule"
    assert part in caught.value.detail
    assert str(caught.value).startswith("hook enable_rule: ")


def test_a_refusal_is_shown_without_keys_and_not_followed() -> None:
    refusal = answer(f"use {KEYS['full']}".encode(), status="302 Found", headers="Location: /elsewhere\r\n")
    with Server(always(refusal)) as server:
        with pytest.raises(HookFailed, match=r"answered 302: use \{key:full\}"):
            hooks(enable_rule=HttpHook(url=server.url)).enable_rule("rule_a")
        assert len(server.received) == 1


def test_a_slow_hook_is_given_up() -> None:
    with Server(lambda received, sock: time.sleep(3)) as server, pytest.raises(HookFailed, match="hook enable_rule: "):
        hooks(enable_rule=HttpHook(url=server.url, timeout=0.2)).enable_rule("rule_a")


def test_a_hook_whose_answer_drips_is_given_up() -> None:
    def drip(received: Received, sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(100):
                time.sleep(0.05)
                sock.sendall(b"x")

    with Server(drip) as server, pytest.raises(HookFailed, match=r"took longer than 0\.3 s"):
        hooks(enable_rule=HttpHook(url=server.url, timeout=0.3)).enable_rule("rule_a")


def test_a_hook_that_the_profile_lacks_is_named() -> None:
    none = hooks()
    with pytest.raises(HookFailed, match=r"the profile has no hooks\.enable_rule"):
        none.enable_rule("rule_a")
    none.close()
