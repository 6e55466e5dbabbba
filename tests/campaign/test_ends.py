"""How a campaign ends before its time: Ctrl-C, kill, workers that die; and how it goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from harness.journal import read
from harness.judge import judge
from harness.outcome import Finding
from harness.reference.process import ReferenceServer
from openapi.contract import load
from tests.campaign.conftest import Rules
from tests.cli.conftest import Shell

WITHIN_SECONDS = 60
KILLS = 3


@contextmanager
def under_way(folder: Path, *arguments: str | Path, lines: int = 8) -> Iterator[subprocess.Popen[str]]:
    """A campaign in a process of its own, once its journal has so many lines."""
    command = [sys.executable, "-m", "harness", "fuzz", *map(str, arguments)]
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


def test_ctrl_c_puts_rules_back(
    shell: Shell, whole_profile: Path, reference: ReferenceServer, rules: Callable[[], Rules]
) -> None:
    before = rules()
    with under_way(shell.folder, "--target", whole_profile, "--workers", "2", lines=12) as process:
        os.killpg(process.pid, signal.SIGINT)
        stopped = time.monotonic()
        _, err = process.communicate(timeout=WITHIN_SECONDS)
        assert time.monotonic() - stopped < 10
    assert process.returncode == 130, err
    run = read(shell.folder / "out")
    assert run.is_whole
    assert run.footer is not None
    assert run.footer.interrupted
    assert {record.problem for record in run.restored} == {None}
    assert rules() == before
    assert shell.summary()["exit_code"] == 130


def test_nothing_leaves_half_a_second_after_ctrl_c(
    shell: Shell, whole_profile: Path, reference: ReferenceServer
) -> None:
    reference.configure(latency_ms=300)
    with under_way(shell.folder, "--target", whole_profile, lines=9) as process:
        children = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        psutil.wait_procs(children, timeout=3)
        process.send_signal(signal.SIGINT)
        stopped = time.monotonic()
        _, err = process.communicate(timeout=WITHIN_SECONDS)
        assert time.monotonic() - stopped < 1
    assert process.returncode == 130
    assert "rules-harness restore out" in err
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_a_worker_that_dies_is_replaced(shell: Shell, whole_profile: Path, rules: Callable[[], Rules]) -> None:
    before = rules()
    arguments = ("--target", whole_profile, "--workers", "2", "--time", "6s")
    with under_way(shell.folder, *arguments, lines=10) as process:
        worker = psutil.Process(process.pid).children()[0]
        worker.kill()
        _, err = process.communicate(timeout=WITHIN_SECONDS)
    assert process.returncode == 0, err
    assert "another takes its place" in err
    run = read(shell.folder / "out")
    assert run.is_whole
    assert rules() == before


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
            children = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            _, alive = psutil.wait_procs(children, timeout=5)
            assert not alive
        run = read(shell.folder / "out")
        assert run.footer is None
        shown = {finding.id for finding in shell_findings(shell)}
        assert found <= shown
        found = shown
        arguments = ("--target", whole_profile, "--time", "60s", "--continue", "out")
    assert found
    reference.configure()
    ended = shell("fuzz", "--target", whole_profile, "--requests", "60", "--continue", "out")
    assert ended.code == 1
    summary = shell.summary()
    assert found <= {finding["id"] for finding in summary["findings"]}
    assert rules() == before
    assert shell("restore", "out").out == "There is nothing to put back.\n"


def test_a_killed_campaign_is_put_back(
    shell: Shell, whole_profile: Path, reference: ReferenceServer, rules: Callable[[], Rules]
) -> None:
    before = rules()
    with under_way(shell.folder, "--target", whole_profile, lines=14) as process:
        process.kill()
    assert shell("fuzz", "--target", whole_profile).code == 2
    assert shell("restore", "out").code == 0
    assert rules() == before


def shell_findings(shell: Shell) -> list[Finding]:
    """What today's checks find in the journal as it stands."""
    return list(judge(read(shell.folder / "out"), load()).findings)
