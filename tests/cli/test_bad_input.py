"""Bad input: one clear message, the right exit code, nothing sent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli import servers
from tests.cli.conftest import KEY, Shell
from tests.wire.servers import Server


def _message(shell: Shell, *arguments: str | Path) -> str:
    """The one message of a command that ends with 2."""
    ended = shell(*arguments)
    assert ended.code == 2, ended.err
    assert ended.out == ""
    assert len(ended.messages) == 1, ended.err
    assert ended.err.count("\n") == 1
    return ended.messages[0]


def test_no_such_profile(shell: Shell) -> None:
    message = _message(shell, "check", "--target", "missing.toml")
    assert "missing.toml" in message
    assert "rules-harness init" in message


def test_malformed_profile(shell: Shell) -> None:
    (shell.folder / "bad.toml").write_text("[target\n", encoding="utf-8")
    assert "bad.toml: is not TOML" in _message(shell, "check", "--target", "bad.toml")


def test_unknown_key(shell: Shell) -> None:
    profile = shell.profile("http://127.0.0.1:9/api/v1", more="[limit]\nin_flight = 2\n")
    message = _message(shell, "check", "--target", profile)
    assert "limit" in message
    assert "Did you mean limits?" in message


def test_variable_that_is_not_set(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_KEY")
    assert "'TEST_KEY' is not set" in _message(shell, "check", "--target", shell.profile("http://127.0.0.1:9/api/v1"))


@pytest.mark.parametrize("url", ["not a url", "staging.example/api/v1", "ftp://staging.example/", "http://"])
def test_base_url_that_is_none(shell: Shell, url: str) -> None:
    message = _message(shell, "check", "--base-url", url, "--key-env", "TEST_KEY", "--rule", "rule_a")
    assert "--base-url" in message


def test_options_that_contradict(shell: Shell) -> None:
    profile = shell.profile("http://127.0.0.1:9/api/v1")
    assert "--target or --base-url" in _message(shell, "check", "--target", profile, "--base-url", "http://127.0.0.1:9")
    assert "--key-env" in _message(shell, "check", "--base-url", "http://127.0.0.1:9")
    assert "--base-url" in _message(shell, "check", "--rule", "rule_a")


@pytest.mark.parametrize("path", ["/rules", "/rules/", "/rules/rule_a"])
def test_base_url_that_goes_too_far(shell: Shell, path: str) -> None:
    url = f"http://127.0.0.1:9/api/v1{path}"
    message = _message(shell, "doctor", "--base-url", url, "--key-env", "TEST_KEY", "--rule", "rule_a")
    assert f"ends in {path.rstrip('/')}, which the operation /rules/{{id}} adds" in message
    assert "Write http://127.0.0.1:9/api/v1." in message


def test_an_empty_place_is_none(shell: Shell) -> None:
    for command in (("check",), ("fuzz",), ("report", "out", "--format", "html"), ("diff", "a", "b")):
        assert "--out" in _message(shell, *command, "--out", "")


def test_a_time_without_room_for_dates_ahead(shell: Shell) -> None:
    assert "9999-12-31" in _message(shell, "check", "--now", "9999-12-31T23:59:59Z")


def test_a_selection_that_is_none_names_what_is_close(shell: Shell) -> None:
    assert "close to it: status" in _message(shell, "check", "--select", "statsu")
    assert "close to it: idempotency.replay" in _message(shell, "fuzz", "--select", "status,idempotency.repay")
    assert "leaves nothing" in _message(shell, "check", "--select", "status.stored", "--exclude", "status")


def test_a_header_that_is_none(shell: Shell) -> None:
    options = ("--base-url", "http://127.0.0.1:9", "--key-env", "TEST_KEY", "--rule", "rule_a")
    assert "'X-Team' is not a header" in _message(shell, "doctor", *options, "--header", "X-Team")
    assert "go with --base-url" in _message(shell, "doctor", "--rate", "5")


def test_unknown_names(shell: Shell) -> None:
    assert "did you mean" in _message(shell, "chekc").lower()
    assert "--sed" in _message(shell, "check", "--sed", "1")
    assert "'htlm' is not a format" in _message(shell, "check", "--report", "junit,htlm")
    assert "'statsu.*' matches no requirement" in _message(shell, "check", "--select", "statsu.*")
    assert "status.stored" in _message(shell, "explain", "status.store")
    assert "rules-harness list requirements" in _message(shell, "explain", "zzz")
    assert "is not a time" in _message(shell, "check", "--now", "yesterday")
    assert "idempotency.ignored" in _message(shell, "serve", "--fault", "idempotency.ignore")


def test_contract_that_is_none(shell: Shell) -> None:
    (shell.folder / "contract.yaml").write_text("openapi: 3.1.0\n", encoding="utf-8")
    assert "contract.yaml" in _message(shell, "check", "--contract", "contract.yaml")
    assert "missing.yaml" in _message(shell, "check", "--contract", "missing.yaml")


def test_folder_that_cannot_be_written(shell: Shell) -> None:
    (shell.folder / "file").write_text("", encoding="utf-8")
    with Server(servers.EXAMPLE) as server:
        message = _message(shell, "check", "--target", shell.profile(server.url), "--out", "file/out")
        assert server.received == []
    assert "cannot write to file/out" in message
    assert "--out" in message


@pytest.mark.parametrize(
    "name", ["report.html", "junit.xml", "summary.json", "badge.json", "journal.jsonl", "findings/mine/curl.sh"]
)
def test_folder_with_files_that_no_run_left(shell: Shell, name: str) -> None:
    path = shell.folder / "project" / name
    path.parent.mkdir(parents=True)
    path.write_text('{"outcome": "mine"}', encoding="utf-8")
    with Server(servers.EXAMPLE) as server:
        for command in ("check", "fuzz"):
            message = _message(shell, command, "--target", shell.profile(server.url), "--out", "project")
            assert name.removesuffix("/curl.sh") in message
            assert "--out" in message
        assert server.received == []
    assert path.read_text(encoding="utf-8") == '{"outcome": "mine"}'


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission(shell: Shell) -> None:
    (shell.folder / "locked").mkdir(mode=0o500)
    message = _message(shell, "check", "--target", shell.profile("http://127.0.0.1:9"), "--out", "locked/out")
    assert "cannot write" in message


def test_report_that_cannot_be_written_keeps_the_journal(shell: Shell) -> None:
    (shell.folder / "out" / "junit.xml").mkdir(parents=True)
    with Server(servers.UNAUTHORIZED) as server:
        ended = shell("check", "--target", shell.profile(server.url))
    assert ended.code == 3
    assert "junit.xml" in ended.messages[0]
    assert shell("report", "out", "--format", "summary").code == 0


def test_production_is_left_alone(shell: Shell) -> None:
    profile = shell.profile("https://api.getsequence.io/api/v1")
    for command in ("check", "doctor"):
        message = _message(shell, command, "--target", profile)
        assert "production" in message
        assert "permissions.production" in message


@pytest.mark.parametrize("command", ["judge", "restore"])
def test_run_that_is_none(shell: Shell, command: str) -> None:
    (shell.folder / "empty.jsonl").write_text("", encoding="utf-8")
    (shell.folder / "other.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
    assert "no journal at" in _message(shell, command, "missing")
    assert "is empty" in _message(shell, command, "empty.jsonl")
    assert "is not a journal" in _message(shell, command, "other.jsonl")


def test_profile_that_is_there_is_not_overwritten(shell: Shell) -> None:
    assert shell("init").code == 0
    assert "is not overwritten" in _message(shell, "init")
    assert "cannot write" in _message(shell, "init", "no/such/folder.toml")


@pytest.mark.slow
def test_keys_are_never_printed(shell: Shell) -> None:
    with Server(servers.refusing("403 Forbidden", f"no {KEY} here")) as server:
        ended = shell("doctor", "--target", shell.profile(server.url))
        assert KEY not in ended.out
        assert "{key:full}" in ended.out
        ended = shell("check", "--target", shell.profile(server.url))
    assert KEY not in ended.out + ended.err
    for path in (shell.folder / "out").rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes()
