"""`fuzz` against the embedded target: what it finds, keeps, leaves and puts back."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rules_harness.harness.exchange import TransportFault
from rules_harness.harness.journal import read
from rules_harness.harness.judging.judge import LIMITED, outcome_of
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.openapi.contract import load
from tests.campaign.conftest import Rules
from tests.cli.conftest import Shell


@pytest.mark.slow
def test_a_target_that_conforms(shell: Shell, whole_profile: Path, rules: Callable[[], Rules]) -> None:
    before = rules()
    ended = shell(
        "fuzz", "--target", whole_profile, "--requests", "500", "--time", "60s", "--workers", "2", "--corpus", "corpus"
    )
    assert ended.code == 0, ended.out
    assert "Conforms in what could be judged" in ended.out  # so few requests do not get to every must
    assert "without their exchanges" not in ended.out  # keeping a sample is how it works, and nothing to see to
    summary = shell.summary()
    assert summary["kind"] == "campaign"
    assert summary["findings"] == []
    assert 300 < summary["requests"] <= 500 + 60
    assert summary["coverage"]["mutations"]["reached"] > 20
    assert f"mutations {summary['coverage']['mutations']['reached']} of" in " ".join(ended.out.split())
    assert {row["restored"] for row in summary["rules"]} == {True}
    assert rules() == before


@pytest.mark.slow
def test_what_a_journal_holds_is_enough_to_judge_it_again(shell: Shell, whole_profile: Path) -> None:
    ended = shell("fuzz", "--target", whole_profile, "--requests", "400", "--time", "60s")
    assert ended.code == 0, ended.out
    run = read(shell.folder / "out")
    assert run.is_whole
    again = outcome_of(run.records(), load())
    told = shell.summary()["requirements"]
    assert {id: row.exercised for id, row in again.requirements.items()} == {
        id: row["exercised"] for id, row in told.items()
    }
    kept = sum(len(episode.exchanges) for episode in run.episodes)
    assert kept < run.footer.requests if run.footer else False


@pytest.mark.slow
def test_what_is_selected_decides_the_verdict(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    reference.configure(faults=["request-id.on-success-only"])
    arguments = ("fuzz", "--target", whole_profile, "--requests", "300", "--time", "60s")
    assert shell(*arguments).code == 1
    ended = shell(*arguments, "--exclude", "request-id", "--out", "again")
    assert (ended.code, shell.summary("again")["findings"]) == (0, []), ended.out
    assert shell("judge", "again", "--quiet").code == 0


@pytest.mark.slow
def test_everything_is_kept_where_that_is_asked_for(shell: Shell, whole_profile: Path) -> None:
    shell("fuzz", "--target", whole_profile, "--requests", "300", "--time", "60s", "--capture", "all")
    run = read(shell.folder / "out")
    assert run.footer is not None
    outcomes = [exchange.outcome for episode in run.episodes for exchange in episode.exchanges]
    kept = sum(not isinstance(outcome, TransportFault) for outcome in outcomes)
    # The last requests put rules back, and are not part of an episode.
    assert run.footer.requests - 30 <= kept <= run.footer.requests


@pytest.mark.slow
def test_a_defect_is_one_finding_made_small_and_left_to_be_repeated(
    shell: Shell, whole_profile: Path, reference: ReferenceServer, rules: Callable[[], Rules]
) -> None:
    before = rules()
    reference.configure(faults=["validation.negative-accepted"])
    ended = shell("fuzz", "--target", whole_profile, "--requests", "1500", "--time", "60s", "--seed", "3")
    assert ended.code == 1, ended.out
    findings = shell.summary()["findings"]
    assert {finding["requirement"] for finding in findings} == {"validation.bounds"}
    amount = next(finding for finding in findings if finding["place"].endswith("fixed_amount/amount_in_cents"))
    assert amount["stability"] == "3 of 3"
    assert rules() == before

    folder = shell.folder / "out" / "findings" / amount["id"]
    record = json.loads((folder / "finding.json").read_bytes())
    assert len(record["episode"]["exchanges"]) == 1
    assert (folder / "curl.sh").read_text().startswith("#!/usr/bin/env bash")
    assert "still fails" in _pytest(folder, whole_profile, reference)

    assert shell("replay", "out", amount["id"][:8], "--target", whole_profile).code == 1
    reference.configure()
    ended = shell("replay", "out", amount["id"], "--target", whole_profile)
    assert ended.code == 0
    assert "no longer fails" in ended.out


def _pytest(folder: Path, profile: Path, reference: ReferenceServer) -> str:
    environment = {**reference.environment, "PATH": ""}
    test = str(next(folder.glob("test_*.py")))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rules-target", str(profile), test]
    return subprocess.run(command, env=environment, cwd=folder, check=False, capture_output=True, text=True).stdout


@pytest.mark.slow
def test_a_crash_is_one_finding_at_the_feature_of_the_body_that_draws_it(
    shell: Shell, whole_profile: Path, reference: ReferenceServer
) -> None:
    reference.configure(faults=["envelope.null-nickname-crash"])
    text = whole_profile.read_text(encoding="utf-8")
    whole_profile.write_text(text.replace("[limits]", "[limits]\nminimise_requests = 0"), encoding="utf-8")
    ended = shell("fuzz", "--target", whole_profile, "--requests", "1000", "--time", "60s", "--quiet")
    assert ended.code == 1, ended.out
    [crash] = shell.summary()["findings"]
    assert (crash["requirement"], crash["place"]) == ("envelope.no-server-error", "/nickname=null")
    assert crash["count"] > 1


@pytest.mark.slow
def test_what_shows_in_an_enabled_rule_alone_is_sent_again_where_it_can_be_enabled(
    shell: Shell, whole_profile: Path, reference: ReferenceServer
) -> None:
    reference.configure(faults=["status.kept-with-key"])
    ended = shell("fuzz", "--target", whole_profile, "--requests", "80", "--time", "60s", "--seed", "3", "--quiet")
    assert ended.code == 1, ended.out
    found = shell.summary()["findings"]
    assert {finding["requirement"].partition(".")[0] for finding in found} == {"status"}
    assert {finding["stability"] for finding in found} == {"3 of 3"}
    without = shell.folder / "without.toml"
    without.write_text(
        re.sub("(?m)^enable_rule = .*$", "", whole_profile.read_text(encoding="utf-8")), encoding="utf-8"
    )
    for finding in found:
        again = shell("replay", "out", finding["id"], "--target", whole_profile)
        assert (again.code, "still fails, 3 of 3" in again.out) == (1, True), again.out
        again = shell("replay", "out", finding["id"], "--target", without)
        assert (again.code, "could not tell" in again.messages[0]) == (3, True), again.err


@pytest.mark.slow
def test_a_history_finds_what_single_requests_do_not(
    shell: Shell, whole_profile: Path, reference: ReferenceServer
) -> None:
    reference.configure(faults=["idempotency.replay-executes"])
    ended = shell("fuzz", "--target", whole_profile, "--requests", "800", "--time", "60s")
    assert ended.code == 1, ended.out
    requirements = {finding["requirement"].partition(".")[0] for finding in shell.summary()["findings"]}
    assert requirements <= {"idempotency", "status"}


@pytest.mark.slow
def test_rules_that_get_mixed_up_are_one_finding(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    reference.configure(faults=["concurrency.shared-request"])
    ended = shell("fuzz", "--target", whole_profile, "--requests", "400", "--time", "60s")
    assert ended.code == 1, ended.out
    assert {finding["requirement"] for finding in shell.summary()["findings"]} == {"concurrency.isolated"}
    assert shell.summary()["coverage"]["mutations"]["reached"] > 0


@pytest.mark.slow
def test_what_failed_is_tried_first_next_time(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    reference.configure(faults=["validation.operator-unchecked"])
    arguments = ("fuzz", "--target", whole_profile, "--time", "60s", "--corpus", shell.folder / "corpus", "--quiet")
    assert shell(*arguments, "--requests", "1500", "--out", "first").code == 1
    assert shell(*arguments, "--requests", "60", "--out", "second", "--seed", "2").code == 1


@pytest.mark.slow
def test_an_accepted_finding_fails_nothing(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    reference.configure(faults=["envelope.created-201"])
    arguments = ("fuzz", "--target", whole_profile, "--requests", "150", "--time", "60s")
    assert shell(*arguments).code == 1
    tables = [
        f'[[accepted]]\nid = "{one["id"]}"\nrequirement = "{one["requirement"]}"\nplace = "{one["place"]}"\n'
        f'kind = "{one["kind"]}"\nreason = "known"\nowner = "somebody"\nexpires = 2999-01-01\n'
        for one in shell.summary()["findings"]
    ]
    baseline = shell.folder / "baseline.toml"
    baseline.write_text("\n".join(tables), encoding="utf-8")
    ended = shell(*arguments, "--baseline", baseline, "--out", "again")
    accepted = [one for one in shell.summary("again")["findings"] if one["accepted"]]
    assert accepted
    assert all(one["stability"] is None for one in accepted)
    assert ended.code in (0, 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--time", "0"), "can find nothing"),
        (("--time", "soon"), "not a duration"),
        (("--requests", "0"), "--requests"),
        (("--workers", "0"), "neither auto nor a number"),
        (("--workers", "many"), "neither auto nor a number"),
        (("--continue", "nowhere"), "no journal"),
        (("--continue", "nowhere", "--out", "out"), "either"),
    ],
)
def test_bad_input_is_told(shell: Shell, whole_profile: Path, arguments: tuple[str, ...], told: str) -> None:
    ended = shell("fuzz", "--target", whole_profile, *arguments)
    assert ended.code == 2
    assert told in ended.messages[0]


def test_a_corpus_that_cannot_be_used(shell: Shell, whole_profile: Path) -> None:
    (shell.folder / "file").write_text("", encoding="utf-8")
    ended = shell("fuzz", "--target", whole_profile, "--corpus", "file")
    assert ended.code == 2
    assert "name a folder that you may write to" in ended.messages[0]
    ended = shell("fuzz", "--target", whole_profile, "--corpus", "redis://127.0.0.1:9/0")
    assert ended.code == 3
    assert "Redis does not answer" in ended.messages[0]


def test_only_a_campaign_against_the_same_target_is_continued(shell: Shell, whole_profile: Path) -> None:
    shell("check", "--target", whole_profile, "--select", "auth.missing")
    assert "is not a campaign" in shell("fuzz", "--target", whole_profile, "--continue", "out").messages[0]
    shell("fuzz", "--target", whole_profile, "--requests", "30", "--out", "campaign")
    other = shell.profile("http://127.0.0.1:9/api/v1")
    ended = shell("fuzz", "--target", other, "--continue", "campaign")
    assert ended.code == 2
    assert "was against" in ended.messages[0]


@pytest.mark.slow
def test_it_goes_on_with_the_profile_that_it_began_with(shell: Shell, whole_profile: Path) -> None:
    began = ("fuzz", "--target", whole_profile, "--requests", "30", "--quiet", "--out", "campaign")
    assert shell(*began).code == 0
    before = read(shell.folder / "campaign").header
    again = ("fuzz", "--requests", "30", "--quiet", "--continue", "campaign")
    asked = shell(*again)
    assert asked.code == 2
    assert f"your profile {whole_profile}" in asked.messages[0]
    assert shell(*again, "--trust-journal").code == 0
    assert read(shell.folder / "campaign").header == before
    whole_profile.unlink()
    missing = shell(*again, "--trust-journal")
    assert (missing.code, "which is not there; name the target with --target FILE" in missing.messages[0]) == (2, True)


@pytest.mark.slow
def test_a_finding_that_no_rule_of_ours_is_part_of_is_made_small(
    shell: Shell, whole_profile: Path, reference: ReferenceServer
) -> None:
    reference.configure(faults=["not-found.unknown-400"])
    ended = shell("fuzz", "--target", whole_profile, "--requests", "600", "--time", "60s", "--quiet")
    assert ended.code == 1, ended.err
    found = [one for one in shell.summary()["findings"] if one["requirement"] == "not-found.unknown-id"]
    assert {finding["stability"] for finding in found} == {"3 of 3"}


@pytest.mark.slow
def test_the_limit_that_ends_a_search_is_told(shell: Shell, whole_profile: Path) -> None:
    text = whole_profile.read_text(encoding="utf-8")
    whole_profile.write_text(re.sub(r"max_requests = \d+", "max_requests = 700", text), encoding="utf-8")
    ended = shell("fuzz", "--target", whole_profile, "--time", "10m")
    assert ended.code == 0, ended.out
    limits = [note.text for note in read(shell.folder / "out").notes if note.kind == LIMITED]
    assert [limit.partition(",")[0] for limit in limits] == ["limits.max_requests ended the search"]
    assert limits[0] in shell.summary()["missing"]
    assert "limits.max_requests ended the search" in ended.out


@pytest.mark.slow
def test_each_worker_has_a_rule(shell: Shell, reference: ReferenceServer) -> None:
    profile = reference.profile_toml
    one_rule = re.sub(r"writable = \[[^]]*\]", 'writable = ["rule_01HXYZ1234"]', profile)
    (shell.folder / "one.toml").write_text(one_rule, encoding="utf-8")
    began = time.monotonic()
    ended = shell("fuzz", "--target", "one.toml", "--time", "2s", "--workers", "99")
    assert ended.code == 0, ended.out
    assert "--workers 99" in ended.err
    # Ninety-nine processes would take minutes to begin and to end.
    assert time.monotonic() - began < 60


@pytest.mark.slow
def test_what_a_short_campaign_does_not_reach_is_not_skipped(shell: Shell, whole_profile: Path) -> None:
    """A profile that has everything skips nothing: that the first half of a scenario has not run is no lack of it."""
    assert shell("fuzz", "--target", str(whole_profile), "--time", "60s", "--requests", "250", "--quiet").code == 0
    assert "skipped" not in {row["verdict"] for row in shell.summary()["requirements"].values()}


@pytest.mark.slow
def test_what_the_profile_lacks_is_skipped_as_in_the_gate(shell: Shell, reference: ReferenceServer) -> None:
    """Check, dry run, doctor and campaign count the same."""
    profile = reference.profile_toml
    one_key = re.sub(r'\[credentials\.(?!full\])[^]]*\]\nkey_env = "\w+"\n', "", profile)
    (shell.folder / "one.toml").write_text(one_key, encoding="utf-8")
    few = ("--target", "one.toml", "--select", "auth.*,authz.*,idempotency.*,status.*")
    assert shell("check", *few, "--quiet", "--out", "gate").code == 0
    assert shell("fuzz", "--target", "one.toml", "--time", "60s", "--requests", "300", "--quiet").code == 0
    skipped = {
        out: {id for id, row in shell.summary(out)["requirements"].items() if row["verdict"] == "skipped"}
        for out in ("gate", "out")
    }
    assert skipped["gate"] == skipped["out"]
    assert {"authz.scope", "authz.organization"} <= skipped["gate"]
    told = shell("doctor", "--target", "one.toml").out
    rehearsed = shell("check", *few, "--dry-run").out
    for id in skipped["gate"]:
        assert id in told.partition("Skipped")[2]
        assert id in rehearsed.partition("Scenarios that would be skipped:")[2]
