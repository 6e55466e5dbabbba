"""Journals of runs that have ended are packed: readers take both, and what goes on is unpacked first."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from rules_harness.harness import journal
from rules_harness.harness.errors import UsageError
from rules_harness.harness.journal import FoundRule, Journal, Note, Record, Restored, pack, read, recorded_in
from rules_harness.harness.session.recorded import keep_unrestored
from tests.reports.factories import footer, header, rule, written
from tests.reports.recorded import run_command


@pytest.fixture(autouse=True)
def short_ones_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PACK_FROM", 1)


def run(folder: Path, day: int = 1, *, whole: bool = True, target: str = "staging") -> Path:
    records: list[Record] = [
        header(started_at=f"2026-01-{day:02d}", target=target),
        FoundRule("rule_a", "full", rule(), enabled=False),
    ]
    return written(folder, [*records, Restored("rule_a"), footer()] if whole else records)


def test_a_packed_journal_reads_the_same(tmp_path: Path) -> None:
    path = run(tmp_path / "run")
    before = read(path)
    packed = pack(path)
    assert (packed.name, path.exists(), recorded_in(tmp_path / "run")) == ("journal.jsonl.zst", False, packed)
    assert read(packed) == read(tmp_path / "run") == before
    assert packed.stat().st_mode & 0o077 == 0


def test_one_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    notes = [Note("odd", os.urandom(200_000).hex()) for _ in range(10)]
    packed = pack(written(tmp_path / "run", [header(), *notes, footer()]))
    whole = packed.read_bytes()
    packed.write_bytes(whole[: len(whole) // 2])
    cut = read(packed)
    assert (cut.header.target, cut.is_whole, cut.torn_lines) == ("staging", False, 1)
    assert cut.notes == tuple(notes[: len(cut.notes)])
    packed.write_bytes(whole[:-2])
    assert read(packed).torn_lines == 1, "its lines are all there, but for what proves it"
    with pytest.raises(UsageError, match="ends before its time"):
        Journal(tmp_path / "run", append=True)
    assert packed.read_bytes() == whole[:-2]
    packed.write_bytes(b"not packed at all")
    with pytest.raises(UsageError, match="cannot be unpacked"):
        read(packed)


def test_what_goes_on_is_unpacked_first(tmp_path: Path) -> None:
    pack(run(tmp_path / "run"))
    continued = Journal(tmp_path / "run", append=True)
    continued.write(Restored("rule_b"))
    continued.close()
    assert [one.rule for one in read(tmp_path / "run").restored] == ["rule_a", "rule_b"]
    assert not (tmp_path / "run" / journal.PACKED_NAME).exists()


def test_a_journal_is_whole_when_its_unpacking_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(run(tmp_path / "run"))
    before = read(tmp_path / "run")

    def full(source: IO[bytes]) -> Iterator[bytes]:
        yield b'{"record"'
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(journal, "unpacked", full)
        with pytest.raises(UsageError, match="No space"):
            Journal(tmp_path / "run", append=True)
    assert read(tmp_path / "run") == before


def test_a_disk_that_takes_a_part_of_a_record_says_so(tmp_path: Path) -> None:
    written_to = Journal(tmp_path / "run")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            written_to.write(Note("long", "x" * 5000), sync=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        written_to.close()


def test_a_packed_record_of_rules_is_not_overwritten_either(tmp_path: Path) -> None:
    pack(run(tmp_path / "run", whole=False))
    with pytest.raises(UsageError, match="only record"):
        keep_unrestored(tmp_path / "run")


def test_a_folder_of_runs_is_kept_small(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path / "cut", 1, whole=False)
    for day in range(2, 6):
        run(tmp_path / f"run-{day}", day)
    run(tmp_path / "other", 1, target="production")
    (tmp_path / "notes").mkdir()
    code, told, said = run_command(capsys, "runs", "prune", tmp_path, "--keep", "2", "--dry-run")
    assert (code, len(list(tmp_path.iterdir()))) == (0, 7)
    assert run_command(capsys, "runs", "prune", tmp_path, "--keep", "2") == (code, told, said)
    assert {path.name for path in tmp_path.iterdir()} == {"cut", "run-4", "run-5", "other", "notes"}
    assert recorded_in(tmp_path / "run-5").name == journal.PACKED_NAME
    assert "only record of how 1 rule stood" in said


def test_what_is_so_uniform_that_it_would_not_be_unpacked_stays_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path / "run", [header(), *[Note("odd", "a" * 2**20)] * 24, footer()])
    assert pack(path) == path
    assert [left.name for left in path.parent.iterdir()] == [path.name]
    assert len(read(path).notes) == 24
