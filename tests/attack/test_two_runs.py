"""Two runs on one rule: neither takes the other's texts for what was there, and what was disturbed is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from tests.gate.runs import check, command
from tests.safety.staging import Staging, configuration, puts_back, staging

WITHIN_SECONDS = 60
USING = "another run on this machine is using it"
STRANGE = "another run is using it, or one was killed: `rules-harness restore RUN --target FILE`"


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer() as server:
        yield server


@contextmanager
def under_way(target: Staging, writes: int, *select: str) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own that has written so often."""
    reached = threading.Event()

    def count(method: str, path: str) -> None:
        if len(target.proxy.writes) >= writes:
            reached.set()

    target.proxy.before = count
    arguments = ("check", "--target", target.profile(), "--out", target.folder / "first", "--quiet", *select)
    process = subprocess.Popen(
        [sys.executable, "-m", "rules_harness", *map(str, arguments)],
        env={**os.environ, **target.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert reached.wait(WITHIN_SECONDS)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def assert_as_found(target: Staging) -> None:
    after = target.states()
    for rule in target.listed:
        assert configuration(after[rule]) == configuration(target.before[rule])
        assert after[rule]["status"] == "disabled"


def elsewhere(target: Staging) -> Mapping[str, str]:
    """The environment of another machine, which shares no lock."""
    folder = target.folder / "elsewhere"
    folder.mkdir()
    return {**target.environ, "XDG_RUNTIME_DIR": str(folder)}


@pytest.mark.slow
def test_on_one_machine_the_second_says_so_at_once(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path) as target:
        server.configure(latency_ms=10)
        with under_way(target, 30, "--select", "idempotency.*") as first:
            ended = target.check("--select", "auth.missing")
            assert ended.code == 3, ended.out
            assert ended.err.count(f"is not used: {USING}") == len(target.listed)
            assert f"no writable rule can be used ({sorted(target.listed)[0]}" in ended.summary["reason"]
            assert first.poll() is None
            own = ("restore", target.folder / "first", "--target", target.profile())
            restored = command(*own, environ=target.environ, folder=target.folder)
            assert restored.code == 3
            assert restored.out.count(USING) == len(target.listed)
            assert first.wait(WITHIN_SECONDS) == 0
        assert_as_found(target)
        assert target.check("--select", "auth.missing", out="third").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("writes", [10, 25, 90])
def test_on_two_machines_neither_takes_the_other_s_probes_for_what_was_there(
    server: ReferenceServer, tmp_path: Path, writes: int
) -> None:
    with staging(server, tmp_path) as target:
        server.configure(latency_ms=5)
        with under_way(target, writes, "--select", "idempotency.*") as first:
            ended = check(
                target.profile(), "--select", "auth.missing", environ=elsewhere(target), out=target.folder / "second"
            )
            recorded = {found.rule: found.state for found in ended.run.rules}
            first.wait(WITHIN_SECONDS)
        for rule, state in recorded.items():
            assert configuration(state) == configuration(target.before[rule])
        assert "is not used" in ended.err
        assert_as_found(target)


def test_what_was_just_updated_must_rest(server: ReferenceServer, tmp_path: Path) -> None:
    """Between two scenarios another run may leave what does not say whose it is."""
    rule = "rule_01HXYZ5678"
    with staging(server, tmp_path) as target:
        update(server, target, rule)
        later = threading.Timer(1.5, update, (server, target, rule))

        def begin(method: str, path: str) -> None:
            if not target.proxy.passed:
                later.start()

        target.proxy.before = begin
        ended = target.check("--select", "auth.missing")
        later.join()
        assert f"{rule} is not used: it changes while nothing is sent to it" in ended.err
        assert not [passed for passed in target.proxy.writes if passed.rule == rule]


@pytest.mark.slow
def test_what_a_killed_run_left_is_not_taken_for_what_was_there(server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path) as target:
        with under_way(target, 40, "--select", "idempotency.*") as first:
            first.kill()
            first.wait()
        changed = {rule for rule in target.listed if "~rules-harness" in json.dumps(target.states()[rule])}
        assert changed
        ended = check(
            target.profile(), "--select", "auth.missing", environ=elsewhere(target), out=target.folder / "second"
        )
        for rule in changed:
            assert f"{rule} is not used: {STRANGE}" in ended.err
        own = ("restore", target.folder / "first", "--target", target.profile())
        assert command(*own, environ=target.environ, folder=target.folder).code == 0
        assert_as_found(target)
        assert target.check("--select", "auth.missing", out="third").code == 0


def test_what_is_disturbed_at_the_end_is_not_reported_as_put_back(server: ReferenceServer, tmp_path: Path) -> None:
    rule = "rule_01HXYZ5678"
    with staging(server, tmp_path) as target:

        def overwrite(method: str, path: str) -> None:
            """Somebody else writes right after the run's last write."""
            own = [passed for passed in target.proxy.writes if passed.rule == rule and puts_back(passed, target.before)]
            if method == "GET" and path.endswith(rule) and len(own) == 2:
                update(server, target, rule)

        target.proxy.before = overwrite
        ended = target.check("--select", "auth.missing", "--select", "request-id.generated")
        told = {record.rule: record.problem for record in ended.run.restored}
        assert "reads otherwise (/nickname)" in (told[rule] or ""), told
        assert f"{rule} could not be put back" in ended.err
        assert {problem for other, problem in told.items() if other != rule} == {None}


def update(server: ReferenceServer, target: Staging, rule: str) -> None:
    """An update by somebody else, past the proxy."""

    body = {**configuration(target.before[rule]), "nickname": "Somebody else's", "status": "disabled"}
    headers = {
        "Authorization": f"ApiKey {server.environment['RULES_KEY_FULL']}",
        "Content-Type": "application/json",
    }
    url = f"{server.base_url}/rules/{rule}"
    urlopen(Request(url, json.dumps(body).encode(), headers, method="PUT")).close()
