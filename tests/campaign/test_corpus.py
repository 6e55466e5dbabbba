"""The corpus: in a folder, whose it is; behind Redis, shared, and lost during a run."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rules_harness.harness.campaign.corpus import open_corpus
from rules_harness.harness.campaign.messages import CorpusEntry
from rules_harness.openapi.contract import load
from rules_harness.strategies.examples import example
from rules_harness.strategies.world import Account, World

CONTRACT = load()
WORLD = World(
    accounts=(Account("acc_income", "income_source"), Account("acc_pod", "pod")),
    now=datetime(2026, 1, 31, 12, tzinfo=UTC),
)
ENTRY = CorpusEntry(example(CONTRACT, WORLD).value, "/status type:number")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Redis of the test's own."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("CI should have installed redis-server")
        pytest.skip("there is no redis-server on this machine")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0", process
        process.kill()


def test_what_is_made_within_a_folder_is_its_owner_s_alone(tmp_path: Path) -> None:
    """And what stands there already is not touched."""
    corpus = tmp_path / "corpus"
    (corpus / "theirs").mkdir(parents=True)
    (corpus / "theirs").chmod(0o755)
    before = os.umask(0o022)
    try:
        open_corpus(str(corpus), CONTRACT, WORLD, tmp_path / "fallback").save([ENTRY])
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in corpus.iterdir()}
    assert modes.pop("theirs") == 0o755
    assert set(modes.values()) == {0o700}


def test_entries_are_there_next_time(redis: tuple[str, subprocess.Popen[bytes]], tmp_path: Path) -> None:
    url, _ = redis
    open_corpus(url, CONTRACT, WORLD, tmp_path / "fallback").save([ENTRY])
    assert open_corpus(url, CONTRACT, WORLD, tmp_path / "fallback").load() == (ENTRY,)


def test_a_redis_that_dies_loses_nothing(redis: tuple[str, subprocess.Popen[bytes]], tmp_path: Path) -> None:
    url, process = redis
    corpus = open_corpus(url, CONTRACT, WORLD, tmp_path / "fallback")
    process.kill()
    process.wait()
    corpus.save([ENTRY])
    assert "it goes on in" in corpus.problem
    assert open_corpus(str(tmp_path / "fallback"), CONTRACT, WORLD, tmp_path).load() == (ENTRY,)


def test_dates_that_have_passed_are_set_ahead_again(tmp_path: Path) -> None:
    later = World(accounts=WORLD.accounts, now=WORLD.now + timedelta(days=200))
    open_corpus(str(tmp_path), CONTRACT, WORLD, tmp_path).save([ENTRY])
    (entry,) = open_corpus(str(tmp_path), CONTRACT, later, tmp_path).load()
    assert entry.body == example(CONTRACT, later).value


def test_bodies_for_other_accounts_are_another_corpus(tmp_path: Path) -> None:
    other = World(accounts=(Account("acc_other", "income_source"), Account("acc_pod", "pod")), now=WORLD.now)
    open_corpus(str(tmp_path), CONTRACT, WORLD, tmp_path).save([ENTRY])
    assert open_corpus(str(tmp_path), CONTRACT, other, tmp_path).load() == ()
