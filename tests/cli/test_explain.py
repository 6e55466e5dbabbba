"""`explain RUN ID`: why a requirement has the verdict that it has in a run."""

from __future__ import annotations

import re
from pathlib import Path

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
