"""Comparisons of real runs: what the embedded target does differently is told, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from rules_harness.harness.journal import EpisodeRecord, Journal, stream
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.reports.regression.model import Comparison, FindingChange
from tests.reports.recorded import compared, record, run_command

pytestmark = pytest.mark.slow

SOME = ("status.*", "authz.*")


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer() as running:
        yield running


@pytest.fixture(scope="module")
def clean(server: ReferenceServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(server, tmp_path_factory.mktemp("clean") / "run", select=SOME)


@pytest.fixture(scope="module")
def broken(server: ReferenceServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    faults = ["status.stored-from-body"]
    return record(server, tmp_path_factory.mktemp("broken") / "run", select=SOME, faults=faults)


SECTIONS = (
    *("new", "fixed", "still_failing", "not_seen_again", "no_longer_exercised", "newly_judged"),
    *("readings", "answers", "fields", "contract", "worse"),
)


def sections(comparison: Comparison) -> set[str]:
    """The parts of a comparison that have entries."""
    return {name for name in SECTIONS if getattr(comparison, name)}


def requirements(changes: tuple[FindingChange, ...]) -> set[str]:
    return {change.finding.requirement for change in changes}


def test_the_same_target_does_not_flap_over_seeds(server: ReferenceServer, clean: Path, tmp_path: Path) -> None:
    for seed in range(2, 6):
        now = datetime(2027, 1 + seed % 2, 28, 23, 59, tzinfo=UTC)
        head = record(server, tmp_path / str(seed), select=SOME, seed=seed, now=now)
        assert sections(compared(head, head)) == set()
        assert sections(compared(clean, head)) == set()


def test_allowed_changes_are_told_and_are_not_worse(server: ReferenceServer, tmp_path: Path) -> None:
    select = ("validation.syntax", "idempotency.reuse-not-executed", "update.documented-example")
    variants = ["validation-status.422", "key-reuse.409", "defaults.not-added", "extra-fields.top"]
    base = record(server, tmp_path / "base", select=select)
    comparison = compared(base, record(server, tmp_path / "head", select=select, variants=variants, seed=2))
    assert sections(comparison) == {"readings", "answers", "fields"}
    assert {(one.id, one.before, one.after) for one in comparison.readings} == {
        ("reading.validation-status", ("400",), ("422",)),
        ("reading.key-reuse", ("422",), ("409",)),
        ("reading.defaults", ("added",), ("not-added",)),
    }
    assert {(one.before, one.after) for one in comparison.answers} == {
        (("400 invalid_request",), ("422 validation_error",)),
        (("422 idempotency_key_reused",), ("409 idempotency_key_reused",)),
    }
    assert {(one.operation, one.answers, one.place, one.change) for one in comparison.fields} == {
        (operation, "successes", place, change)
        for operation in ("update", "read")
        for place, change in (
            ("/data/steps/*/actions/*/is_direct_deposit", "vanished"),
            ("/data/links", "appeared"),
            ("/data/organization_id", "appeared"),
            ("/data/version", "appeared"),
        )
    }


def test_a_broken_promise_is_new_then_still_failing_then_fixed(
    server: ReferenceServer, clean: Path, broken: Path, tmp_path: Path
) -> None:
    worse = record(server, tmp_path / "worse", select=SOME, faults=["status.stored-from-body", "authz.scope-unchecked"])
    stored = {"status.stored", "status.no-enable-by-body"}

    first = compared(clean, broken)
    assert requirements(first.new) == stored
    assert sections(first) == {"new", "readings", "worse"}
    assert [one.id for one in first.readings if one.refused] == ["reading.enable-by-body"]
    assert any(sentence.startswith("status.stored newly fails") for sentence in first.worse)

    second = compared(broken, worse)
    assert requirements(second.new) == {"authz.scope"}
    assert requirements(second.still_failing) == stored
    assert [sentence.partition(" ")[0] for sentence in second.worse] == ["authz.scope"]
    assert any(one.before == ("403 forbidden",) and one.after == ("200",) for one in second.answers)

    third = compared(worse, clean)
    assert requirements(third.fixed) == {*stored, "authz.scope"}
    assert sections(third) == {"fixed", "readings", "answers"}


def test_another_feature_that_is_refused_is_new_beside_one_that_is_accepted(
    server: ReferenceServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted, further = "update.type-behind-others-refused", "update.small-amounts-refused"
    bodies = ("update.accepts-valid",)
    base = record(server, tmp_path / "base", select=bodies, faults=[accepted])
    head = record(server, tmp_path / "head", select=bodies, faults=[accepted, further])
    comparison = compared(base, head)
    [new] = comparison.new
    assert new.finding.place.endswith("/amount_in_cents=least")
    assert new.finding.place not in {change.finding.place for change in comparison.still_failing}

    baseline = tmp_path / "baseline.toml"
    known = [f"--finding={change.finding.id}" for change in comparison.still_failing]
    about = ("--reason", "known", "--owner", "us", "--expires", "2999-01-01", "--out", baseline)
    assert run_command(capsys, "baseline", "accept", base, *known, *about)[0] == 0
    for other, code in ((base, 0), (head, 1)):
        ended, printed, _ = run_command(capsys, "diff", base, other, "--baseline", baseline, "--format", "json")
        told = json.loads(printed)
        assert ended == code
        assert [one["finding"]["id"] for one in told["new"]] == [new.finding.id] * code


def test_what_head_does_not_put_to_the_test_is_not_fixed(server: ReferenceServer, broken: Path, tmp_path: Path) -> None:
    comparison = compared(broken, record(server, tmp_path / "head", select=("authz.*",)))
    assert {one.note for one in comparison.not_seen_again} == {
        "status.stored is not selected in HEAD",
        "status.no-enable-by-body is not selected in HEAD",
    }
    assert {one.after for one in comparison.no_longer_exercised} == {"not selected"}
    assert {one.id.partition(".")[0] for one in comparison.no_longer_exercised} == {"status"}
    assert sections(comparison) == {"not_seen_again", "no_longer_exercised", "worse"}


def test_what_base_did_not_put_to_the_test_is_not_said_to_fail_newly(
    server: ReferenceServer, broken: Path, tmp_path: Path
) -> None:
    comparison = compared(record(server, tmp_path / "base", select=("authz.*",)), broken)
    assert any(
        sentence.startswith("status.stored fails") and sentence.endswith("status.stored is not selected in BASE")
        for sentence in comparison.worse
    )


def test_a_must_that_is_no_longer_exercised_is_worse(server: ReferenceServer, clean: Path, tmp_path: Path) -> None:
    head = record(server, tmp_path / "head", select=SOME, without=["trigger = "])
    comparison = compared(clean, head)
    [lost] = comparison.no_longer_exercised
    assert (lost.id, lost.before, lost.after) == ("status.not-triggerable", "passed", "skipped")
    assert "permissions.trigger" in lost.reason
    assert comparison.worse == ("no longer exercised (skipped): status.not-triggerable",)
    back = compared(head, clean)
    assert [one.id for one in back.newly_judged] == ["status.not-triggerable"]
    assert back.worse == ()


def test_a_reading_that_the_profile_no_longer_accepts_is_worse(
    server: ReferenceServer, clean: Path, tmp_path: Path
) -> None:
    more = '\n[readings]\n"reading.other-organization" = ["403"]\n'
    comparison = compared(clean, record(server, tmp_path / "head", select=SOME, more=more))
    [reading] = comparison.readings
    assert (reading.id, reading.after, reading.refused) == ("reading.other-organization", ("404",), True)
    assert "reading.other-organization is no longer answered as accepted: 404" in comparison.worse


def cut(folder: Path, into: Path, share: float) -> Path:
    """A run whose journal ends somewhere, in the middle of a line."""
    content = (folder / "journal.jsonl").read_bytes()
    into.mkdir()
    (into / "journal.jsonl").write_bytes(content[: int(len(content) * share)])
    return into


@pytest.mark.parametrize("share", [0.2, 0.5, 0.97])
def test_a_run_that_was_cut_off_is_compared_as_far_as_it_goes(clean: Path, tmp_path: Path, share: float) -> None:
    head = cut(clean, tmp_path / "cut", share)
    comparison = compared(clean, head)
    assert any("was cut off" in remark for remark in comparison.remarks)
    assert sections(comparison) <= {"no_longer_exercised", "worse"}
    lost = {one.id for one in comparison.no_longer_exercised}
    assert lost == {one.id for one in compared(head, clean).newly_judged}


def test_ids_and_times_of_a_target_do_not_matter(clean: Path, tmp_path: Path) -> None:
    """The same run with every error code and field name carrying a generated part, new for each answer."""

    def noisy(folder: Path, offset: int) -> Path:
        journal = Journal(folder)
        for number, entry in enumerate(stream(clean), offset):
            if not isinstance(entry, EpisodeRecord):
                assert entry is not None
                journal.write(entry)
                continue
            text = msgspec.json.encode(entry).decode()
            text = text.replace('\\"forbidden\\"', f'\\"forbidden-{number:08d}\\"')
            text = text.replace('\\"updated_at\\"', f'\\"updated_{number:08x}0\\"')
            journal.write(msgspec.json.decode(text, type=EpisodeRecord))
        journal.close()
        return folder

    comparison = compared(noisy(tmp_path / "one", 10_000), noisy(tmp_path / "other", 99_000))
    assert sections(comparison) & {"answers", "fields"} == set()


def test_headlines(clean: Path, broken: Path) -> None:
    assert compared(clean, clean).headline == "No difference"
    assert compared(clean, broken).headline == "HEAD is worse than BASE"
    assert compared(broken, clean).headline == "Nothing got worse"
