"""Targets that break promises, under the whole gate."""

from __future__ import annotations

from pathlib import Path

from harness.reference.process import ReferenceServer
from openapi.contract import load
from tests.gate.runs import check

CONTRACT = load()


def test_without_idempotency(server: ReferenceServer, tmp_path: Path) -> None:
    server.configure(faults=["idempotency.ignored"])
    profile = tmp_path / "profile.toml"
    profile.write_text(server.profile_toml, encoding="utf-8")
    ended = check(profile, environ=server.environment, out=tmp_path / "out")
    assert ended.code == 1, ended.out
    assert ended.with_verdict("failed", "warned") == {
        "idempotency.replay",
        "idempotency.no-reexecution",
        "idempotency.reuse-not-executed",
        "idempotency.concurrent",
    }
    unjudged = ended.with_verdict("skipped", "inconclusive")
    assert unjudged <= {"idempotency.window", "status.replay-keeps"}
    assert all("replay" in ended.requirements[name]["reason"] for name in unjudged)
    assert ended.with_verdict("error") == set()
