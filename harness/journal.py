"""The record of a run: JSON Lines, written as it goes, readable after a kill.

The first line is a header, then come the rules as they were found, the episodes and the skipped scenarios, and last a
footer.  A missing footer says that the run was cut off; a torn last line is left out.  Every report, replay and
re-judgement is made from this file alone.  A long one is packed when its run has ended, and unpacked to go on.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec
import zstandard

from rules_harness.harness.errors import UsageError
from rules_harness.harness.exchange import Episode
from rules_harness.harness.files import make_private, open_private
from rules_harness.harness.packed import lines_of, most_of, unpacked
from rules_harness.openapi.bounds import Unbounded, check

SCHEMA_VERSION = 3
_LEVEL = 6
FILE_NAME = "journal.jsonl"
PACKED_NAME = f"{FILE_NAME}.zst"
"""What a run that has ended is packed into (Zstandard, RFC 8878); readers take both."""
PACK_FROM = 1024 * 1024
"""Bytes: a shorter journal stays as it is, for whoever looks at it with the tools of a shell."""
PROFILE = "profile"
"""The option of a header that says which file described the target, as it was given on the command line."""


class Header(msgspec.Struct, frozen=True, tag_field="record", tag="header", omit_defaults=True):
    """What was to be judged, with what, and how it can be done again."""

    schema_version: int
    tool_version: str
    kind: str
    """``gate`` or ``campaign``."""
    target: str
    base_url: str
    contract_version: str
    contract_sha256: str
    contract_document: dict[str, Any]
    profile: dict[str, Any]
    """The profile without secrets: keys stand there by the names of their environment variables."""
    seed: int
    now: str
    started_at: str
    select: tuple[str, ...] = ()
    fail_on: str = "must"
    options: dict[str, Any] = {}


class FoundRule(msgspec.Struct, frozen=True, tag_field="record", tag="rule"):
    """A rule as it stood before the run wrote to it: what `restore` puts back.

    ``state`` is as a record holds it; only whoever has the keys can say what it was (`Cleaner.recalled_value`).
    """

    rule: str
    credential: str
    state: dict[str, Any]
    enabled: bool


class Restored(msgspec.Struct, frozen=True, tag_field="record", tag="restored"):
    """A rule that was put back, or could not be (``problem``)."""

    rule: str
    problem: str | None = None


class Skipped(msgspec.Struct, frozen=True, tag_field="record", tag="skipped"):
    """A scenario that could not be run, with the reason."""

    scenario: str
    requirements: tuple[str, ...]
    reason: str


class EpisodeRecord(msgspec.Struct, frozen=True, tag_field="record", tag="episode"):
    """An episode, as it was sent and answered."""

    episode: Episode


class Count(msgspec.Struct, frozen=True, tag_field="record", tag="count", omit_defaults=True):
    """Judgements of episodes that were not kept whole (a campaign keeps samples of what passed)."""

    kept: dict[str, int]
    places: tuple[str, ...] = ()
    readings: tuple[tuple[str, str, str, int], ...] = ()
    """(reading, token, kind, times)."""
    shown: dict[str, int] = {}
    """Violations that were seen again, by finding id."""
    requests: int = 0
    """How many requests were sent since the last count."""
    reached: dict[str, tuple[int | str, ...]] = {}
    """What a campaign has reached since the last count, for whoever continues it."""
    crashes: dict[str, str] = {}
    """Requirements and readings whose check broke, and how."""
    unanswered: dict[str, str] = {}
    """Requirements of episodes in which a request was not answered, with what happened instead."""


class Note(msgspec.Struct, frozen=True, tag_field="record", tag="note"):
    """Something about the whole run that its outcome depends on."""

    kind: str
    text: str
    data: dict[str, Any] = {}


class Footer(msgspec.Struct, frozen=True, tag_field="record", tag="footer"):
    """The end of a whole run."""

    requests: int
    seconds: float
    ended_at: str
    interrupted: bool = False
    coverage: dict[str, Any] = {}


Record = Header | FoundRule | Restored | Skipped | EpisodeRecord | Count | Note | Footer

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


class Journal:
    """Appends records to a file; each line is whole on the disk before the next is begun.

    ``clean`` takes a line on its way out and removes what must not be written (keys, in any form).  With ``append`` a
    journal that is there goes on; a last line that a kill has torn is ended first.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clean: Callable[[bytes], bytes] = lambda line: line,
        append: bool = False,
        name: str = FILE_NAME,
    ):
        self.path = folder / name
        try:
            make_private(folder)
            if append:
                unpack(folder)
            self._file = _opened_at_its_end(self.path) if append else open_private(self.path, buffering=0)
        except OSError as error:
            raise UsageError(
                f"cannot write to {folder}: {error.strerror}; give a folder that you may write to with --out"
            ) from error
        self._clean = clean
        self._lock = threading.Lock()

    def write(self, record: Record, *, sync: bool = False) -> None:
        """Write one record; with ``sync`` it is on the disk, not just with the operating system, on return."""
        rest = memoryview(self._clean(_encoder.encode(record)) + b"\n")
        with self._lock:
            # A disk that is full may take a part of a line, and say so only when it is given the rest.
            while rest:
                rest = rest[self._file.write(rest) :]
            if sync:
                os.fsync(self._file.fileno())

    def close(self) -> None:
        with self._lock:
            if not self._file.closed:
                os.fsync(self._file.fileno())
                self._file.close()


def _opened_at_its_end(path: Path) -> IO[bytes]:
    """A journal to append to, so that what follows stands on a line of its own."""
    file = open_private(path, append=True, buffering=0)
    if file.seek(0, os.SEEK_END):
        file.seek(-1, os.SEEK_END)
        if file.read() != b"\n":
            file.write(b"\n")
    return file


class Run(msgspec.Struct, frozen=True):
    """A journal, read back."""

    header: Header
    rules: tuple[FoundRule, ...]
    restored: tuple[Restored, ...]
    skipped: tuple[Skipped, ...]
    episodes: tuple[Episode, ...]
    counts: tuple[Count, ...]
    notes: tuple[Note, ...]
    footer: Footer | None
    torn_lines: int = 0
    """Lines that could not be read: the last one after a kill, others where the file was damaged."""

    def records(self) -> Iterator[Record]:
        """What the run consists of, the header first."""
        yield self.header
        yield from self.rules
        yield from self.restored
        yield from self.skipped
        yield from (EpisodeRecord(episode) for episode in self.episodes)
        yield from self.counts
        yield from self.notes
        if self.footer is not None:
            yield self.footer

    @property
    def is_whole(self) -> bool:
        return self.footer is not None and self.torn_lines == 0


def locate(run: Path) -> Path:
    """The journal of a RUN, given as its folder or as the journal itself.

    Raises `UsageError` where there is none.
    """
    path = recorded_in(run) if run.is_dir() else run
    if not path.is_file():
        raise UsageError(f"no journal at {path}; RUN is the folder of a run (--out) or its {FILE_NAME}")
    return path


def recorded_in(folder: Path) -> Path:
    """Where the journal of a folder is, packed or not, or would be."""
    plain, packed = folder / FILE_NAME, folder / PACKED_NAME
    return packed if packed.is_file() and not plain.is_file() else plain


def pack(path: Path) -> Path:
    """Pack the journal of a run that has ended, if it is long; returns where it is now. Raises `OSError`.

    What would not be unpacked again, since it is so much longer, stays as it is.
    """
    if path.name != FILE_NAME or path.stat().st_size < PACK_FROM:
        return path
    packed = path.with_name(PACKED_NAME)
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    with path.open("rb") as source, open_private(packed) as into:
        compressor.copy_stream(source, into)
        os.fsync(into.fileno())
    if path.stat().st_size > most_of(packed.stat().st_size):
        packed.unlink()
        return path
    path.unlink()
    return packed


def unpack(folder: Path) -> None:
    """Unpack the journal of a folder, so that it can go on. Raises `OSError`, and `UsageError` for a damaged one."""
    packed = folder / PACKED_NAME
    if recorded_in(folder) != packed:
        return
    # Under its name once it is whole: a part of it would be taken for the journal if we were killed here.
    part = folder / f"{FILE_NAME}.part"
    try:
        with packed.open("rb") as source, open_private(part) as into:
            into.writelines(unpacked(source))
            os.fsync(into.fileno())
    except (OSError, UsageError, zstandard.ZstdError) as error:
        part.unlink(missing_ok=True)
        if isinstance(error, zstandard.ZstdError):
            raise UsageError(f"cannot go on with {packed}: {error}") from error
        raise
    part.replace(folder / FILE_NAME)
    packed.unlink()


def stream(run: Path) -> Iterator[Record | None]:
    """The records of a RUN one by one; ``None`` stands for a line that cannot be read.

    Raises `UsageError` where the file is empty, is not a journal, or was written by another version.
    """
    path = locate(run)
    lines = lines_of(path)
    first = next(lines, b"")
    if first is None:
        raise UsageError(f"{path} is not a journal: it cannot be unpacked")
    yield _header(path, first)
    for line in lines:
        if line is None or line.strip():
            yield None if line is None else record_of(line)


def read(run: Path) -> Run:
    """A whole RUN in memory; see `stream` for what it raises."""
    by_type: dict[type, list[Any]] = {}
    torn = 0
    for record in stream(run):
        if record is None:
            torn += 1
        else:
            by_type.setdefault(type(record), []).append(record)
    return Run(
        header=by_type[Header][0],
        rules=tuple(by_type.get(FoundRule, ())),
        restored=tuple(by_type.get(Restored, ())),
        skipped=tuple(by_type.get(Skipped, ())),
        episodes=tuple(record.episode for record in by_type.get(EpisodeRecord, ())),
        counts=tuple(by_type.get(Count, ())),
        notes=tuple(by_type.get(Note, ())),
        footer=(by_type.get(Footer) or [None])[-1],
        torn_lines=torn,
    )


def _header(path: Path, line: bytes) -> Header:
    if not line.strip():
        raise UsageError(f"{path} is empty: the run was ended before anything was recorded")
    try:
        fields = msgspec.json.decode(line)
        check(fields)
    except msgspec.DecodeError as error:
        raise UsageError(f"{path} is not a journal: its first line is not JSON ({error})") from error
    except (Unbounded, RecursionError) as error:
        raise UsageError(f"{path} is not a journal of this program: its first line is nested too deep") from error
    if not isinstance(fields, dict) or fields.get("record") != "header":
        raise UsageError(f"{path} is not a journal: its first line is not a header")
    if fields.get("schema_version") != SCHEMA_VERSION:
        raise UsageError(
            f"{path} has journal version {fields.get('schema_version')}, this program reads {SCHEMA_VERSION}: "
            "read it with the version of rules-harness that wrote it"
        )
    try:
        return msgspec.convert(fields, Header)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path} has a damaged header: {error}") from error


def record_of(line: bytes) -> Record | None:
    """One line of a journal; ``None`` where it cannot be read."""
    try:
        record: Record = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return record
