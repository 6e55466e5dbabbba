"""What is read and put back before and after, however a run ends; and what is never sent."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from uuid import uuid4

import pytest

from rules_harness.harness.journal import read
from rules_harness.harness.reference.process import ReferenceServer
from tests.gate.runs import command
from tests.safety.staging import UNLISTED, Staging, configuration, key_fragments, puts_back, staging
from tests.wire.servers import answer

PRODUCTION = "api.getsequence.io"
RULE = "rule_01HXYZ5678"
WITHIN_SECONDS = 30


def _assert_as_found(target: Staging) -> None:
    after = target.states()
    for rule in target.listed:
        assert configuration(after[rule]) == configuration(target.before[rule])
        assert after[rule]["status"] == "disabled"


def _cut_off(target: Staging, number: signal.Signals, enabled: int) -> tuple[int, str]:
    """A run that gets a signal at the moment when the operator enables a rule for the so many-th time."""
    arguments = ["check", "--target", target.profile(), "--out", target.out, "--select", "status.*"]
    begun = subprocess.Popen(
        [sys.executable, "-m", "rules_harness", *map(str, arguments)],
        env={**os.environ, **target.environ},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    reached = threading.Event()

    def watch(method: str, path: str) -> None:
        if path.endswith("/enable") and sum(bool(passed.enables) for passed in target.proxy.passed) >= enabled:
            reached.set()

    target.proxy.before = watch
    try:
        assert reached.wait(WITHIN_SECONDS)
        begun.send_signal(number)
        out, err = begun.communicate(timeout=WITHIN_SECONDS)
    finally:
        if begun.poll() is None:
            begun.kill()
            begun.communicate()
    return begun.returncode, out + err


@pytest.mark.slow
def test_interrupted_run_puts_back(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path) as target:
        code, printed = _cut_off(target, signal.SIGINT, enabled=5)
        assert code == 130, printed
        _assert_as_found(target)
        assert {record.problem for record in read(target.out).restored} == {None}
        assert puts_back(target.proxy.writes[-1], target.before)


@pytest.mark.slow
def test_killed_run_is_restored(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path) as target:
        code, _ = _cut_off(target, signal.SIGKILL, enabled=5)
        assert code == -signal.SIGKILL
        left = {rule for rule in target.listed if target.states()[rule]["status"] == "enabled"}
        assert left
        sent = len(target.proxy.writes)
        own = ("restore", target.out, "--target", target.profile())
        ended = command(*own, environ=target.environ, folder=target.out)
        assert ended.code == 0, ended.out + ended.err
        _assert_as_found(target)
        rest = target.proxy.writes[sent:]
        assert not [passed for passed in rest if passed.rule not in target.listed]
        assert command(*own, environ=target.environ, folder=target.out).code == 0
        assert len(target.proxy.writes) == sent + len(rest)


def test_rule_that_refuses_its_own_configuration_is_not_used(server: ReferenceServer, tmp_path: Path) -> None:
    refusal = answer(b'{"error":{"code":"invalid","message":"No."}}', status="400 Bad Request")
    with staging(server, tmp_path) as target:
        target.proxy.instead = lambda method, path: refusal if method == "PUT" and path.endswith(RULE) else None
        ended = target.check("--select", "auth.missing", "--select", "update.isolated")
        assert ended.code == 0, ended.out
        mine = [passed for passed in target.proxy.writes if passed.rule == RULE]
        assert mine
        assert all(puts_back(passed, target.before) for passed in mine)
        assert ended.verdicts == {"auth.missing": "passed", "update.isolated": "skipped"}


def test_rule_that_cannot_be_read_is_not_written(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path) as target:
        content = b'{"error":{"code":"resource_not_found","message":"No."}}'
        target.proxy.instead = lambda method, path: (
            answer(content, status="404 Not Found", headers=f"X-Request-ID: {uuid4()}\r\n")
            if method == "GET" and path.endswith(RULE)
            else None
        )
        ended = target.check("--select", "auth.missing")
        assert ended.code == 0, ended.out
        assert not [passed for passed in target.proxy.writes if passed.rule == RULE]


def test_without_the_companion_nothing_is_written(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path) as target:
        not_allowed = b"HTTP/1.1 405 Method Not Allowed\r\nAllow: PUT\r\nContent-Length: 0\r\n\r\n"
        target.proxy.instead = lambda method, path: not_allowed if method == "GET" else None
        ended = target.check("--select", "auth.*", "--select", "not-found.*")
        assert not [passed for passed in target.proxy.writes if passed.rule in target.before]
        assert ended.with_verdict("failed", "warned") == set()
        assert ended.verdicts["auth.missing"] == "skipped"


def test_redirects_are_not_followed(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path) as target:
        elsewhere = answer(b"", status="307 Temporary Redirect", headers=f"Location: /api/v1/rules/{UNLISTED}\r\n")
        target.proxy.instead = lambda method, path: None if path.rpartition("/")[2] in target.before else elsewhere
        target.check("--select", "not-found.*")
        assert [passed for passed in target.proxy.passed if passed.status == 307]
        assert UNLISTED not in {passed.rule for passed in target.proxy.passed}
        assert target.states()[UNLISTED] == target.before[UNLISTED]


def test_dry_run_sends_nothing(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path) as target:
        ended = target.check("--dry-run", "--select", "auth.*", "--select", "status.*")
        assert ended.code == 0
        assert "Nothing was sent" in ended.out
        assert not target.proxy.received
        assert not target.out.exists()


@pytest.mark.parametrize("host", [PRODUCTION, PRODUCTION.upper(), f"{PRODUCTION}.", f"{PRODUCTION}:8080"])
def test_production_host_is_refused(host: str, server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path) as target:
        ended = target.check(text=target.profile_text(host=host))
        assert ended.code == 2
        assert "is a production host" in ended.err
        assert not target.proxy.received


def test_production_without_writes(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path) as target:
        text = target.profile_text(host=PRODUCTION, more="[permissions]\nproduction = true\n")
        ended = target.check("--select", "auth.*", "--select", "not-found.*", "--select", "status.*", text=text)
        assert ended.code == 0, ended.out
        assert target.proxy.writes
        assert not [passed for passed in target.proxy.writes if passed.rule in target.before]
        assert ended.verdicts["not-found.unknown-id"] == "passed"
        assert ended.verdicts["status.stored"] == "skipped"


def test_rate_and_number_in_flight(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path) as target:
        text = target.profile_text().replace("requests_per_second = 5000", "requests_per_second = 40")
        ended = target.check("--select", "auth.*", text=text.replace("in_flight = 8", "in_flight = 2"))
        assert ended.code == 0, ended.out
        passed = [passed for passed in target.proxy.passed if passed.rule]
        moments = sorted(one.moment for one in passed)
        assert len(moments) > 60
        assert max(sum(start <= moment < start + 1 for moment in moments) for start in moments) <= 44
        assert max(sum(one.moment <= moment < one.ended for one in passed) for moment in moments) <= 2


@pytest.mark.slow
def test_keys_that_the_target_shows(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path, "envelope.key-in-401", "envelope.stack-trace") as target:
        text = target.profile_text().replace("max_requests = 20000", "max_requests = 300")
        ended = target.check("--select", "envelope.no-leak", "--report", "html,har,markdown", text=text)
        assert ended.code == 1
        assert ended.verdicts["envelope.no-leak"] == "failed"
        shown = b"".join(passed.answer for passed in target.proxy.passed)
        assert key_fragments(target, shown)
        written = b"".join(path.read_bytes() for path in ended.folder.rglob("*") if path.is_file())
        assert not key_fragments(target, written + (ended.out + ended.err).encode())


@pytest.mark.slow
def test_keys_in_every_answer(server: ReferenceServer, tmp_path: Path) -> None:
    """A target that shows the caller's keys wherever it can, and in many forms."""
    with staging(server, tmp_path) as target:
        keys = [target.environ["RULES_KEY_FULL"], target.environ["RULES_KEY_LIMITED"]]
        encoded = [base64.b64encode(f"key={key}".encode()).decode() for key in keys]
        upper = [key.upper() for key in keys]
        shown = " ".join((*keys, *encoded, *upper))
        content = json.dumps({"error": {"code": "unauthorized", "message": shown}, shown: shown}).encode()
        unauthorized = answer(content, status="401 Unauthorized", headers=f"X-Debug: {shown}\r\n")
        target.proxy.instead = lambda method, path: None if path.rpartition("/")[2] in target.before else unauthorized
        ended = target.check("--select", "not-found.*", "--report", "html,har")
        assert ended.code == 1
        written = (
            b"".join(path.read_bytes() for path in ended.folder.rglob("*") if path.is_file())
            + (ended.out + ended.err).encode()
        )
        assert not key_fragments(target, written)
        assert not [form for form in (*encoded, *upper) if form.encode() in written]
