"""Real journals: gates against the embedded target, with faults and variants, other seeds and times."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
import pytest

from rules_harness.harness.cli import main
from rules_harness.harness.gate import Gate
from rules_harness.harness.journal import FILE_NAME, Header, Journal, stream
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.session import Settings, Silent
from rules_harness.harness.target.reader import load as load_profile
from rules_harness.openapi.contract import load
from rules_harness.reports.regression.compare import compare
from rules_harness.reports.regression.model import Comparison
from rules_harness.reports.regression.side import Side

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def record(
    server: ReferenceServer,
    folder: Path,
    *,
    faults: Sequence[str] = (),
    variants: Sequence[str] = (),
    select: Sequence[str] = (),
    seed: int = 1,
    now: datetime = NOW,
    without: Sequence[str] = (),
    more: str = "",
    started_at: str = "2026-01-01T08:00:00+00:00",
) -> Path:
    """The folder of a run; ``without`` are patterns of lines of the profile to leave out, ``more`` is added to it."""
    settings = Settings(seed=seed, now=now, select=tuple(select))
    run_gate(server, folder, settings, faults=faults, variants=variants, without=without, more=more)
    _date(folder / FILE_NAME, started_at)
    return folder


def run_gate(
    server: ReferenceServer,
    folder: Path,
    settings: Settings,
    *,
    faults: Sequence[str] = (),
    variants: Sequence[str] = (),
    without: Sequence[str] = (),
    more: str = "",
) -> Gate:
    """A run as `record` records it, once it is over."""
    server.configure(faults=faults, variants=variants)
    contract = load()
    folder.mkdir(parents=True)
    path = folder / "profile.toml"
    text = server.profile_toml
    for unwanted in without:
        text = re.sub(f"(?m)^{unwanted}.*$", "", text)
    path.write_text(text + more, encoding="utf-8")
    profile, keyring = load_profile(path, contract=contract, environ=dict(server.environment))
    gate = Gate(contract, Opened(profile, keyring, embedded=False), Journal(folder), settings, Silent())
    gate.run()
    return gate


def _date(journal: Path, started_at: str) -> None:
    """Have a run begin at another time."""
    first, rest = journal.read_bytes().split(b"\n", 1)
    header = msgspec.structs.replace(msgspec.json.decode(first, type=Header), started_at=started_at)
    journal.write_bytes(msgspec.json.encode(header) + b"\n" + rest)


@functools.cache
def side(folder: Path, name: str = "run") -> Side:
    """A recorded run as a side of a comparison; its journal does not change any more."""
    contract = load()
    records = partial(stream, folder)
    header = next(iter(records()))
    assert isinstance(header, Header)
    return Side(name, header, outcome_of(records(), contract), contract, contract, records)


def compared(base: Path, head: Path) -> Comparison:
    before, after = (msgspec.structs.replace(side(of), name=name) for of, name in ((base, "BASE"), (head, "HEAD")))
    return compare(before, after)


def run_command(capture: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, output and errors of a command, run in this process."""
    capture.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    captured = capture.readouterr()
    assert isinstance(ended.value.code, int)
    assert "Traceback" not in captured.out + captured.err
    return ended.value.code, captured.out, captured.err
