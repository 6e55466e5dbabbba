"""A journal by somebody else is data: no host, variable, program or rule that it names is a reason to do anything."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from tests.gate.runs import Ended, check, command
from tests.wire.servers import Server, always, answer

pytestmark = pytest.mark.slow
RULE = "rule_01HXYZ1234"
UNLISTED = "rule_01HXZA2468"
VARIABLE = "A_SECRET_OF_THE_READER"
NOTHING_HERE = answer(b'{"error":{"code":"unauthorized","message":"No."}}', status="401 Unauthorized")
EVIL_TEXT = "\x1b]0;owned\x07\x1b[2J\u202e\n::error::owned\n##[error]owned ##vso[task.setvariable variable=A]b"
Record = dict[str, Any]


class Theirs:
    """A run of the embedded target with a fault, whose journal somebody has changed; and what that reaches for."""

    def __init__(self, server: ReferenceServer, elsewhere: Server, folder: Path, recorded: dict[str, Path]) -> None:
        self.server, self.elsewhere, self.folder, self._recorded = server, elsewhere, folder, recorded
        self.environ = {**server.environment, VARIABLE: "a-key-that-nobody-is-to-see-5f0c"}
        text = server.profile_toml
        writable = tomllib.loads(text)["rules"]["writable"]
        listed = "writable = [" + ", ".join(f'"{rule}"' for rule in writable if rule != UNLISTED) + "]"
        lines = [listed if line.startswith("writable") else line for line in text.splitlines()]
        self.profile = folder / "own.toml"
        self.profile.write_text("\n".join(lines), encoding="utf-8")
        self.out = folder / "theirs"
        self.trap = folder / "ran"

    def record(self, select: str) -> None:
        """A run, or a copy of one that another test has made."""
        if select not in self._recorded:
            assert check(self.profile, "--select", select, environ=self.environ, out=self.folder / "run").code == 1
            self._recorded[select] = self.folder / "run"
        shutil.copytree(self._recorded[select], self.out)

    def change(self, edit: Callable[[Record], Record | None]) -> None:
        """Rewrite every record of the journal; ``None`` leaves it out."""
        path = self.out / "journal.jsonl"
        records = [json.loads(line) for line in path.read_bytes().splitlines()]
        kept = [changed for record in records if (changed := edit(record)) is not None]
        path.write_text("".join(json.dumps(record) + "\n" for record in kept), encoding="utf-8")

    def reach_out(self, record: Record) -> Record | None:
        """The header names another host, variable and program; the run was cut off."""
        if record["record"] in ("restored", "footer"):
            return None
        if record["record"] == "header":
            profile = record["profile"]
            record["base_url"] = profile["target"]["base_url"] = self.elsewhere.url
            profile["credentials"]["full"]["key_env"] = VARIABLE
            profile["hooks"]["enable_rule"] = {"type": "command", "command": ["touch", str(self.trap)]}
        return record

    def finding(self) -> str:
        summary = json.loads((self.out / "summary.json").read_text(encoding="utf-8"))
        return str(summary["findings"][0]["id"])

    def run(self, *arguments: str | Path) -> Ended:
        return command(*arguments, environ=self.environ, folder=self.out)

    def states(self) -> dict[str, Any]:
        with urlopen(f"{self.server.control_url}/state") as response:
            states: dict[str, Any] = json.loads(response.read())["rules"]
        return states

    def assert_nothing_happened(self) -> None:
        assert self.elsewhere.received == []
        assert not self.trap.exists()


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer() as server:
        yield server


@pytest.fixture(scope="module")
def recorded() -> dict[str, Path]:
    """The folders of runs, by what was selected; nobody changes them."""
    return {}


@pytest.fixture
def theirs(server: ReferenceServer, recorded: dict[str, Path], tmp_path: Path) -> Iterator[Theirs]:
    server.configure(faults=["status.kept"])
    with Server(always(NOTHING_HERE)) as elsewhere:
        yield Theirs(server, elsewhere, tmp_path, recorded)


def test_without_the_reader_s_own_profile_nothing_is_done(theirs: Theirs) -> None:
    theirs.record("status.stored")
    finding = theirs.finding()
    theirs.change(theirs.reach_out)
    for arguments in (("replay", theirs.out, finding), ("restore", theirs.out)):
        ended = theirs.run(*arguments)
        assert ended.code == 2
        for told in (theirs.elsewhere.url, VARIABLE, RULE, "--target FILE", "--trust-journal"):
            assert told in ended.err
        assert (f"run touch {theirs.trap}" in ended.err) == (arguments[0] == "replay")
    theirs.assert_nothing_happened()


def test_with_it_the_reader_s_target_hooks_and_keys_are_taken(theirs: Theirs) -> None:
    theirs.record("status.stored")
    finding = theirs.finding()
    theirs.change(theirs.reach_out)
    ended = theirs.run("replay", theirs.out, finding, "--target", theirs.profile)
    assert ended.code == 1, ended.err
    refused = theirs.run("restore", theirs.out, "--target", theirs.profile)
    assert refused.code == 2
    assert "the run was against" in refused.err
    theirs.assert_nothing_happened()


@pytest.mark.parametrize(("reply", "code"), [("n\n", 2), ("y\n", 3)])
def test_a_person_is_shown_what_it_asks_for_and_asked(theirs: Theirs, reply: str, code: int) -> None:
    theirs.record("status.stored")
    theirs.change(theirs.reach_out)
    ours, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "rules_harness", "restore", str(theirs.out)],
        env={**os.environ, **theirs.environ},
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(ours, 65536)
    assert theirs.elsewhere.received == []
    os.write(ours, reply.encode())
    process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == code
    assert f"send requests to {theirs.elsewhere.url}" in shown.decode()
    assert bool(theirs.elsewhere.received) == (code == 3)


def test_who_says_that_it_is_theirs_is_not_asked(theirs: Theirs) -> None:
    theirs.record("status.stored")
    theirs.change(theirs.reach_out)
    ended = theirs.run("restore", theirs.out, "--trust-journal")
    assert ended.code == 3
    assert theirs.elsewhere.received
    assert not theirs.trap.exists()


def test_no_rule_outside_the_profile_is_put_back(theirs: Theirs) -> None:
    theirs.record("status.stored")
    before = theirs.states()

    def edit(record: Record) -> Record | None:
        if record["record"] in ("restored", "footer"):
            return None
        if record["record"] == "rule" and record["rule"] == RULE:
            record["rule"] = UNLISTED
        return record

    theirs.change(edit)
    ended = theirs.run("restore", theirs.out, "--target", theirs.profile)
    assert ended.code == 3
    assert f"{UNLISTED}: not put back: the profile does not list it" in ended.out
    assert theirs.states()[UNLISTED] == before[UNLISTED]


def test_no_rule_outside_the_profile_is_written_whatever_it_is_called(theirs: Theirs) -> None:
    """A finding that says of a rule of the target that it is an unknown id."""
    theirs.server.configure(faults=["not-found.unknown-400"])
    theirs.record("not-found.unknown-id")
    finding = theirs.finding()
    assert theirs.run("replay", theirs.out, finding, "--target", theirs.profile).code == 1
    before = theirs.states()

    def edit(record: Record) -> Record:
        for exchange in record.get("episode", {}).get("exchanges", ()):
            if exchange["intent"].get("existence") == "unknown":
                exchange["request"]["target"] = f"/rules/{UNLISTED}"
        return record

    theirs.change(edit)
    ended = theirs.run("replay", theirs.out, finding, "--target", theirs.profile)
    assert ended.code == 3, ended.out
    assert "does not say that it is no rule" in ended.err
    assert theirs.states()[UNLISTED] == before[UNLISTED]


def test_no_key_is_written_into_a_text_because_a_journal_says_so(theirs: Theirs) -> None:
    theirs.record("status.stored")

    def edit(record: Record) -> Record | None:
        if record["record"] in ("restored", "footer"):
            return None
        if record["record"] == "rule":
            record["state"]["nickname"] = "{key:other_org}"
        for exchange in record.get("episode", {}).get("exchanges", ()):
            if "body" in exchange["request"]:
                exchange["request"]["body"]["text"] = exchange["request"]["body"]["text"].replace("Probe", "{key:full}")
        return record

    finding = theirs.finding()
    theirs.change(edit)
    before = theirs.states()
    restored = theirs.run("restore", theirs.out, "--target", theirs.profile)
    assert restored.code == 2
    assert "write the key of other_org into the text" in restored.err
    theirs.run("replay", theirs.out, finding, "--target", theirs.profile)
    assert not any(key in json.dumps(theirs.states()) for key in theirs.environ.values())
    assert theirs.states().keys() == before.keys()


def test_a_contract_that_only_the_journal_has_is_not_taken(theirs: Theirs) -> None:
    theirs.record("status.stored")

    def edit(record: Record) -> Record | None:
        if record["record"] == "header":
            record["options"]["own_contract"] = True
        return None if record["record"] in ("restored", "footer") else record

    theirs.change(edit)
    ended = theirs.run("restore", theirs.out, "--target", theirs.profile)
    assert ended.code == 2
    assert "take from it the contract" in ended.err


def test_a_campaign_does_not_go_on_with_what_only_the_journal_asks_for(theirs: Theirs) -> None:
    fuzz = ("fuzz", "--target", theirs.profile, "--requests", "20", "--quiet")
    theirs.run(*fuzz, "--out", theirs.out)

    def other_hook(record: Record) -> Record:
        if record["record"] == "header":
            record["profile"]["hooks"]["enable_rule"] = {"type": "command", "command": ["touch", str(theirs.trap)]}
        return record

    def other_rule(record: Record) -> Record | None:
        if record["record"] == "rule" and record["rule"] == RULE:
            record["rule"] = UNLISTED
        return None if record["record"] in ("restored", "footer") else record

    def other_host(record: Record) -> Record:
        if record["record"] == "header":
            record["base_url"] = record["profile"]["target"]["base_url"] = "http://127.0.0.1:9/api/v1"
        return record

    before = theirs.states()[UNLISTED]
    whole = (theirs.out / "journal.jsonl").read_bytes()
    trusted = ("fuzz", "--trust-journal", "--requests", "20", "--quiet")
    for edit, told in ((other_hook, "other hooks"), (other_rule, "the profile does not list"), (other_host, "against")):
        theirs.change(edit)
        for arguments in (fuzz, trusted):
            ended = theirs.run(*arguments, "--continue", theirs.out)
            assert ended.code == 2
            assert told in ended.err
        (theirs.out / "journal.jsonl").write_bytes(whole)
    assert theirs.states()[UNLISTED] == before
    theirs.assert_nothing_happened()


def test_the_second_half_of_a_window_is_of_the_profile_s_target_and_rules(theirs: Theirs) -> None:
    theirs.server.configure()
    planted = theirs.run("window", "plant", "--target", theirs.profile, "--out", theirs.out)
    assert planted.code == 0, planted.out
    verify = ("window", "verify", "--target", theirs.profile, "--planted", theirs.out, "--out", theirs.folder / "2")
    before = theirs.states()[UNLISTED]
    theirs.change(a_day_ago)
    whole = (theirs.out / "journal.jsonl").read_bytes()

    def other_rule(record: Record) -> Record:
        for exchange in record.get("episode", {}).get("exchanges", ()):
            exchange["intent"]["rule"] = UNLISTED
            exchange["intent"]["existence"] = "unknown"
        return record

    for edit, told in ((other_rule, UNLISTED), (theirs_elsewhere, "http://elsewhere.test")):
        theirs.change(edit)
        ended = theirs.run(*verify)
        assert ended.code == 2
        assert told in ended.err
        (theirs.out / "journal.jsonl").write_bytes(whole)
    assert theirs.states()[UNLISTED] == before
    assert theirs.run(*verify).code == 0


def a_day_ago(record: Record) -> Record:
    """The run was nearly a day earlier, so that it is time for the second half."""
    for name in ("started_at", "ended_at"):
        if name in record:
            record[name] = (datetime.fromisoformat(record[name]) - timedelta(hours=23.5)).isoformat()
    return record


def theirs_elsewhere(record: Record) -> Record:
    if record["record"] == "header":
        record["base_url"] = "http://elsewhere.test"
    return record


def test_what_a_journal_says_is_printed_inert(theirs: Theirs) -> None:
    theirs.record("status.stored")
    finding = theirs.finding()

    def edit(record: Record) -> Record | None:
        if record["record"] in ("restored", "footer"):
            return None
        if record["record"] == "rule" and record["rule"] == RULE:
            record["rule"] = EVIL_TEXT
        if record["record"] == "header":
            record["profile"]["rules"]["writable"] = [EVIL_TEXT]
            record["profile"]["target"]["name"] = EVIL_TEXT
        for exchange in record.get("episode", {}).get("exchanges", ()):
            exchange["intent"]["rule"] = EVIL_TEXT
            exchange["intent"]["label"] = EVIL_TEXT
            exchange["request"]["target"] = f"/rules/{EVIL_TEXT}"
        return record

    theirs.change(edit)
    for arguments in (
        ("restore", theirs.out),
        ("restore", theirs.out, "--target", theirs.profile),
        ("replay", theirs.out, finding),
        ("replay", theirs.out, finding, "--target", theirs.profile),
        ("judge", theirs.out),
        ("explain", theirs.out, "status.stored"),
        ("report", theirs.out, "--format", "markdown"),
        ("check", "--target", theirs.profile, "--out", theirs.out),
    ):
        ended = theirs.run(*arguments)
        for text in (ended.out, ended.err):
            assert not set("\x1b\x07\u202e") & set(text), arguments
            assert not re.search(r"##[a-z]*\[|^\s*::error", text, re.MULTILINE)
