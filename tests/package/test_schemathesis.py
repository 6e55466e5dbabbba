"""The checks for schemathesis, by its own command: faults are found by the check that is about them, and no other."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.target.reader import load as load_profile
from rules_harness.openapi.contract import load
from rules_harness.strategies.examples import example

FAULTS = {
    "rules_envelope": "envelope.data-beside-error",
    "rules_request_id": "request-id.header-new",
    "rules_no_leak": "envelope.sql-in-404",
    "rules_replay": "idempotency.replay-409",
}


NAMED = re.compile(r"Custom check failed: `(\w+)`")


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer() as server:
        yield server


def run(server: ReferenceServer, folder: Path, phases: str) -> subprocess.CompletedProcess[str]:
    """`schemathesis run` against a server, with a document that knows a rule and accounts of it."""
    path = folder / "target.toml"
    path.write_text(server.profile_toml, encoding="utf-8")
    environ = {**os.environ, **server.environment}
    contract = load()
    profile, _ = load_profile(path, contract=contract, environ=environ)
    document: dict[str, Any] = json.loads(json.dumps(contract.document))
    del document["paths"]["/rules/{id}/trigger"]
    parameters = document["components"]["parameters"]
    parameters["RuleId"]["schema"]["enum"] = [profile.rules.writable[0], "rule_of_nobody"]
    parameters["RuleId"]["examples"] = {id: {"value": id} for id in parameters["RuleId"]["schema"]["enum"]}
    parameters["IdempotencyKey"]["example"] = "a-key-of-ours"
    parameters["RequestId"]["example"] = "an-id-of-ours"
    body = document["paths"]["/rules/{id}"]["put"]["requestBody"]["content"]["application/json"]
    body["examples"]["page"]["value"] = example(contract, profile.world(datetime.now(UTC))).value
    written = folder / "openapi.json"
    written.write_text(json.dumps(document), encoding="utf-8")
    program = str(Path(sys.executable).with_name("schemathesis"))
    command = [program, "run", str(written), "--url", profile.target.base_url, "--seed", "1", "--no-color"]
    command += ["--checks", ",".join(FAULTS), "--phases", phases, "--continue-on-failure"]
    key = environ[profile.credentials["full"].key_env]
    command += ["--header", f"Authorization: ApiKey {key}"]
    hooks = {**environ, "SCHEMATHESIS_HOOKS": "rules_harness.schemathesis"}
    return subprocess.run(command, cwd=folder, env=hooks, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.slow
def test_nothing_is_said_of_a_conforming_server(server: ReferenceServer, tmp_path: Path) -> None:
    server.configure()
    ended = run(server, tmp_path, "examples,coverage")
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_found(check: str, server: ReferenceServer, tmp_path: Path) -> None:
    server.configure([FAULTS[check]])
    ended = run(server, tmp_path, "examples")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert set(NAMED.findall(ended.stdout)) == {check}
