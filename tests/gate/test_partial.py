"""What the gate does with little: few credentials, few rules, few requirements asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.openapi.contract import load
from tests.gate.runs import Ended, check

CONTRACT = load()
NEEDS_MORE = {
    "authz.scope",
    "authz.resource",
    "authz.organization",
    "authz.foreign-account",
    "authz.no-effect",
    "authz.before-validation",
    "status.enabled-becomes-disabled",
    "status.stored",
    "status.rejected-keeps",
    "status.replay-keeps",
    "status.not-triggerable",
    "update.isolated",
    "idempotency.per-caller",
    "idempotency.per-rule",
    "idempotency.window",
    "concurrency.isolated",
}


def _profile(server: ReferenceServer, folder: Path, more: str = "", *, accounts: bool = True) -> Path:
    """One key, one rule that is found disabled, and what every owner knows: the accounts."""
    server.configure()
    path = folder / "profile.toml"
    pod, income = '[[accounts]]\nid = "acc_01HSAV9999"\ntype = "pod"\n', '[[accounts]]\nid = "acc_01HABC4567"\n'
    path.write_text(
        f'[target]\nbase_url = "{server.base_url}"\n[credentials.full]\nkey_env = "RULES_KEY_FULL"\n'
        f'[rules]\nwritable = ["rule_01HXYZ5678"]\n[limits]\nrequests_per_second = 5000\n{more}\n'
        + (f'{pod}{income}type = "income_source"\n' if accounts else ""),
        encoding="utf-8",
    )
    return path


def _assert_nothing_passes_unexercised(ended: Ended) -> None:
    for name, row in ended.requirements.items():
        assert row["verdict"] in ("passed", "skipped"), (name, row)
        assert (row["exercised"] > 0) == (row["verdict"] == "passed"), (name, row)
        assert row["verdict"] == "passed" or row["reason"], (name, row)


@pytest.mark.slow
@pytest.mark.parametrize(("accounts", "select"), [(True, [*NEEDS_MORE, "auth.*", "idempotency.*"]), (False, ["*"])])
def test_one_key_and_one_rule(accounts: bool, select: list[str], server: ReferenceServer, tmp_path: Path) -> None:
    profile = _profile(server, tmp_path, accounts=accounts)
    ended = check(profile, "--select", ",".join(select), environ=server.environment, out=tmp_path / "out")
    assert ended.code == 0, ended.out
    _assert_nothing_passes_unexercised(ended)
    assert ended.with_verdict("skipped") == NEEDS_MORE
    assert "credentials.other_org" in ended.requirements["authz.organization"]["reason"]
    assert "enable_rule" in ended.requirements["status.stored"]["reason"]
    assert "2 writable rules" in ended.requirements["idempotency.per-rule"]["reason"]


def test_required_and_not_judged(server: ReferenceServer, tmp_path: Path) -> None:
    profile = _profile(server, tmp_path, '[gate]\nrequired = ["status.*", "auth.missing"]')
    selected = ("--select", "status.*", "--select", "auth.missing")
    ended = check(profile, *selected, environ=server.environment, out=tmp_path / "out")
    assert ended.code == 3, ended.out
    assert ended.summary["outcome"] == "inconclusive"
    assert "status.stored" in ended.summary["reason"]
    assert "auth.missing" not in ended.summary["reason"]


def test_required_and_judged(server: ReferenceServer, tmp_path: Path) -> None:
    profile = _profile(server, tmp_path, '[gate]\nrequired = ["auth.missing"]')
    ended = check(profile, "--select", "auth.*", environ=server.environment, out=tmp_path / "out")
    assert ended.code == 0, ended.out


def test_finding_beats_what_was_not_judged(server: ReferenceServer, tmp_path: Path) -> None:
    profile = _profile(server, tmp_path, '[gate]\nrequired = ["status.*"]')
    server.configure(faults=["auth.missing-403"])
    selected = ("--select", "auth.missing", "--select", "status.stored")
    ended = check(profile, *selected, environ=server.environment, out=tmp_path / "out")
    assert ended.code == 1, ended.out
    assert ended.verdicts == {"auth.missing": "failed", "status.stored": "skipped"}


def test_selection(server: ReferenceServer, tmp_path: Path) -> None:
    profile = _profile(server, tmp_path)
    selected = ("--select", "auth.missing", "--select", "not-found.*")
    ended = check(profile, *selected, environ=server.environment, out=tmp_path / "out")
    assert ended.code == 0, ended.out
    families = {"auth.missing", *(name for name in CONTRACT.requirements if name.startswith("not-found."))}
    assert set(ended.verdicts) == families
    assert ended.with_verdict("passed") == families
    assert {episode.family for episode in ended.run.episodes} <= {"auth", "not-found", "envelope", "status"}
    assert ended.summary["requests"] < 150


def test_budget_that_is_too_small(server: ReferenceServer, tmp_path: Path) -> None:
    profile = _profile(server, tmp_path)
    text = profile.read_text(encoding="utf-8").replace("[limits]", "[limits]\nmax_requests = 60")
    profile.write_text(text, encoding="utf-8")
    ended = check(profile, environ=server.environment, out=tmp_path / "out")
    assert ended.code == 3, ended.out
    assert "limits.max_requests" in ended.summary["reason"]
    assert ended.with_verdict("failed", "warned") == set()
    assert {record.problem for record in ended.run.restored} == {None}
