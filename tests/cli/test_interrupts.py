"""Ctrl-C and kill: nothing more is sent, rules are put back, and the journal is never lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from rules_harness.harness.journal import read
from rules_harness.harness.reference.process import ReferenceServer
from tests.cli.conftest import Shell

WITHIN_SECONDS = 30
LONG = ("--select", "status")
"""A run that is not soon over, and soon begun."""


def _rules(reference: ReferenceServer) -> dict[str, dict[str, object]]:
    with urlopen(f"{reference.control_url}/state") as response:
        rules: dict[str, dict[str, object]] = json.loads(response.read())["rules"]
    return {id: {name: rule[name] for name in ("nickname", "trigger", "steps")} for id, rule in rules.items()}


@contextmanager
def _under_way(folder: Path, *arguments: str | Path, lines: int = 15) -> Iterator[subprocess.Popen[str]]:
    """A command in a process group of its own, once its journal has so many lines."""
    command = [sys.executable, "-m", "rules_harness", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=folder, text=True, stderr=subprocess.PIPE, start_new_session=True)
    journal = folder / "out" / "journal.jsonl"
    deadline = time.monotonic() + WITHIN_SECONDS
    try:
        while not journal.exists() or journal.read_bytes().count(b"\n") < lines:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.slow
def test_interrupted_run_puts_back(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    before = _rules(reference)
    reference.configure(latency_ms=40)
    with _under_way(shell.folder, "check", "--target", whole_profile, *LONG) as process:
        process.send_signal(signal.SIGINT)
        stopped = time.monotonic()
        _, err = process.communicate(timeout=WITHIN_SECONDS)
        assert time.monotonic() - stopped < 10
    assert process.returncode == 130, err
    assert "rules are being put back" in err
    run = read(shell.folder / "out")
    assert run.footer is not None
    assert run.footer.interrupted
    assert run.restored
    assert {record.problem for record in run.restored} == {None}
    assert _rules(reference) == before
    assert shell.summary()["exit_code"] == 130
    assert shell("restore", "out").out == "There is nothing to put back.\n"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_of_the_whole_group_spares_the_embedded_target(shell: Shell, number: signal.Signals) -> None:
    with _under_way(shell.folder, "check", *LONG) as process:
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        _, err = process.communicate(timeout=WITHIN_SECONDS)
    assert process.returncode == 130, err
    assert {record.problem for record in read(shell.folder / "out").restored} == {None}


@pytest.mark.slow
def test_second_interrupt_ends_at_once(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    reference.configure(latency_ms=400)
    with _under_way(shell.folder, "check", "--target", whole_profile, *LONG, lines=4) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        stopped = time.monotonic()
        _, err = process.communicate(timeout=WITHIN_SECONDS)
        assert time.monotonic() - stopped < 2
    assert process.returncode == 130
    assert f"rules-harness restore out --target {whole_profile}" in err


@pytest.mark.slow
def test_killed_run_is_restored(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    before = _rules(reference)
    reference.configure(latency_ms=20)
    with _under_way(shell.folder, "check", "--target", whole_profile, *LONG) as process:
        process.kill()
        process.wait()
    reference_journal = shell.folder / "out" / "journal.jsonl"
    with reference_journal.open("ab") as file:
        file.write(b'{"record":"episode","epis')
    recorded = reference_journal.read_bytes()

    refused = shell("check", "--target", whole_profile)
    assert refused.code == 2
    assert "rules-harness restore out" in refused.messages[0]
    assert reference_journal.read_bytes() == recorded

    restored = shell("restore", "out", "--target", whole_profile)
    assert restored.code == 0, restored.err
    assert "rule_01HXYZ1234: put back, disabled" in restored.out
    assert "a human re-enables: rule_" in restored.out
    assert reference_journal.read_bytes().startswith(recorded)
    assert {record.problem for record in read(shell.folder / "out").restored} == {None}
    assert _rules(reference) == before
    assert shell("restore", "out").out == "There is nothing to put back.\n"
    assert shell("check", "--target", whole_profile, "--select", "auth.missing").code == 0


def test_restoring_needs_the_run_s_own_target(
    shell: Shell, whole_profile: Path, reference: ReferenceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell("check", "--target", whole_profile, "--select", "auth.missing").code == 0
    journal = shell.folder / "out" / "journal.jsonl"
    records = journal.read_bytes().splitlines(keepends=True)
    ends = (b'{"record":"restored', b'{"record":"footer')
    journal.write_bytes(b"".join(record for record in records if not record.startswith(ends)))
    other = shell.profile("http://127.0.0.1:9/api/v1")
    refused = shell("restore", "out", "--target", other)
    assert refused.code == 2
    assert reference.base_url in refused.messages[0]
    monkeypatch.delenv("RULES_KEY_FULL")
    assert "RULES_KEY_FULL is not set" in shell("restore", "out", "--trust-journal").messages[0]
    monkeypatch.setenv("RULES_KEY_FULL", "key-that-nobody-has")
    failed = shell("restore", "out", "--trust-journal")
    assert failed.code == 3
    assert "401" in failed.out
    monkeypatch.setenv("RULES_KEY_FULL", reference.environment["RULES_KEY_FULL"])
    assert shell("restore", "out", "--target", whole_profile).code == 0
