"""The server as a process, alone and under `serve`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import httpx
import pytest

from rules_harness.harness.reference.process import ReferenceServer, ServerError
from tests.reference.api import A, Api, body

ROOT = Path(__file__).parents[2]

_PARENT = """
import sys, time
from rules_harness.harness.reference.process import ReferenceServer
with ReferenceServer() as server:
    print(server.base_url, flush=True)
    time.sleep(60)
"""


def _answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=2)
    except httpx.TransportError:
        return False
    return True


def test_ends_with_the_block() -> None:
    with ReferenceServer() as server:
        assert _answers(server.base_url)
    assert not _answers(server.base_url)


def test_ends_with_its_parent() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    url = parent.stdout.readline().strip()
    assert _answers(url)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while _answers(url) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _answers(url)


def test_faults_and_variants_can_be_given_at_the_start() -> None:
    with ReferenceServer(faults=["status.kept"], variants=["validation-status.422"]) as server, Api(server) as api:
        assert api.put(A, body()).json()["data"]["status"] == "enabled"
        assert api.put(A, b"{").status_code == 422
        server.configure()
        assert api.put(A, body()).json()["data"]["status"] == "disabled"


def test_unknown_and_conflicting_ids_are_named(api: Api) -> None:
    with pytest.raises(ServerError, match=r"no fault 'status.keep'; close to it: status\.kept"):
        api.server.configure(faults=["status.keep"])
    with pytest.raises(ServerError, match=r"key-reuse\.400 and key-reuse\.409 exclude each other"):
        api.server.configure(variants=["key-reuse.400", "key-reuse.409"])
    with pytest.raises(ServerError, match="did not start"), ReferenceServer(faults=["nonsense"]):
        pass


def test_a_taken_port_is_named(api: Api) -> None:
    port = httpx.URL(api.server.base_url).port
    command = [sys.executable, "-m", "rules_harness.harness.reference", "--port", str(port)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, stdin=subprocess.DEVNULL)
    assert ended.returncode == 2
    assert "in use" in ended.stderr


def test_serve_says_how_to_use_it() -> None:
    code = "from rules_harness.harness.reference.serve import serve; serve(variants=['key-reuse.409'])"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or not lines[-1].startswith("no_restore"):
        lines.append(process.stdout.readline())
    start = next(index for index, line in enumerate(lines) if line == "[target]\n")
    exports = dict(
        line.removeprefix("export ").strip().split("=") for line in lines[:start] if line.startswith("export")
    )
    profile = tomllib.loads("".join(lines[start:]))
    authorization = f"ApiKey {exports[profile['credentials']['full']['key_env']]}"
    answer = httpx.get(f"{profile['target']['base_url']}/rules/{A}", headers={"Authorization": authorization})
    process.terminate()
    process.wait()
    process.stdout.close()
    assert answer.status_code == 200


def test_control_plane_answers(api: Api) -> None:
    assert api.control("health") == {"healthy": True}
    assert "error" in api.control("rules/rule_unknown/enable")
    assert json.dumps(api.control("state")["faults"]) == "[]"
