"""Hooks: what only an operator can do, by request and by command."""

from __future__ import annotations

import base64
import contextlib
import json
import resource
import socket
import sys
import time
from pathlib import Path
from urllib.parse import unquote

import msgspec
import pytest

from rules_harness.harness.errors import UsageError
from rules_harness.harness.target.hooks import HookFailed, Hooks
from rules_harness.harness.target.profile import CommandHook, HttpHook, Profile, SecretReference, Target
from rules_harness.harness.target.reader import load
from rules_harness.harness.target.secrets import Keyring
from rules_harness.openapi.contract import load as load_contract
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


LOGIN = "ops:Tk4%4095b2c7f1e8"
SECRETS = {"token": "v9Xq2Lm7Rt4Zp6Wn", "sig": "Ab%2Fc9Dd8Ee7Ff6Gg"}


def read_hook(folder: Path, url: str) -> tuple[Profile, Keyring]:
    text = (
        '[target]\nbase_url = "http://127.0.0.1:1"\n[credentials.full]\nkey_env = "KEY"\n'
        f'[hooks]\nenable_rule = {{ url = "{url}" }}\n'
    )
    (folder / "profile.toml").write_text(text, encoding="utf-8")
    return load(folder / "profile.toml", contract=load_contract(), environ={"KEY": KEYS["full"]})


def test_a_url_is_recorded_without_its_login_and_its_tokens(tmp_path: Path) -> None:
    with Server(always(answer(f"no {SECRETS['token']}".encode(), status="403 No"))) as server:
        url = f"{server.url.replace('//', f'//{LOGIN}@')}/{{rule_id}}?a=1&token={SECRETS['token']}&rule_key={{rule_id}}"
        profile, keyring = read_hook(tmp_path, f"{url}&sig={SECRETS['sig']}#x")
        hook = profile.hooks["enable_rule"]
        assert isinstance(hook, HttpHook)
        assert hook.url == f"{server.url}/{{rule_id}}?a=1&rule_key={{rule_id}}"
        assert hook.has_secrets
        recorded = msgspec.json.encode(profile).decode()
        assert not [part for part in (LOGIN, "Tk4", *SECRETS.values()) if part in recorded]
        assert msgspec.json.decode(recorded, type=Profile) == profile
        with pytest.raises(HookFailed, match="answered 403") as caught:
            Hooks(profile, keyring).enable_rule("r1")
        assert SECRETS["token"] not in str(caught.value)
        (received,) = server.received
    line = f"POST /api/v1/r1?a=1&rule_key=r1&token={SECRETS['token']}&sig={SECRETS['sig']} HTTP/1.1"
    assert received.line == line
    sent = base64.b64decode(dict(received.headers)["Authorization"].removeprefix("Basic "))
    assert sent.decode() == unquote(LOGIN)
    with pytest.raises(HookFailed, match="no journal holds"):
        Hooks(profile, Keyring(KEYS)).enable_rule("r1")


@pytest.mark.parametrize("url", ["http://h/{rule_id}", "http://h", "http://h?a=b&a", "http://h/x?key={rule_id}"])
def test_a_url_without_secrets_stays_as_it_is(url: str, tmp_path: Path) -> None:
    profile, _ = read_hook(tmp_path, url)
    assert profile.hooks["enable_rule"] == HttpHook(url=url)


@pytest.mark.parametrize("url", ["ftp://{}@h?token={}", "http://{}@h:x/?token={}", "http://{}@h:0?token={}"])
def test_an_error_about_a_url_shows_no_secret(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_hook(tmp_path, url.format("ops:Tk4", "v9X"))
    assert "hooks.enable_rule.url" in str(caught.value)
    assert not {part for part in ("Tk4", "v9X") if part in str(caught.value)}


def test_what_a_command_says_without_end_takes_no_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(HookFailed, match="took longer than"):
        hooks(advance_clock=CommandHook(command=("yes",), timeout=1)).advance_clock(1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_a_key_that_would_be_cut_in_two_is_not_shown() -> None:
    code = f"import sys; sys.exit('{KEYS['full']}' + '.' * {300 - len(KEYS['full']) // 2})"
    with pytest.raises(HookFailed) as caught:
        hooks(advance_clock=python(code)).advance_clock(1)
    assert KEYS["full"][-8:] not in str(caught.value)
