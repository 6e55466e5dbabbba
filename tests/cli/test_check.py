"""`check` against the embedded target: what it prints, writes and ends with."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.request import urlopen

import pytest

from rules_harness.harness.journal import read
from rules_harness.harness.reference.process import ReferenceServer
from tests.cli.conftest import Shell
from tests.gate.runs import NOW

FEW = ("--select", "auth.missing", "--select", "status.stored")


def _state(reference: ReferenceServer) -> dict[str, object]:
    with urlopen(f"{reference.control_url}/state") as response:
        rules: dict[str, dict[str, object]] = json.loads(response.read())["rules"]
    return {id: {name: rule[name] for name in ("nickname", "trigger", "steps")} for id, rule in rules.items()}


@pytest.mark.slow
def test_embedded_target_conforms(shell: Shell) -> None:
    ended = shell("check", "--report", "markdown,sarif", "--report", "html")
    assert ended.code == 0, ended.out
    assert "Conforms to the contract" in ended.out
    names = {path.name for path in (shell.folder / "out").iterdir()}
    assert names == {"journal.jsonl.zst", "junit.xml", "summary.json", "report.md", "report.sarif", "report.html"}
    summary = shell.summary()
    assert (summary["outcome"], summary["exit_code"], summary["seed"]) == ("conforms", 0, 1)
    assert {row["verdict"] for row in summary["requirements"].values()} == {"passed"}


def test_profile_through_a_socket(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    before = _state(reference)
    ended = shell("check", "--target", whole_profile, *FEW, "--out", "elsewhere", "--quiet")
    assert ended.code == 0, ended.out
    assert {row["verdict"] for row in shell.summary("elsewhere")["requirements"].values()} == {"passed"}
    assert "scenarios" not in ended.err
    header = read(shell.folder / "elsewhere").header
    assert header.now == NOW
    assert header.profile["credentials"]["full"]["key_env"] == "RULES_KEY_FULL"
    assert _state(reference) == before


def test_without_a_profile(shell: Shell, reference: ReferenceServer) -> None:
    ended = shell(
        *("check", "--base-url", reference.base_url, "--key-env", "RULES_KEY_FULL", "--rule", "rule_01HXYZ5678"),
        *("--select", "auth.*", "--select", "authz.*"),
    )
    assert ended.code == 0, ended.out
    requirements = shell.summary()["requirements"]
    assert requirements["auth.missing"]["verdict"] == "passed"
    assert requirements["authz.organization"]["verdict"] == "skipped"
    assert "other_org" in requirements["authz.organization"]["reason"]
    assert not [id for id, row in requirements.items() if row["verdict"] == "passed" and not row["exercised"]]


def test_violation_fails_the_gate(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    reference.configure(faults=["auth.no-challenge"])
    selected = ("--select", "auth.challenge")
    assert shell("check", "--target", whole_profile, *selected).code == 0
    assert shell.summary()["requirements"]["auth.challenge"]["verdict"] == "warned"
    assert shell("check", "--target", whole_profile, *selected, "--fail-on", "should").code == 1


@pytest.mark.slow
def test_dry_run_counts_what_a_run_sends(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    arguments = ("check", "--target", whole_profile, "--select", "auth.*", "--select", "idempotency.*")
    rehearsed = shell(*arguments, "--dry-run")
    assert rehearsed.code == 0
    assert not (shell.folder / "out").exists()
    for rule in ("rule_01HXYZ1234", "rule_01HXZC8642", "rule_01ZYOTHER9"):
        assert rule in rehearsed.out
    assert shell(*arguments).code == 0
    counts = {
        name: int(count.replace(",", "")) for count, name in re.findall(r"^ +([\d,]+)  ([\w -]+)", rehearsed.out, re.M)
    }
    total = next(count for name, count in counts.items() if name.startswith("requests in all"))
    sent = sum(len(episode.exchanges) for episode in read(shell.folder / "out").episodes)
    assert sent == total - counts["putting back"]
    assert shell.summary()["requests"] == pytest.approx(total, rel=0.05)


def test_dry_run_needs_no_target(shell: Shell) -> None:
    ended = shell(
        "check", "--target", shell.profile("https://staging.example/api/v1"), "--dry-run", "--select", "authz"
    )
    assert ended.code == 0
    assert "Nothing was sent" in ended.out
    assert "the profile has no credentials.limited" in ended.out
    assert "5000 requests per second" in ended.out
    assert list(shell.folder.iterdir()) == [shell.folder / "profile.toml"]


@pytest.mark.slow
def test_rehearsed_target_conforms(shell: Shell, whole_profile: Path) -> None:
    assert "would not be judged" not in shell("check", "--target", whole_profile, "--dry-run").out


def test_progress_in_a_log(shell: Shell, whole_profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules_harness.harness.cli.progress._SECONDS_BETWEEN_LINES", 0.0)
    ended = shell("check", "--target", whole_profile, *FEW)
    assert ended.code == 0
    assert "scenarios to run" in ended.err
    assert " left" in ended.err
    assert "\x1b" not in ended.out + ended.err


@pytest.mark.slow
def test_a_short_run_says_what_it_leaves_out(shell: Shell) -> None:
    ended = shell("check", "--requests", "150")
    assert ended.code == 0, ended.out
    summary = shell.summary()
    assert 50 < summary["requests"] <= 170
    verdicts = {row["verdict"] for row in summary["requirements"].values()}
    assert "passed" in verdicts
    assert verdicts <= {"passed", "skipped"}
    reasons = {row["reason"] for row in summary["requirements"].values() if row["verdict"] == "skipped"}
    assert reasons == {"left out of a run of 150 requests"}
    assert "scenarios were left out of a run of 150 requests" in ended.out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("largest", "select", "is_told"),
    [
        ("5_000", "update.amounts-exact", True),
        ("5_000", "request-id.unique", False),
        (None, "update.amounts-exact", False),
    ],
)
def test_amounts_that_the_profile_keeps_from_being_sent_are_named(
    shell: Shell, whole_profile: Path, largest: str | None, select: str, is_told: bool
) -> None:
    if largest is not None:
        text = whole_profile.read_text(encoding="utf-8")
        whole_profile.write_text(
            re.sub("max_amount_in_cents = .*", f"max_amount_in_cents = {largest}", text), encoding="utf-8"
        )
    ended = shell("check", "--target", whole_profile, "--select", select, "--requests", "60")
    assert ended.code == 0, ended.out
    assert ("Amounts above 5,000 cents were not sent" in " ".join(ended.out.split())) == is_told


def test_the_pairs_that_met_are_counted(shell: Shell, whole_profile: Path) -> None:
    ended = shell("check", "--target", whole_profile, "--select", "status.stored")
    pairs = shell.summary()["coverage"]["pairs"]
    assert 0 < pairs["reached"] < pairs["of"]
    assert pairs["by_requirement"]["status.stored"] > 100
    assert re.search(r"pairs \d+ of [\d,]+", ended.out)
