"""Rules that the run itself had enabled: they are disabled before anything else is sent, and that is not a finding."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from tests.cli.conftest import Shell, shell
from tests.safety.staging import is_inert, staging

__all__ = ["shell"]

NOW = datetime.now(UTC)
RULE = "rule_01HXYZ1234"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_gate_with_one_rule(seed: int, server: ReferenceServer, tmp_path: Path) -> None:
    with staging(server, tmp_path) as target:
        selected = ("--select", "status.*", "--select", "validation.bounds", "--select", "update.replaces")
        ended = target.check("--seed", str(seed), *selected, text=target.profile_text(writable=(RULE,)))
        assert ended.code == 0, ended.out
        assert any(passed.enables == RULE for passed in target.proxy.passed)


@pytest.mark.slow
def test_a_campaign(server: ReferenceServer, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, key in server.environment.items():
        monkeypatch.setenv(name, key)
    with staging(server, tmp_path) as target:
        ended = shell(
            "fuzz",
            "--target",
            target.profile(target.profile_text(writable=(RULE,))),
            "--requests",
            "1000",
            "--time",
            "60s",
        )
        assert ended.code == 0, ended.out + ended.err
        assert all(
            is_inert(passed.object, NOW)
            for passed in target.proxy.writes
            if passed.rule == RULE and passed.object.get("status") == "enabled"
        )
        assert any(passed.enables == RULE for passed in target.proxy.passed)


def test_what_could_move_money_is_not_enabled(server: ReferenceServer, tmp_path: Path) -> None:
    """A target that refuses the harmless body leaves in the rule what its owner put there."""
    with staging(server, tmp_path, "update.small-amounts-refused") as target:
        ended = target.check("--select", "status.*", "--select", "authz.*", "--select", "update.isolated")
        assert [passed.enables for passed in target.proxy.passed if passed.enables] == []
        assert ended.requirements["status.rejected-keeps"]["verdict"] == "skipped"
