"""A journal judged again says what the run said; a journal that was cut off says what it still can."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from rules_harness.harness.errors import UsageError
from rules_harness.harness.journal import FILE_NAME, SCHEMA_VERSION, Run, read
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.openapi.contract import load
from tests.gate.runs import Ended, check

CONTRACT = load()
FAMILIES = ("idempotency", "auth")


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer() as server:
        yield server


def _checked(server: ReferenceServer, folder: Path, faults: tuple[str, ...], *select: str) -> Ended:
    server.configure(faults=faults)
    profile = folder / "profile.toml"
    profile.write_text(server.profile_toml, encoding="utf-8")
    chosen = [part for pattern in select for part in ("--select", pattern if "." in pattern else f"{pattern}.*")]
    return check(profile, *chosen, environ=server.environment, out=folder / "out")


def _assert_same(ended: Ended, run: Run) -> None:
    again, summary = outcome_of(run.records(), CONTRACT), ended.summary
    assert (again.conclusion, again.exit_code) == (summary["outcome"], summary["exit_code"])
    rows = {
        name: {
            "level": row.level,
            "verdict": row.verdict,
            "exercised": row.exercised,
            "findings": row.findings,
            "reason": row.reason,
        }
        for name, row in again.requirements.items()
    }
    assert rows == {name: {key: row[key] for key in rows[name]} for name, row in summary["requirements"].items()}
    readings = {name: (row.answer, row.observations, row.accepted) for name, row in again.readings.items()}
    assert readings == {
        name: (row["answer"], row["observations"], row["accepted"]) for name, row in summary["readings"].items()
    }


@pytest.fixture(scope="module")
def clean(server: ReferenceServer, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return _checked(server, tmp_path_factory.mktemp("clean"), (), *FAMILIES)


@pytest.fixture(scope="module")
def faulty(server: ReferenceServer, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    faults = ("auth.executed-before-check", "idempotency.replay-executes", "auth.query-accepted")
    return _checked(server, tmp_path_factory.mktemp("faulty"), faults, *FAMILIES)


@pytest.mark.slow
def test_clean_run(clean: Ended) -> None:
    assert clean.code == 0, clean.out
    _assert_same(clean, clean.run)


@pytest.mark.slow
def test_faulty_run_with_confirmations(faulty: Ended) -> None:
    assert faulty.code == 1
    assert {"auth.no-effect", "idempotency.no-reexecution", "auth.header-only"} <= faulty.with_verdict("failed")
    confirming = [episode for episode in faulty.run.episodes if episode.confirms]
    assert confirming
    assert not [episode for episode in confirming if episode.disturbed]
    _assert_same(faulty, faulty.run)


@pytest.mark.slow
def test_order_of_lanes_does_not_matter(faulty: Ended) -> None:
    """Lanes run side by side; what they are judged to show is the same in any order that keeps confirmations last."""
    run = faulty.run
    turned = sorted(run.episodes, key=lambda episode: (bool(episode.confirms), episode.id))
    one = outcome_of(run.records(), CONTRACT)
    other = outcome_of(msgspec.structs.replace(run, episodes=tuple(turned)).records(), CONTRACT)
    assert {name: row.verdict for name, row in one.requirements.items()} == {
        name: row.verdict for name, row in other.requirements.items()
    }
    assert {finding.id for finding in one.findings} == {finding.id for finding in other.findings}


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.05, 0.4, 0.97])
def test_truncated_journal(share: float, faulty: Ended, tmp_path: Path) -> None:
    whole = (faulty.folder / FILE_NAME).read_bytes()
    cut = max(int(share * len(whole)), whole.index(b"\n") + 2)
    (tmp_path / FILE_NAME).write_bytes(whole[:cut])
    run = read(tmp_path)
    assert run.footer is None
    assert not run.is_whole
    assert run.torn_lines <= 1
    outcome = outcome_of(run.records(), CONTRACT)
    for name, row in outcome.requirements.items():
        assert row.exercised > 0 or row.verdict != "passed", name
        if row.verdict == "inconclusive" and not row.exercised:
            assert row.reason == "the run was cut off before its end"
    before = outcome_of(faulty.run.records(), CONTRACT)
    assert {finding.requirement for finding in outcome.findings} <= {
        finding.requirement for finding in before.findings
    } | {row.id for row in before.requirements.values() if row.verdict == "inconclusive"}


@pytest.mark.slow
def test_damaged_line(clean: Ended, tmp_path: Path) -> None:
    lines = (clean.folder / FILE_NAME).read_bytes().split(b"\n")
    middle = len(lines) // 2
    lines[middle] = lines[middle][: len(lines[middle]) // 2]
    (tmp_path / FILE_NAME).write_bytes(b"\n".join(lines))
    run = read(tmp_path)
    assert run.torn_lines == 1
    assert not run.is_whole
    assert outcome_of(run.records(), CONTRACT).exit_code == 0


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"not JSON\n", "first line is not JSON"),
        (b'{"record":"episode"}\n', "first line is not a header"),
        (b'{"record":"header","schema_version":1}\n', "journal version 1, this program reads"),
        (b'{"record":"header","schema_version":99}\n', "journal version 99"),
        (f'{{"record":"header","schema_version":{SCHEMA_VERSION}}}\n'.encode(), "damaged header"),
    ],
)
def test_what_is_no_journal(content: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(UsageError, match=problem):
        read(tmp_path)


def test_run_is_its_folder_or_its_journal(clean: Ended, tmp_path: Path) -> None:
    assert read(clean.folder / FILE_NAME) == read(clean.folder)
    with pytest.raises(UsageError, match="no journal"):
        read(tmp_path)


def test_journal_says_how_to_do_it_again(clean: Ended) -> None:
    header = clean.run.header
    assert header.contract_sha256 == CONTRACT.sha256
    assert header.seed == 1
    assert header.profile["credentials"]["full"] == {"name": "full", "key_env": "RULES_KEY_FULL"}
    assert not [key for key in json.dumps(header.profile).split('"') if len(key) > 30 and key.isalnum()]
