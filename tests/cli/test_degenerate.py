"""Targets that are none: each run ends as it should, and the doctor says what to do."""

from __future__ import annotations

import socket

import pytest

from rules_harness.harness.journal import read
from tests.cli import servers
from tests.cli.conftest import Shell
from tests.wire.servers import Script, Server


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "reason", "advice"),
    [
        (servers.NOTHING_THERE, "endpoint not there", "the endpoint is not there"),
        (servers.PLAIN_404, "endpoint not there", "the endpoint is not there"),
        (servers.files, "endpoint not there", "the endpoint is not there"),
        (servers.NO_SUCH_RULE, "do not exist", "Are the ids right"),
        (servers.UNAUTHORIZED, "credentials", "Is the key of TEST_KEY one of this target"),
        (servers.HTML, "not a JSON API", "not a JSON API: 200 with text/html"),
        (servers.REDIRECTED, "", "redirected to https://login.example/"),
        (servers.never_answers, "did not answer", "limits.timeout_seconds"),
        (servers.closes_in_the_middle, "did not answer", "did not answer"),
    ],
    ids=[
        "nothing-there",
        "plain-404",
        "files",
        "no-such-rule",
        "unauthorized",
        "html",
        "redirected",
        "never-answers",
        "closes",
    ],
)
def test_nothing_can_be_judged(shell: Shell, script: Script, reason: str, advice: str) -> None:
    with Server(script) as server:
        profile = shell.profile(server.url, timeout=0.3)
        ended = shell("check", "--target", profile)
        assert ended.code == 3, ended.out
        assert reason in shell.summary()["reason"]
        assert shell.summary()["exit_code"] == 3
        assert not any(row["verdict"] == "passed" for row in shell.summary()["requirements"].values())
        examined = shell("doctor", "--target", profile)
        assert examined.code == 3
        assert advice in examined.out


def test_closed_port(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    profile = shell.profile(f"http://127.0.0.1:{port}/api/v1")
    ended = shell("check", "--target", profile)
    assert ended.code == 3
    assert "did not answer" in shell.summary()["reason"]
    assert read(shell.folder / "out").footer is not None
    assert "host and port" in shell("doctor", "--target", profile).out


def test_endless_body(shell: Shell) -> None:
    with Server(servers.endless) as server:
        assert shell("check", "--target", shell.profile(server.url, timeout=0.5)).code == 3


@pytest.mark.slow
def test_everything_is_the_example(shell: Shell) -> None:
    wanted = ("auth.missing", "auth.unknown-key", "not-found.unknown-id", "update.replaces", "update.identity")
    with Server(servers.EXAMPLE) as server:
        selected = [argument for id in wanted for argument in ("--select", id)]
        ended = shell("check", "--target", shell.profile(server.url), *selected)
    assert ended.code == 1
    assert [shell.summary()["requirements"][id]["verdict"] for id in wanted] == ["failed"] * 5


def test_everything_is_a_server_error(shell: Shell) -> None:
    with Server(servers.OUT_OF_ORDER) as server:
        ended = shell("check", "--target", shell.profile(server.url))
        assert ended.code == 1
        assert shell.summary()["requirements"]["envelope.no-server-error"]["verdict"] == "failed"
        assert shell.summary()["requests"] < 60
        assert "out of order" in shell("doctor", "--target", shell.folder / "profile.toml").out
