"""How soon one tool finds the fault that a running target has: by the campaign, by the conformance run, by
schemathesis."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from rules_harness.harness.journal import FILE_NAME, Count, EpisodeRecord, Record, unpack
from rules_harness.harness.judging.tally import Tally
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.openapi.contract import load

CONTRACT: Final = load()
ROOT: Final = Path(__file__).parents[1]
TOOLS: Final = ("gate", "campaign", "schemathesis")
STARTING_SECONDS: Final = 60.0
"""How much longer than it searches a command is looked at, at most: it starts, and looks at the target first."""
_LOOKS_SECONDS: Final = 0.1
_RECORDS: Final = msgspec.json.Decoder(Record)


class Found(msgspec.Struct, frozen=True):
    """When a tool first saw a fault, counted from its start; ``None`` where it did not."""

    seconds: float | None = None
    requests: int | None = None


def look(
    tool: str, server: ReferenceServer, requirement: str, *, seed: int, seconds: float, known: frozenset[str]
) -> Found:
    """How soon a tool finds the fault against this requirement that the server has.

    ``known`` are the kinds of failure that schemathesis reports for a target without faults.
    """
    if tool == "campaign":
        command = ["fuzz", "--time", f"{seconds:g}s", "--seed", str(seed)]
        return _ours(server, requirement, command, seconds + STARTING_SECONDS)
    if tool == "gate":
        return _ours(server, requirement, ["check", "--seed", str(seed)], 2 * seconds + STARTING_SECONDS)
    began = time.monotonic()
    kinds, requests = _schemathesis(server, seed, seconds)
    return Found(time.monotonic() - began, requests) if kinds - known else Found()


def kinds_for_clean(server: ReferenceServer, seed: int, seconds: float) -> frozenset[str]:
    """The kinds of failure that schemathesis reports for the target where nothing is wrong."""
    server.configure()
    return _schemathesis(server, seed, seconds)[0]


def _ours(server: ReferenceServer, requirement: str, command: Sequence[str], seconds: float) -> Found:
    """Run a command of ours until its journal shows the fault, or the time is over."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "profile.toml").write_text(server.profile_toml, encoding="utf-8")
        environment = {**os.environ, **server.environment, "PYTHONPATH": str(ROOT / "src")}
        arguments = [sys.executable, "-m", "rules_harness", *command, "--target", "profile.toml", "--quiet"]
        began = time.monotonic()
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        following = _Following(folder / "out" / FILE_NAME, requirement)
        try:
            while time.monotonic() - began < seconds:
                is_over = process.poll() is not None
                if is_over:
                    unpack(folder / "out")
                if following.is_shown():
                    return Found(time.monotonic() - began, following.requests)
                if is_over:
                    break
                time.sleep(_LOOKS_SECONDS)
        finally:
            # Its workers too: whoever still writes would disturb the next one.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return Found()


class _Following:
    """Reads a journal as it grows, and adds up what it shows."""

    def __init__(self, journal: Path, requirement: str) -> None:
        self._journal = journal
        self._requirement = requirement
        self._read = 0
        self._tally = Tally(CONTRACT)
        self._recorded = self._counted = 0

    @property
    def requests(self) -> int:
        """How many requests the journal knows of."""
        return max(self._recorded, self._counted)

    def is_shown(self) -> bool:
        """Whether there is a finding against the requirement by now."""
        if self._journal.exists():
            with self._journal.open("rb") as file:
                file.seek(self._read)
                content = file.read()
            whole = content[: content.rfind(b"\n") + 1]
            self._read += len(whole)
            for line in whole.splitlines():
                self._add(_RECORDS.decode(line))
        return any(finding.requirement == self._requirement for finding in self._tally.findings())

    def _add(self, record: Record) -> None:
        if isinstance(record, EpisodeRecord):
            self._recorded += len(record.episode.exchanges)
            self._tally.add(record.episode)
        elif isinstance(record, Count):
            self._counted += record.requests
            self._tally.add_count(record)


def _schemathesis(server: ReferenceServer, seed: int, seconds: float) -> tuple[frozenset[str], int | None]:
    """The kinds of failure that it reports with all its checks, and how many requests it sent."""
    names = CONTRACT.names
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", str(ROOT / "openapi" / "rules.yaml")),
        *("--url", server.base_url, "--checks", "all", "--seed", str(seed), "--max-time", str(max(1, int(seconds)))),
        *("--include-name", f"{CONTRACT.update.method} {CONTRACT.update.path}", "--continue-on-failure"),
        *("-H", f"{names.authorization}: {names.auth_scheme} {server.environment['RULES_KEY_FULL']}"),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    requests = re.search(r"(\d+) generated", done.stdout)
    return frozenset(re.findall(r"\bST\d{3}\b", done.stdout)), None if requests is None else int(requests[1])
