"""Findings of a conformance run are made small as those of a campaign are; the verdicts rest on the run itself."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from rules_harness.harness.exchange import Exchange
from rules_harness.harness.journal import EpisodeRecord
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.judging.states import sent_body
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.smaller.evidence import FILE_NAME, read
from rules_harness.openapi.contract import load
from rules_harness.reports.again import FOLDER
from rules_harness.strategies.accounts import accounts_in
from tests.gate.runs import Ended, check, command

pytestmark = pytest.mark.slow

FAULTS = ("update.null-kept", "idempotency.case-folded")
SELECT = ("--select", "update.omitted-is-cleared,idempotency.any-key")


def _profile(server: ReferenceServer, folder: Path) -> Path:
    path = folder / "profile.toml"
    path.write_text(server.profile_toml, encoding="utf-8")
    return path


@pytest.fixture
def profile(server: ReferenceServer, tmp_path: Path) -> Path:
    return _profile(server, tmp_path)


def limited(profile: Path, limits: str) -> Path:
    """The profile with further limits."""
    path = profile.with_name("limited.toml")
    text = profile.read_text(encoding="utf-8")
    path.write_text(text.replace("[limits]", f"[limits]\n{limits}"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(server: ReferenceServer, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A run that makes nothing smaller."""
    server.configure(faults=list(FAULTS))
    profile = limited(_profile(server, tmp_path_factory.mktemp("whole")), "minimise_requests = 0")
    return check(profile, *SELECT, environ=server.environment, out=profile.parent / "out")


@pytest.fixture(scope="module")
def small(server: ReferenceServer, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The same run, its findings made smaller."""
    server.configure(faults=list(FAULTS))
    profile = _profile(server, tmp_path_factory.mktemp("small"))
    return check(profile, *SELECT, environ=server.environment, out=profile.parent / "out")


def test_each_finding_is_left_in_its_smallest_form(
    server: ReferenceServer, profile: Path, tmp_path: Path, whole: Ended, small: Ended
) -> None:
    assert (small.code, small.verdicts) == (1, whole.verdicts)
    assert sizes(small).keys() == sizes(whole).keys()
    [of_keys] = [
        finding["id"] for finding in small.summary["findings"] if finding["requirement"] == "idempotency.any-key"
    ]
    assert sizes(small)[of_keys] < sizes(whole)[of_keys] * 0.6
    assert {finding["stability"] for finding in small.summary["findings"]} == {"3 of 3"}
    server.configure(faults=list(FAULTS))
    for id in sizes(small):
        again = command("replay", small.folder, id, "--target", profile, environ=server.environment, folder=tmp_path)
        assert (again.code, "still fails, 3 of 3" in again.out) == (1, True), again.out
    server.configure()
    clean = check(profile, *SELECT, environ=server.environment, out=tmp_path / "c")
    compared = command("diff", small.folder, clean.folder, environ={}, folder=clean.folder)
    assert f"Fixed ({len(sizes(small))})" in compared.out
    assert "Not seen again" not in compared.out


def test_a_body_that_is_refused_is_made_small_with_accounts_that_are_there(
    server: ReferenceServer, profile: Path, tmp_path: Path
) -> None:
    """With others it would be refused as well, for another reason than the one that was found."""
    server.configure(faults=["update.type-behind-others-refused"])
    ended = check(profile, "--select", "update.accepts-valid", environ=server.environment, out=tmp_path / "out")
    listed = {account["id"] for account in tomllib.loads(profile.read_text(encoding="utf-8"))["accounts"]}
    named: set[str] = set()
    for folder in (ended.folder / FOLDER).iterdir():
        for exchange in read(folder / FILE_NAME).recording.exchanges:
            named |= {account.id for account in accounts_in(load(), dict(sent_body(exchange)))} - {None}
    assert named
    assert named <= listed


def test_what_an_attempt_leaves_behind_stands_for_no_exchange(
    server: ReferenceServer, profile: Path, tmp_path: Path
) -> None:
    """A refusal makes the next update go wrong, and what prepares the next attempt is an update as well."""
    server.configure(faults=["status.kept-after-a-refusal"])
    requirement = "status.enabled-becomes-disabled"
    found = check(profile, "--select", requirement, environ=server.environment, out=tmp_path / "out")
    [id] = [finding["id"] for finding in found.summary["findings"] if finding["requirement"] == requirement]
    exchanges = read(found.folder / FOLDER / id / FILE_NAME).recording.exchanges
    assert "broken" in [exchange.intent.body for exchange in exchanges]
    server.configure(faults=["status.kept-after-a-refusal"])
    again = command("replay", found.folder, id, "--target", profile, environ=server.environment, folder=tmp_path)
    assert "still fails, 3 of 3" in again.out, again.out


def test_what_prepares_an_attempt_may_be_part_of_what_shows_it(
    server: ReferenceServer, profile: Path, tmp_path: Path
) -> None:
    """A rule that no update disables has to be disabled again before each attempt."""
    faults = ["status.kept", "idempotency.case-folded"]
    server.configure(faults=faults)
    select = "status.stored,idempotency.any-key"
    found = check(profile, "--select", select, environ=server.environment, out=tmp_path / "out")
    [id] = [each["id"] for each in found.summary["findings"] if each["requirement"] == "idempotency.any-key"]
    server.configure(faults=faults)  # which rule was left enabled for good depends on who had it last
    again = command("replay", found.folder, id, "--target", profile, environ=server.environment, folder=tmp_path)
    assert "still fails, 3 of 3" in again.out, again.out


def test_verdicts_are_those_of_the_run_without_its_smallest_episodes(small: Ended) -> None:
    records = [
        record for record in small.run.records() if not (isinstance(record, EpisodeRecord) and record.episode.smallest)
    ]
    outcome = outcome_of(records, load())
    assert len(records) < len(list(small.run.records()))
    assert {id: row.verdict for id, row in outcome.requirements.items()} == small.verdicts
    assert {finding.id for finding in outcome.findings} == set(sizes(small))


def test_a_clean_run_sends_nothing_more(server: ReferenceServer, profile: Path, tmp_path: Path) -> None:
    def requests(path: Path) -> int:
        server.configure()
        ended = check(path, *SELECT, environ=server.environment, out=tmp_path / path.stem)
        assert ended.code == 0
        return int(ended.summary["requests"])

    assert requests(profile) == requests(limited(profile, "minimise_requests = 0"))


def test_it_ends_with_the_requests_of_the_profile(
    server: ReferenceServer, profile: Path, tmp_path: Path, whole: Ended
) -> None:
    server.configure(faults=list(FAULTS))
    text = profile.read_text(encoding="utf-8")
    room = whole.summary["requests"] + 20
    profile.write_text(text.replace("max_requests = 20000", f"max_requests = {room}"), encoding="utf-8")
    ended = check(profile, *SELECT, environ=server.environment, out=tmp_path / "out")
    assert (ended.code, ended.verdicts) == (1, whole.verdicts)
    assert sizes(ended).keys() == sizes(whole).keys()


def test_what_a_baseline_accepts_is_left_as_it_is(
    server: ReferenceServer, profile: Path, tmp_path: Path, small: Ended
) -> None:
    server.configure(faults=list(FAULTS))
    baseline, every = tmp_path / "baseline.toml", [f"--finding={id}" for id in sizes(small)]
    accepting: tuple[str | Path, ...] = (
        "baseline",
        "accept",
        small.folder,
        *every,
        "--reason",
        "known",
        "--owner",
        "us",
        "--expires",
        "2999-01-01",
    )
    assert command(*accepting, "--out", baseline, environ={}, folder=small.folder).code == 0
    ended = check(profile, *SELECT, "--baseline", str(baseline), environ=server.environment, out=tmp_path / "again")
    assert ended.code == 0
    assert ended.summary["requests"] < small.summary["requests"]


def sizes(ended: Ended) -> dict[str, int]:
    """How many bytes of bodies it takes to send each finding again, by finding id."""
    evidence = map(read, ended.folder.joinpath(FOLDER).glob(f"*/{FILE_NAME}"))
    return {proof.finding.id: sum(map(body_size, proof.episode.exchanges)) for proof in evidence}


def body_size(exchange: Exchange) -> int:
    body = exchange.request.body
    return 0 if body is None else len(body.content)
