"""A campaign on a Dask cluster of this machine: the same findings, with a worker that dies on the way."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rules_harness.harness.journal import read
from rules_harness.harness.reference.process import ReferenceServer
from tests.campaign.conftest import Rules
from tests.cli.conftest import Shell

distributed = pytest.importorskip("distributed")


@pytest.fixture
def cluster(reference: ReferenceServer) -> Iterator[Any]:
    """Two workers, each a process, that have the keys in their environment."""
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True) as local:
        yield local


@pytest.mark.slow
def test_a_lost_worker_s_shard_is_run_again(
    shell: Shell, whole_profile: Path, reference: ReferenceServer, cluster: Any, rules: Callable[[], Rules]
) -> None:
    before = rules()
    reference.configure(faults=["validation.negative-accepted"])
    with distributed.Client(cluster) as client:
        pids = list(client.run(os.getpid).values())
    killed = threading.Thread(target=_kill_when_begun, args=(shell.folder / "out" / "journal.jsonl", pids[0]))
    killed.start()
    ended = shell(
        *("fuzz", "--target", whole_profile, "--requests", "1500", "--time", "4m"),
        *("--cluster", cluster.scheduler_address),
    )
    killed.join()
    assert ended.code == 1, ended.out + ended.err
    assert {finding["requirement"] for finding in shell.summary()["findings"]} == {"validation.bounds"}
    run = read(shell.folder / "out")
    assert run.is_whole
    assert run.footer is not None
    assert 1000 < run.footer.requests < 1500 + 1500 + 1200  # each shard once more, and making findings smaller
    assert rules() == before


def _kill_when_begun(journal: Path, pid: int) -> None:
    while not journal.exists() or journal.read_bytes().count(b"\n") < 10:
        time.sleep(0.05)
    time.sleep(4)
    os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_cluster_that_is_not_there(shell: Shell, whole_profile: Path) -> None:
    ended = shell("fuzz", "--target", whole_profile, "--cluster", "tcp://127.0.0.1:9")
    assert ended.code == 3
    assert "no scheduler answers there" in ended.messages[0]
