"""A mock server that nobody here wrote: every finding about it is true. docs/prism.md says why."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import rules_harness.openapi

CONTRACT = Path(rules_harness.openapi.__file__).with_name("rules.yaml")
START_SECONDS = 60
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


class Prism:
    """A mock of the packaged contract on a free loopback port, in a process group of its own."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "mock", "--host", "127.0.0.1", "--port", str(self.port), str(CONTRACT)],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._await(log)

    def _await(self, log: Path) -> None:
        for _ in range(START_SECONDS * 10):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.end()
        pytest.fail(f"Prism does not start: {log.read_text(errors='replace')[-2000:]}")

    def is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=10)


def _command() -> list[str]:
    """RULES_PRISM, or what npx finds installed; skips the test where there is none."""
    given = os.environ.get("RULES_PRISM")
    if given:
        return shlex.split(given)
    if shutil.which("npx") is None:
        pytest.skip("npx is not installed, and RULES_PRISM does not point at Prism")
    command = ["npx", "--no-install", "prism"]
    if subprocess.run([*command, "--version"], capture_output=True, check=False, timeout=START_SECONDS).returncode:
        pytest.skip("Prism is not installed where npx looks, and RULES_PRISM does not point at it")
    return command


@pytest.fixture
def prism(tmp_path: Path) -> Iterator[Prism]:
    server = Prism(_command(), tmp_path / "prism.log")
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
