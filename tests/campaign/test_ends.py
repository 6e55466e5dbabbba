"""How a campaign ends before its time: Ctrl-C, kill, workers that die; and how it goes on."""

from __future__ import annotations

import os
import random
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest

from rules_harness.harness.journal import read, stream
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.judging.outcome import Finding
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.openapi.contract import load
from tests.campaign.conftest import Rules
from tests.cli.conftest import Shell

WITHIN_SECONDS = 60
LATENCY = 40
"""Milliseconds: a campaign against a target that takes its time computes less while it is waited for."""
KILLS = 2
RULES = 5
FOR_EACH_RULE = 5
"""Requests that put one rule back, at most."""


@contextmanager
def under_way(folder: Path, *arguments: str | Path, lines: int = 8) -> Iterator[subprocess.Popen[str]]:
    """A campaign in a process of its own, once its journal has so many lines."""
    command = [sys.executable, "-m", "rules_harness", "fuzz", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=folder, text=True, stderr=subprocess.PIPE, start_new_session=True)
    journal = folder / "out" / "journal.jsonl"
    begun = lines_of(journal)
    deadline = time.monotonic() + WITHIN_SECONDS
    try:
        while lines_of(journal) - begun < lines:
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.01)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def lines_of(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


@pytest.mark.slow
def test_ctrl_c_ends_sending_soon_and_puts_rules_back(
    shell: Shell, whole_profile: Path, reference: ReferenceServer, rules: Callable[[], Rules]
) -> None:
    before = rules()
    with Tap(reference.base_url) as tap:
        whole_profile.write_text(whole_profile.read_text().replace(reference.base_url, tap.base_url))
        with under_way(shell.folder, "--target", whole_profile, "--workers", "2", lines=9) as process:
            while tap.requests < 100:
                assert process.poll() is None
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.5)
            sent = tap.requests
            _, err = process.communicate(timeout=WITHIN_SECONDS)
        assert tap.requests - sent <= FOR_EACH_RULE * RULES
    assert process.returncode == 130, err
    run = read(shell.folder / "out")
    assert run.is_whole
    assert run.footer is not None
    assert run.footer.interrupted
    assert {record.problem for record in run.restored} == {None}
    assert rules() == before
    assert shell.summary()["exit_code"] == 130


@pytest.mark.slow
def test_a_second_ctrl_c_ends_at_once(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    reference.configure(latency_ms=400)
    with under_way(shell.folder, "--target", whole_profile, lines=4) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        below = children(process.pid)
        process.send_signal(signal.SIGINT)
        stopped = time.monotonic()
        _, err = process.communicate(timeout=WITHIN_SECONDS)
        assert time.monotonic() - stopped < 1
    assert process.returncode == 130
    assert f"rules-harness restore out --target {whole_profile}" in err
    wait_until_ended(below)


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced(
    shell: Shell, whole_profile: Path, reference: ReferenceServer, rules: Callable[[], Rules]
) -> None:
    before = rules()
    reference.configure(latency_ms=LATENCY)
    arguments = ("--target", whole_profile, "--workers", "2", "--time", "3s")
    with under_way(shell.folder, *arguments, lines=10) as process:
        while not (workers := children(process.pid)):
            time.sleep(0.01)
        os.kill(workers[0], signal.SIGKILL)
        _, err = process.communicate(timeout=WITHIN_SECONDS)
    assert process.returncode == 0, err
    assert "another takes its place" in err
    run = read(shell.folder / "out")
    assert run.is_whole
    assert rules() == before


@pytest.mark.slow
def test_a_killed_campaign_goes_on_and_is_put_back(
    shell: Shell, whole_profile: Path, reference: ReferenceServer, rules: Callable[[], Rules]
) -> None:
    before = rules()
    reference.configure(faults=["validation.negative-accepted", "envelope.created-201"])
    chance = random.Random(7)
    arguments: tuple[str | Path, ...] = ("--target", whole_profile, "--time", "60s")
    found: set[str] = set()
    for number in range(KILLS):
        with under_way(shell.folder, *arguments, lines=1 if number else 8) as process:
            time.sleep(chance.random())
            below = [*children(process.pid), *(pid for child in children(process.pid) for pid in children(child))]
            process.kill()
            wait_until_ended(below)
        run = read(shell.folder / "out")
        assert run.footer is None
        shown = {finding.id for finding in shell_findings(shell)}
        assert found <= shown
        found = shown
        arguments = ("--target", whole_profile, "--time", "60s", "--continue", "out")
    assert found
    reference.configure()
    assert shell("fuzz", "--target", whole_profile).code == 2
    assert shell("restore", "out", "--target", whole_profile).code == 0
    assert rules() == before
    ended = shell("fuzz", "--target", whole_profile, "--requests", "60", "--continue", "out", "--quiet")
    assert ended.code == 1
    assert found <= {finding["id"] for finding in shell.summary()["findings"]}
    assert rules() == before
    assert shell("restore", "out").out == "There is nothing to put back.\n"


def shell_findings(shell: Shell) -> list[Finding]:
    """What today's checks find in the journal as it stands."""
    return list(outcome_of(stream(shell.folder / "out"), load()).findings)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    pairs = (line.split() for line in table.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]


def wait_until_ended(pids: list[int]) -> None:
    """Processes of a campaign that is gone end by themselves."""
    deadline = time.monotonic() + 5
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True).stdout
    return bool(told.strip()) and not told.strip().startswith("Z")


class Tap:
    """Stands between a campaign and its target, and counts the requests that pass."""

    def __init__(self, base_url: str) -> None:
        self.requests = 0
        target = urlsplit(base_url)
        tap = self

        class Passing(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection((target.hostname, target.port)) as onward:
                    back = threading.Thread(target=pass_on, args=(onward, self.request), daemon=True)
                    back.start()
                    pass_on(self.request, onward, tap.count)
                    back.join(5)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Passing)
        self._server.daemon_threads = True
        self._lock = threading.Lock()
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}{target.path}"

    def count(self, content: bytes) -> None:
        with self._lock:
            self.requests += content.count(b" HTTP/1.1\r\n")

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def pass_on(source: socket.socket, sink: socket.socket, look: Callable[[bytes], None] = lambda content: None) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            look(content)
            sink.sendall(content)
        sink.shutdown(socket.SHUT_WR)
