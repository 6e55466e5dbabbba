"""Commands on recorded runs, and those that tell what there is."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from rules_harness.harness.cli import COMMANDS, explain
from rules_harness.harness.judging.checks import CHECKS
from rules_harness.harness.reference.faults import FAULTS
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.reference.variants import VARIANTS
from rules_harness.harness.scenarios import Scenario, all_scenarios
from rules_harness.openapi.contract import load
from rules_harness.reports.formats import FORMATS
from tests.cli.conftest import Shell
from tests.gate.runs import check

CONTRACT = load()
SELECTED = ("--select", "request-id.*")


@pytest.fixture(scope="session")
def recorded(running: ReferenceServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that found something."""
    folder = tmp_path_factory.mktemp("recorded")
    running.configure(faults=[next(fault.id for fault in FAULTS if fault.requirement == "request-id.on-errors")])
    (folder / "profile.toml").write_text(running.profile_toml, encoding="utf-8")
    ended = check(folder / "profile.toml", *SELECTED, environ=running.environment, out=folder / "out")
    assert ended.code == 1, ended.out + ended.err
    return folder / "out"


def test_judging_again_says_the_same(shell: Shell, recorded: Path) -> None:
    ended = shell("judge", recorded, "--out", "again")
    assert ended.code == 1
    assert "request-id.on-errors" in ended.out
    before = json.loads((recorded / "summary.json").read_text(encoding="utf-8"))
    assert shell.summary("again")["requirements"] == before["requirements"]
    assert shell("judge", recorded / "journal.jsonl").code == 1


def test_every_format_at_a_later_time(shell: Shell, recorded: Path) -> None:
    ended = shell("report", recorded, "--format", ",".join(FORMATS), "--out", "later")
    assert ended.code == 0
    assert {path.name for path in Path("later").iterdir()} == {one.file_name for one in FORMATS.values()}
    cases = ElementTree.parse("later/junit.xml").getroot().iter("testcase")
    assert "request-id.on-errors" in {case.get("name") for case in cases if case.find("failure") is not None}


def test_the_second_half_of_a_window_is_too_early_after_the_first(shell: Shell, whole_profile: Path) -> None:
    assert shell("window", "plant", "--target", whole_profile, "--out", "planted", "--quiet").code == 0
    ended = shell("window", "verify", "--target", whole_profile, "--planted", "planted", "--out", "verified")
    assert ended.code == 2
    assert "it is too early" in ended.messages[0]
    assert not Path("verified").exists()


def test_journal_that_was_cut_off(shell: Shell, recorded: Path) -> None:
    whole = (recorded / "journal.jsonl").read_bytes()
    Path("cut").mkdir()
    Path("cut/journal.jsonl").write_bytes(whole[: len(whole) // 2])
    assert shell("report", "cut", "--format", "summary").code == 0
    assert any("cut off" in sentence for sentence in shell.summary("cut")["missing"])


@pytest.mark.slow
def test_run_with_a_contract_of_its_own(shell: Shell, whole_profile: Path) -> None:
    document = json.loads(json.dumps(CONTRACT.document))
    document["x-requirements"] = [entry for entry in document["x-requirements"] if entry["id"] != "auth.challenge"]
    Path("own.json").write_text(json.dumps(document), encoding="utf-8")
    ended = shell("check", "--target", whole_profile, "--contract", "own.json", "--select", "auth.missing")
    assert ended.code == 0, ended.err
    Path("own.json").unlink()
    assert shell("judge", "out").code == 0


def test_help_of_every_command(shell: Shell) -> None:
    assert shell("list", "readings").code == 0
    ended = shell("--help")
    assert ended.code == 0
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", ended.out, re.MULTILINE)
        assert shell(name, "--help").code == 0
    assert shell("--version").out.startswith("rules-harness, version ")


def test_lists(shell: Shell) -> None:
    listed = shell("list", "requirements").out.splitlines()
    assert [line.split()[0] for line in listed] == list(CONTRACT.requirements)
    assert "not checked yet" not in "".join(listed)
    for kind, ids in (
        ("requirements", list(CONTRACT.requirements)),
        ("readings", list(CONTRACT.readings)),
        ("faults", [fault.id for fault in FAULTS]),
        ("variants", [variant.id for variant in VARIANTS]),
    ):
        assert [row["id"] for row in json.loads(shell("list", kind, "--json").out)] == ids
        assert len(shell("list", kind).out.splitlines()) == len(ids)
    assert {"name", "place", "kind"} <= set(json.loads(shell("list", "mutations", "--json").out)[0])


@pytest.fixture(scope="session")
def told_once() -> Callable[..., list[Scenario]]:
    """All scenarios, which are the same each time that `explain` asks."""
    known: list[Scenario] = []

    def scenarios(*asked: Any, wanted: Any) -> list[Scenario]:
        known.extend(() if known else all_scenarios(*asked))
        return known

    return scenarios


@pytest.mark.slow
@pytest.mark.parametrize("id", [*CONTRACT.requirements, *CONTRACT.readings])
def test_explains(
    shell: Shell, told_once: Callable[..., list[Scenario]], monkeypatch: pytest.MonkeyPatch, id: str
) -> None:
    monkeypatch.setattr(explain, "all_scenarios", told_once)
    ended = shell("explain", id)
    assert ended.code == 0
    if id in CONTRACT.requirements:
        assert CONTRACT.requirements[id].sentence in ended.out
        assert any(id in check.about for check in CHECKS)
    else:
        assert all(token in ended.out for token in CONTRACT.readings[id].tokens)


def test_doctor_on_a_whole_profile(shell: Shell, whole_profile: Path) -> None:
    ended = shell("doctor", "--target", whole_profile)
    assert ended.code == 0
    assert "PROBLEM" not in ended.out
    assert f"A run would judge {len(CONTRACT.requirements)} of {len(CONTRACT.requirements)} requirements." in ended.out
    assert "rule rule_01HXYZ1234: is there and enabled" in ended.out


def test_doctor_on_wrong_keys_and_rules(
    shell: Shell, whole_profile: Path, reference: ReferenceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RULES_KEY_LIMITED", "key-that-nobody-has")
    monkeypatch.setenv("RULES_KEY_REVOKED", reference.environment["RULES_KEY_SCOPE_READ_RULES"])
    monkeypatch.delenv("RULES_KEY_SCOPE_READ_RULES")
    text = whole_profile.read_text(encoding="utf-8").replace('"rule_01HXYZ5678"', '"rule_gone"')
    text = text.replace('[credentials.scope.READ_RULES]\nkey_env = "RULES_KEY_SCOPE_READ_RULES"\n', "")
    whole_profile.write_text(text.replace("/clock", ":1/clock").replace("advance_clock", "reset2"), encoding="utf-8")
    assert shell("doctor", "--target", whole_profile).code == 2
    whole_profile.write_text(text, encoding="utf-8")
    ended = shell("doctor", "--target", whole_profile)
    assert ended.code == 0
    problems = [line for line in ended.out.splitlines() if line.startswith("PROBLEM")]
    assert [problem.split()[1:3] for problem in problems] == [
        ["rule", "rule_gone:"],
        ["credentials.limited", "(RULES_KEY_LIMITED):"],
        ["credentials.revoked", "(RULES_KEY_REVOKED):"],
    ]


def test_doctor_writes_nothing(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    assert shell("doctor", "--target", whole_profile).code == 0
    assert list(shell.folder.iterdir()) == [whole_profile]


def test_doctor_on_one_key_and_one_rule(shell: Shell, reference: ReferenceServer) -> None:
    ended = shell(
        *("doctor", "--base-url", reference.base_url, "--key-env", "RULES_KEY_FULL", "--rule", "rule_01HXYZ5678")
    )
    assert ended.code == 0
    assert "the profile has no rules.limited" in ended.out
    assert "accounts: the profile lists none" in ended.out


def test_internal_error_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules_harness.harness.session.opening.profile_reader.load", lambda *_, **__: 1 / 0)
    ended = shell("check", "--target", "profile.toml")
    assert ended.code == 3
    assert ended.err.count("\n") == 1
    assert "RULES_HARNESS_DEBUG=1" in ended.err


@pytest.mark.slow
def test_reader_that_goes_away(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "rules_harness", "list", "mutations"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.slow
def test_serve_prints_a_profile_that_works(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "rules_harness", "serve", "--port", "0", "--variant", "scheme-case.accepted"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = ""
        while "[permissions]" not in printed:
            printed += process.stdout.readline()
        for name, key in re.findall(r"^export (\w+)=(\S+)$", printed, re.MULTILINE):
            monkeypatch.setenv(name, key)
        Path("profile.toml").write_text(printed[printed.index("[target]") :], encoding="utf-8")
        ended = shell("check", "--target", "profile.toml", "--select", "auth.malformed")
        process.send_signal(signal.SIGINT)
    assert ended.code == 0, ended.out
    assert shell.summary()["readings"]["reading.scheme-case"]["answer"] == "accepted"
    assert process.returncode == 0


def test_each_finding_is_left_as_a_script_and_a_test_and_nothing_out_of_date_beside_it(
    shell: Shell, reference: ReferenceServer, whole_profile: Path
) -> None:
    reference.configure(faults=["request-id.on-success-only"])
    assert shell("check", "--target", whole_profile, "--report", "html", *SELECTED).code == 1
    ids = {finding["id"] for finding in shell.summary()["findings"]}
    for id in ids:
        assert {path.suffix for path in Path("out/findings", id).iterdir()} == {".json", ".sh", ".py"}
    page = Path("out/report.html").read_text(encoding="utf-8")
    again = re.findall(r">rules-harness (replay out .*)</pre>", page)[0].split()
    assert shell(*again).code == 1
    assert list(Path("out/replays").iterdir())
    Path("out/notes.txt").write_text("mine", encoding="utf-8")
    reference.configure()
    assert shell("check", "--target", whole_profile, "--select", "request-id.generated").code == 0
    left = {str(path.relative_to("out")) for path in Path("out").rglob("*") if path.is_file()}
    assert left == {"journal.jsonl", "junit.xml", "summary.json", "notes.txt"}
