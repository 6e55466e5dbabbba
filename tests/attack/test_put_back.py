"""Rules are put back whatever a target does, and as they were: what the contract does not know included."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.openapi.contract import load
from tests.gate.runs import Ended, check, command
from tests.safety.staging import configuration
from tests.wire.servers import KEYS, Received, Server, answer

CONTRACT = load()
RULE = "rule_a"
BODY = CONTRACT.example_body() | {"status": "disabled"}
ENVIRON = {"TEST_KEY": KEYS["full"]}


class Keeper:
    """A server that keeps one rule; ``update`` makes of it and of a body what it is afterwards, or a status."""

    def __init__(
        self, state: Mapping[str, Any], update: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any] | int]
    ):
        self.state = {"id": RULE, **state}
        self.updates = 0
        self.aside: Callable[[int], bytes | None] = lambda updates: None
        """What is answered to reads and updates instead, after so many updates."""
        self._update = update

    def __call__(self, received: Received, sock: socket.socket) -> bool:
        sock.sendall(self._answered(received))
        return True

    def _answered(self, received: Received) -> bytes:
        if not received.line.split()[1].endswith(f"/rules/{RULE}"):
            return _answer(404, {"error": {"code": "resource_not_found", "message": "No such rule"}})
        if received.line.startswith("PUT"):
            after = self._update(self.state, json.loads(received.body))
            if isinstance(after, int):
                return _answer(after, {"error": {"code": "invalid", "message": "No."}})
            self.updates += 1
            self.state = {"id": RULE, **after}
        return self.aside(self.updates) or _answer(200, {"request_id": "r", "data": self.state})


def _answer(status: int, body: Mapping[str, Any]) -> bytes:
    return answer(json.dumps(body).encode(), status=f"{status} So", headers="X-Request-ID: r\r\n")


def run(keeper: Keeper, folder: Path, *arguments: str) -> Ended:
    accounts = "".join(f'[[accounts]]\nid = "acc_{type}"\ntype = "{type}"\n' for type in ("income_source", "pod"))
    path = folder / "profile.toml"
    with Server(keeper) as server:
        path.write_text(
            f'[target]\nbase_url = "{server.url}"\n[credentials.full]\nkey_env = "TEST_KEY"\n[rules]\n'
            f'writable = ["{RULE}"]\n[limits]\nrequests_per_second = 5000\ntimeout_seconds = 5\n{accounts}',
            encoding="utf-8",
        )
        return check(path, "--select", "update.repeatable", *arguments, environ=ENVIRON, out=folder / "out")


BEYOND = {"labels": ["a", "b"], "priority": 3, "folder": None}


@pytest.mark.slow
def test_what_an_update_clears_beyond_the_contract_is_put_back(tmp_path: Path) -> None:
    trigger = {**BODY["trigger"], "calendar": "banking"}
    keeper = Keeper({**BODY, **BEYOND, "trigger": trigger}, lambda before, body: {**dict.fromkeys(BEYOND), **body})
    ended = run(keeper, tmp_path, "--report", "html")
    assert ended.code in (0, 1), ended.out
    assert {name: keeper.state[name] for name in BEYOND} == BEYOND
    assert keeper.state["trigger"] == trigger
    assert {record.problem for record in ended.run.restored} == {None}
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "put back with what an update clears beyond the contract: trigger/calendar, labels, priority" in html


@pytest.mark.parametrize("refuses", [False, True])
def test_a_rule_is_not_used_where_that_cannot_be_put_back(refuses: bool, tmp_path: Path) -> None:
    def update(before: dict[str, Any], body: dict[str, Any]) -> dict[str, Any] | int:
        if body.keys() & BEYOND.keys():
            return 400 if refuses else {**body, **dict.fromkeys(BEYOND)}
        return {**body, **dict.fromkeys(BEYOND)}

    keeper = Keeper({**BODY, **BEYOND}, update)
    ended = run(keeper, tmp_path)
    assert ended.code in (1, 3)
    assert "cleared labels, priority, which the contract does not know, and THAT IS LOST" in ended.err
    assert f"{RULE} could not be put back" in ended.err
    assert keeper.updates <= 6
    assert configuration(keeper.state) == configuration(BODY)


@pytest.mark.parametrize("refuses", [False, True])
def test_what_goes_empty_with_the_status_of_an_enabled_rule_is_the_target_s(refuses: bool, tmp_path: Path) -> None:
    def update(before: dict[str, Any], body: dict[str, Any]) -> dict[str, Any] | int:
        return 400 if refuses and "next_run_at" in body else {**body, "status": "disabled", "next_run_at": None}

    keeper = Keeper({**BODY, "status": "enabled", "next_run_at": "2027-01-01T00:00:00Z"}, update)
    ended = run(keeper, tmp_path, "--report", "html")
    assert ended.code in (0, 1), ended.out + ended.err
    assert {record.problem for record in ended.run.restored} == {None}
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "empty since it is disabled, and not taken from a body: next_run_at" in html


def test_a_name_of_the_contract_in_other_letters_is_not_put_back(tmp_path: Path) -> None:
    def update(before: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        return {name.lower(): value for name, value in body.items()}

    keeper = Keeper({**BODY, "STATUS": "enabled"}, update)
    run(keeper, tmp_path)
    assert keeper.state["status"] == "disabled"


def test_what_a_target_fills_in_or_counts_by_itself_is_left_alone(tmp_path: Path) -> None:
    def update(before: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        assert not body.keys() & {"version", "owner"}
        return {**body, "version": before["version"] + 1, "owner": before["owner"]}

    keeper = Keeper({**BODY, "version": 1, "owner": "me"}, update)
    assert run(keeper, tmp_path).code in (0, 1)
    assert configuration(keeper.state) == configuration(BODY)


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer() as server:
        yield server


@pytest.mark.slow
def test_the_embedded_target_s_labels(server: ReferenceServer, tmp_path: Path) -> None:
    server.configure(variants=["unknown-top.labels"])
    profile = tmp_path / "profile.toml"
    profile.write_text(server.profile_toml, encoding="utf-8")
    before = states(server)
    assert all(state["extras"] for state in before.values())
    select = ("--select", "update.*", "--requests", "300")
    ended = check(profile, *select, environ=server.environment, out=tmp_path / "out")
    assert ended.code == 0, ended.out
    assert len({found.rule for found in ended.run.restored}) > 1
    after = states(server)
    assert {rule: state["extras"] for rule, state in after.items()} == {
        rule: state["extras"] for rule, state in before.items()
    }


def states(server: ReferenceServer) -> dict[str, Any]:
    with urlopen(f"{server.control_url}/state") as response:
        found: dict[str, Any] = json.loads(response.read())["rules"]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("field", ["nested", "steps"])
@pytest.mark.parametrize("depth", [900, 100_000])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_answers_that_are_nested_deep(after: int, depth: int, field: str, tmp_path: Path) -> None:
    """From the so-manieth update on, reads and updates are answered with the rule and something deep in it."""

    def deep(updates: int) -> bytes | None:
        if updates < after:
            return None
        data = {**keeper.state, field: "HERE"}
        content = json.dumps({"request_id": "r", "data": data}).replace('"HERE"', "[" * depth + "]" * depth)
        return answer(content.encode(), headers="X-Request-ID: r\r\n")

    keeper = Keeper(BODY, lambda before, body: body)
    keeper.aside = deep
    ended = run(keeper, tmp_path)
    assert ended.code in (0, 1, 3)
    assert "Traceback" not in ended.err
    assert "internal error" not in ended.err + ended.out
    if after or field == "nested":  # else that is what it said to be there
        assert configuration(keeper.state) == configuration(BODY)


NO_STREAM = {
    "stdout full": ">/dev/full",
    "both full": ">/dev/full 2>&1",
    "all closed": "<&- >&- 2>&-",
    "a reader that is gone": "| true",
}


@pytest.mark.slow
@pytest.mark.parametrize("streams", NO_STREAM.values(), ids=NO_STREAM)
def test_nobody_listens(server: ReferenceServer, streams: str, tmp_path: Path) -> None:
    server.configure()
    profile = tmp_path / "profile.toml"
    profile.write_text(server.profile_toml, encoding="utf-8")
    before = states(server)
    arguments = f"check --target {profile} --select auth.missing --out {tmp_path / 'out'}"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -m rules_harness {arguments} {streams}"],
        env={**os.environ, **server.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    after = states(server)
    assert done.returncode == (3 if "full" in streams else 0), done.stderr
    assert "Traceback" not in done.stderr
    assert {rule: configuration(state) for rule, state in after.items()} == {
        rule: configuration(state) for rule, state in before.items()
    }
    judged = command("judge", tmp_path / "out", environ={}, folder=tmp_path / "out")
    assert judged.code == 0
    assert {record.problem for record in judged.run.restored} == {None}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('"weight": 0.1234567890123456789', "/weight"),
        ('"weight": 1e400', "/weight"),
        ('"weight": -Infinity', "/weight"),
        (f'"weight": {"7" * 4301}', "/weight"),
        ('"labels": ["half \\ud83d of one"]', "/labels/0"),
        ('"labels": {"\\udc00": 1}', "/labels"),
    ],
)
def test_a_rule_is_not_used_that_cannot_be_put_back_exactly(text: str, place: str, tmp_path: Path) -> None:
    keeper = Keeper(BODY, lambda before, body: body)
    exact = json.dumps({"request_id": "r", "data": keeper.state})[:-2] + f", {text}}}}}"
    keeper.aside = lambda updates: answer(exact.encode(), status="200 So", headers="X-Request-ID: r\r\n")
    ended = run(keeper, tmp_path)
    assert ended.code in (1, 3)
    assert keeper.updates == 0
    assert f"what it holds at {place} cannot be put back exactly as it is" in ended.out + ended.err


@pytest.mark.slow
@pytest.mark.parametrize("weight", ["0.1", "1.50", "-0.0", "1E22", "18446744073709551616", "1e-7", '"\\ud83d\\ude00"'])
def test_a_rule_is_used_that_can(weight: str, tmp_path: Path) -> None:
    keeper = Keeper({**BODY, "weight": json.loads(weight)}, lambda before, body: {**body, "weight": json.loads(weight)})
    shown = json.dumps({"request_id": "r", "data": keeper.state})
    raw = shown.replace(f'"weight": {json.dumps(json.loads(weight))}', f'"weight": {weight}')
    keeper.aside = lambda updates: None if updates else answer(raw.encode(), headers="X-Request-ID: r\r\n")
    assert run(keeper, tmp_path).code in (0, 1)
    assert keeper.updates > 1
