"""Somebody else writes to the same rule during a run: what rests on comparing states is not held against the target."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from tests.gate.runs import check

RULE = "rule_01HXYZ1234"


@contextmanager
def _another_writer(server: ReferenceServer, pause: float) -> Iterator[None]:
    """Updates the rule all the time, each time to something else."""
    url, done = f"{server.base_url}/rules/{RULE}", threading.Event()
    headers = {
        "Authorization": f"ApiKey {server.environment['RULES_KEY_FULL']}",
        "Content-Type": "application/json",
    }
    with urlopen(Request(url, headers=headers)) as response:
        state = json.loads(response.read())["data"]
    body = {name: state[name] for name in ("trigger", "steps")} | {"status": "disabled"}

    def write() -> None:
        number = 0
        while not done.wait(pause):
            number += 1
            content = json.dumps(body | {"nickname": f"Theirs {number}", "description": f"Version {number}, theirs"})
            urlopen(Request(url, content.encode(), headers, method="PUT")).close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        done.set()
        writer.join()


@pytest.mark.slow
@pytest.mark.parametrize(("pause", "requests"), [(0.002, 600), (0.2, 3000)])
def test_is_noticed(pause: float, requests: int, server: ReferenceServer, tmp_path: Path) -> None:
    """Who writes all the time meets each of a few requests; who writes now and then meets some of many."""
    server.configure()
    profile = tmp_path / "profile.toml"
    profile.write_text(server.profile_toml, encoding="utf-8")
    select = ("--select", "auth,update,status,idempotency,concurrency", "--requests", str(requests))
    with _another_writer(server, pause):
        ended = check(profile, *select, environ=server.environment, out=tmp_path / "out")
    assert ended.with_verdict("failed", "warned") == set(), ended.out
    assert ended.code in (0, 3)
    doubtful = ended.with_verdict("inconclusive")
    assert doubtful
    for name in doubtful:
        assert "somebody else" in ended.requirements[name]["reason"], ended.requirements[name]
