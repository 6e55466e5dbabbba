"""A mock server that nobody here wrote: every finding about it is true. docs/prism.md says why."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rules_harness.openapi
from tests.prism.mock import Prism

CONTRACT = Path(rules_harness.openapi.__file__).with_name("rules.yaml")
ROLES = ("full", "limited", "read_only", "other_org", "revoked")
PROFILE = """
[target]
name = "prism"
base_url = "{url}"
[rules]
writable = ["rule_01HXYZ1234", "rule_01HXYZ5678"]
limited = "rule_01HXYZ9012"
other_org = "rule_01HXYZ3456"
[[accounts]]
id = "acc_01HABC4567"
type = "income_source"
[[accounts]]
id = "acc_01HSAV9999"
type = "pod"
[[other_org_accounts]]
id = "acc_01HOTH0001"
type = "pod"
[limits]
requests_per_second = 2000
"""

SURE = frozenset(
    {
        "request-id.generated",
        "request-id.unique",
        "auth.malformed",
        "auth.unknown-key",
        "auth.before-lookup",
        "auth.challenge",
        "authz.scope",
        "authz.resource",
        "authz.organization",
        "not-found.unknown-id",
        "not-found.no-upsert",
        "update.replaces",
        "update.identity",
        "status.enabled-becomes-disabled",
        "status.stored",
    }
)
"""What the first requests show already: whom it answers, and with what."""

LATER = frozenset(
    {
        "request-id.echo-header",
        "request-id.echo-body",
        "request-id.on-errors",
        "authz.foreign-account",
        "update.omitted-is-cleared",
        "update.steps-replaced",
        "update.amounts-exact",
        "idempotency.auth-first",
        "validation.bounds",
        "validation.encoding",
        "validation.size",
        "http.methods",
        "concurrency.whole",
        "concurrency.disabled",
        "concurrency.isolated",
    }
)

NOTHING_EXECUTES = frozenset(
    {
        "idempotency.any-key",
        "idempotency.not-poisoned",
        "idempotency.per-caller",
        "idempotency.per-rule",
        "idempotency.without-key",
    }
)
"""True of a server that executes nothing, and as true to leave open: it cannot be told what a key has to do with it."""

BY_THE_WHOLE_GATE = frozenset({"envelope.no-server-error", "not-found.odd-ids"})

WITHOUT_ODD_IDS = (
    *("request-id.*", "auth.*", "authz.*", "not-found.unknown-id", "not-found.no-upsert", "update.*", "status.*"),
    *("idempotency.*", "validation.*", "http.*", "concurrency.*"),
)


@pytest.fixture
def prism(tmp_path: Path) -> Iterator[Prism]:
    server = Prism(CONTRACT, tmp_path / "prism.log")
    yield server
    server.end()


def _summary(prism: Prism, folder: Path, *selected: str) -> dict[str, Any]:
    """What a run in a process of its own concludes; it ends with 1."""
    credentials = "".join(f'[credentials.{role}]\nkey_env = "PRISM_KEY_{role.upper()}"\n' for role in ROLES)
    profile = folder / "prism.toml"
    profile.write_text(PROFILE.format(url=prism.url) + credentials, encoding="utf-8")
    keys = {f"PRISM_KEY_{role.upper()}": secrets.token_hex(12) for role in ROLES}
    arguments = [part for pattern in selected for part in ("--select", pattern)]
    ended = subprocess.run(
        [sys.executable, "-m", "rules_harness", "check", "--target", str(profile), "--quiet", *arguments],
        cwd=folder,
        env={**os.environ, **keys},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    summary: dict[str, Any] = json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))
    return summary


def _found(summary: dict[str, Any]) -> set[str]:
    return {id for id, row in summary["requirements"].items() if row["verdict"] in ("failed", "warned", "error")}


def test_what_is_found_is_true(prism: Prism, tmp_path: Path) -> None:
    found = _found(_summary(prism, tmp_path, *WITHOUT_ODD_IDS))
    assert found >= SURE | LATER
    assert found <= SURE | LATER | NOTHING_EXECUTES


def test_an_odd_id_ends_it(prism: Prism, tmp_path: Path) -> None:
    found = _found(_summary(prism, tmp_path))
    assert not prism.is_listening()
    assert found >= SURE | LATER | BY_THE_WHOLE_GATE
    assert found <= SURE | LATER | BY_THE_WHOLE_GATE | NOTHING_EXECUTES
