"""Targets that break promises, under all that could mistake them for others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.openapi.contract import load
from tests.gate.runs import check

CONTRACT = load()
OPERATIONS = 2
"""The update and the read beside it."""


@pytest.mark.slow
def test_without_idempotency(server: ReferenceServer, tmp_path: Path) -> None:
    server.configure(faults=["idempotency.ignored"])
    profile = tmp_path / "profile.toml"
    limits = "[limits]\nminimise_requests = 0"  # whose answer it is does not take making findings smaller
    profile.write_text(server.profile_toml.replace("[limits]", limits), encoding="utf-8")
    select = "idempotency.*,auth.no-effect,status.replay-keeps"
    ended = check(profile, "--select", select, environ=server.environment, out=tmp_path / "out")
    assert ended.code == 1, ended.out
    assert ended.with_verdict("failed", "warned") == {
        "idempotency.replay",
        "idempotency.no-reexecution",
        "idempotency.reuse-not-executed",
        "idempotency.concurrent",
    }
    unjudged = ended.with_verdict("skipped", "inconclusive")
    assert unjudged <= {"idempotency.window", "idempotency.same-rule", "status.replay-keeps"}
    assert all("replay" in ended.requirements[name]["reason"] for name in unjudged)
    assert ended.with_verdict("error") == set()


@pytest.mark.slow
def test_a_defect_of_every_answer_is_one_finding_for_each_operation(server: ReferenceServer, tmp_path: Path) -> None:
    broken = {
        "status.kept": "status.enabled-becomes-disabled",
        "envelope.created-201": "envelope.success-status",
        "request-id.body-new": "request-id.echo-body",
        "auth.no-challenge": "auth.challenge",
        "update.new-id": "update.identity",
    }
    server.configure(faults=list(broken))
    profile = tmp_path / "profile.toml"
    profile.write_text(server.profile_toml, encoding="utf-8")
    select = "status.*,auth.*,authz.*,not-found.*,request-id.*,update.documented-example,update.identity"
    ended = check(profile, "--select", select, environ=server.environment, out=tmp_path / "out")
    found = Counter(finding["requirement"] for finding in ended.summary["findings"])
    assert all(1 <= found[requirement] <= OPERATIONS for requirement in broken.values()), found


@pytest.mark.slow
def test_rules_that_get_mixed_up_are_one_finding(server: ReferenceServer, tmp_path: Path) -> None:
    """Lanes side by side would each find in their answers what others send."""
    server.configure(faults=["concurrency.shared-request"])
    profile = tmp_path / "profile.toml"
    profile.write_text(server.profile_toml, encoding="utf-8")
    select = "concurrency.*,status.*,authz.*,idempotency.*"
    ended = check(profile, "--select", select, environ=server.environment, out=tmp_path / "out")
    assert {finding["requirement"] for finding in ended.summary["findings"]} == {"concurrency.isolated"}
    assert "the rest was sent to one rule after the other" in ended.err


@pytest.mark.slow
def test_where_one_failure_ends_a_run_what_tells_most_is_sent_first(server: ReferenceServer, tmp_path: Path) -> None:
    server.configure(faults=["update.seconds-in-31-bits"])
    profile = tmp_path / "profile.toml"
    profile.write_text(server.profile_toml, encoding="utf-8")
    sent = {}
    for name, options in {"whole": (), "first": ("--max-failures", "1")}.items():
        out = tmp_path / name
        ended = check(profile, "--select", "update.replaces", *options, environ=server.environment, out=out)
        assert ended.code == 1, ended.out
        sent[name] = ended.summary["requests"]
    assert sent["first"] < sent["whole"] / 4, sent
