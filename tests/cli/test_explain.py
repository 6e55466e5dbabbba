"""`explain RUN ID`: why a requirement has the verdict that it has in a run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from tests.cli.conftest import Shell


def test_of_a_run_it_tells_each_episode_and_what_held(shell: Shell, whole_profile: Path) -> None:
    shell("check", "--target", whole_profile, "--select", "auth.missing")
    ended = shell("explain", "out", "auth.missing")
    assert ended.code == 0
    assert re.search(r"passed, \d+ times put to the test", ended.out)
    assert re.search(r"auth/missing\n +1  PUT /rules/\S+  as none, no Authorization  ->  401\n", ended.out)


def test_of_a_finding_it_tells_what_was_expected(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    reference.configure(faults=["auth.missing-403"])
    shell("check", "--target", whole_profile, "--select", "auth.missing")
    ended = shell("explain", "out", "auth.missing")
    assert "failed" in ended.out
    assert "expected 401" in ended.out


@pytest.mark.slow
def test_a_finding_by_how_its_id_begins(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    reference.configure(faults=["auth.missing-403", "auth.no-challenge"])
    shell("check", "--target", whole_profile, "--select", "auth.missing,auth.challenge")
    for finding in shell.summary()["findings"]:
        ended = shell("explain", "out", finding["id"][:6])
        assert ended.code == 0
        assert ended.out.startswith(f"{finding['id']}  {finding['requirement']}  ({finding['level']})")
        assert f"rules-harness replay out {finding['id']}" in ended.out
    several = {finding["id"][0] for finding in shell.summary()["findings"]}
    unknown = next(digit for digit in "0123456789abcdef" if digit not in several)
    missing = shell("explain", "out", unknown)
    assert (missing.code, "the run has no such finding; there are: " in missing.messages[0]) == (2, True)
    assert all(finding["id"] in missing.messages[0] for finding in shell.summary()["findings"])


def test_of_what_was_skipped_it_tells_why(shell: Shell, whole_profile: Path) -> None:
    text = re.sub(r"(?m)^enable_rule.*$", "", whole_profile.read_text(encoding="utf-8"))
    whole_profile.write_text(text, encoding="utf-8")
    shell("check", "--target", whole_profile, "--select", "status.replay-keeps")
    ended = shell("explain", "out", "status.replay-keeps")
    assert re.search(r"was skipped: the profile has no hook enable_rule", ended.out)


def test_a_requirement_that_was_not_selected(shell: Shell, whole_profile: Path) -> None:
    shell("check", "--target", whole_profile, "--select", "auth.missing")
    assert "not asked to judge it" in shell("explain", "out", "auth.challenge").out


def test_too_many_words(shell: Shell) -> None:
    ended = shell("explain", "out", "auth.missing", "auth.challenge")
    assert (ended.code, ended.messages) == (2, ["rules-harness: explain takes [RUN] ID, and got 3 words"])
