"""How soon each fault of the embedded target is found: by the campaign, by the conformance run, by schemathesis.

`python -m benchmarks.detection [--seconds 20] [--faults PATTERN] [--every N] [--out FOLDER]` prints a table and writes
it with a plot (`detection.json`, `detection.svg`); what a table that is there has is not tried again.

Ours find a fault when a finding against the requirement that it breaks is on record; schemathesis, with all its checks,
when it reports a kind of failure that it does not report for the clean target.  The tools run one after the other on
the same target, each for so many seconds at most; of the campaign's, some are left for its start and for what needs all
rules at once.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from rules_harness.harness.journal import FILE_NAME, Count, EpisodeRecord, Record, unpack
from rules_harness.harness.judging.tally import Tally
from rules_harness.harness.reference.faults import FAULTS
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.reference.stand_ins import PlantedFault
from rules_harness.openapi.contract import load

CONTRACT: Final = load()
ROOT: Final = Path(__file__).parents[1]
TOOLS: Final = ("campaign", "gate", "schemathesis")
_RECORDS: Final = msgspec.json.Decoder(Record)
SEARCH_SHARE: Final = 0.6
COLOURS: Final = {"campaign": "#0b7285", "gate": "#e8590c", "schemathesis": "#868e96"}


class Found(msgspec.Struct, frozen=True):
    """How soon a tool found a fault; ``None`` where it did not."""

    seconds: float | None = None
    requests: int | None = None


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each tool and fault, at most")
    parser.add_argument("--faults", default="*", metavar="PATTERN")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth fault")
    parser.add_argument("--out", type=Path, default=Path("detection"))
    parser.add_argument("--tools", type=lambda names: names.split(","), default=TOOLS, metavar=",".join(TOOLS))
    options = parser.parse_args()
    chosen = [fault for fault in FAULTS if fnmatchcase(fault.id, options.faults)][:: options.every]
    print(f"{len(chosen)} faults, {options.seconds:g} s each; {versions()}")
    options.out.mkdir(parents=True, exist_ok=True)
    table = options.out / "detection.json"
    rows: dict[str, dict[str, Found]] = {}
    if table.exists():
        rows = msgspec.json.decode(table.read_bytes(), type=dict[str, dict[str, Found]])
        print(f"going on with {table}, which has {len(rows)} of them")
    with ReferenceServer() as server:
        known = schemathesis_codes(server, options.seconds) if "schemathesis" in options.tools else set()
        for fault in chosen:
            row = rows.setdefault(fault.id, {})
            for tool in options.tools:
                if tool not in row:
                    server.configure(faults=[fault.id])
                    row[tool] = look(tool, server, fault, options.seconds, known)
            cells = (told(row[tool]) if tool in row else f"{'not tried':>22}" for tool in TOOLS)
            print("  ".join([f"{fault.id:<44}", *cells]), flush=True)
            table.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=1))
    (options.out / "detection.svg").write_text(plot(rows, options.seconds), encoding="utf-8")
    for tool in TOOLS:
        tried = [row[tool] for row in rows.values() if tool in row]
        found = [cell for cell in tried if cell.seconds is not None]
        print(f"{tool:<14} found {len(found)} of {len(tried)}")


def versions() -> str:
    """What the figures depend on."""
    packages = ("sequence-rules-harness", "schemathesis", "hypothesis")
    told_of = ", ".join(f"{package} {version(package)}" for package in packages)
    return f"python {sys.version.split()[0]}, {told_of}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}"


def told(found: Found) -> str:
    """A cell of the table."""
    if found.seconds is None:
        return f"{'not found':>22}"
    requests = "" if found.requests is None else f"{found.requests:,} requests"
    return f"{found.seconds:6.1f} s {requests:>14}"


def look(tool: str, server: ReferenceServer, fault: PlantedFault, seconds: float, known: set[str]) -> Found:
    """How soon one tool finds the fault that the server has."""
    if tool == "campaign":
        return ours(server, fault, seconds, ["fuzz", "--time", f"{seconds * SEARCH_SHARE:g}s"])
    if tool == "gate":
        return ours(server, fault, seconds, ["check"])
    return schemathesis(server, seconds, known)


def ours(server: ReferenceServer, fault: PlantedFault, seconds: float, command: Sequence[str]) -> Found:
    """Run a command of ours until its journal shows the fault, or the time is over."""
    wanted = {fault.requirement, *fault.also}
    # What is killed may leave somebody who still writes.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "profile.toml").write_text(server.profile_toml, encoding="utf-8")
        environment = {**os.environ, **server.environment, "PYTHONPATH": str(ROOT / "src")}
        arguments = [sys.executable, "-m", "rules_harness", *command, "--target", "profile.toml", "--quiet"]
        began = time.monotonic()
        process = subprocess.Popen(
            arguments, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        found = Found()
        following = Following(folder / "out" / FILE_NAME)
        try:
            while found.seconds is None and time.monotonic() - began < seconds:
                is_over = process.poll() is not None
                time.sleep(0.1)
                if is_over:
                    unpack(folder / "out")
                if following.shows(wanted):
                    found = Found(time.monotonic() - began, following.requests)
                elif is_over:
                    break
        finally:
            process.kill()
            process.wait()
        return found


class Following:
    """Reads a journal as it grows, and adds up what it shows."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._read = 0
        self._tally = Tally(CONTRACT)
        self._told = self._counted = 0

    @property
    def requests(self) -> int:
        """How many requests the journal tells of."""
        return max(self._told, self._counted)

    def shows(self, wanted: set[str]) -> bool:
        """Whether there is a finding against one of these requirements by now."""
        if self._journal.exists():
            with self._journal.open("rb") as file:
                file.seek(self._read)
                content = file.read()
            whole = content[: content.rfind(b"\n") + 1]
            self._read += len(whole)
            for line in whole.splitlines():
                self._add(_RECORDS.decode(line))
        return any(finding.requirement in wanted for finding in self._tally.findings())

    def _add(self, record: Record) -> None:
        if isinstance(record, EpisodeRecord):
            self._told += len(record.episode.exchanges)
            self._tally.add(record.episode)
        elif isinstance(record, Count):
            self._counted += record.requests
            self._tally.add_count(record)


def schemathesis(server: ReferenceServer, seconds: float, known: set[str]) -> Found:
    """Found where it reports a kind of failure that it does not report for the clean target."""
    began = time.monotonic()
    codes, requests = _schemathesis(server, seconds)
    return Found(time.monotonic() - began, requests) if codes - known else Found()


def schemathesis_codes(server: ReferenceServer, seconds: float) -> set[str]:
    """The kinds of failure that it reports for the clean target, where nothing is wrong."""
    server.configure()
    return _schemathesis(server, seconds)[0]


def _schemathesis(server: ReferenceServer, seconds: float) -> tuple[set[str], int | None]:
    names = CONTRACT.names
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", str(ROOT / "openapi" / "rules.yaml")),
        *("--url", server.base_url, "--checks", "all", "--seed", "1", "--max-time", str(max(1, int(seconds)))),
        *("--include-name", f"{CONTRACT.update.method} {CONTRACT.update.path}", "--continue-on-failure"),
        *("-H", f"{names.authorization}: {names.auth_scheme} {server.environment['RULES_KEY_FULL']}"),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    requests = re.search(r"(\d+) generated", done.stdout)
    return set(re.findall(r"\bST\d{3}\b", done.stdout)), None if requests is None else int(requests[1])


def plot(rows: dict[str, dict[str, Found]], seconds: float) -> str:
    """How many faults each tool has found after so many seconds, as an SVG."""
    width, height, left, bottom = 720, 360, 56, 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12"><rect width="100%" height="100%" fill="white"/>',
        f'<path d="M{left} 16V{height - bottom}H{width - 16}" fill="none" stroke="black"/>',
        f'<text x="{width / 2}" y="{height - 8}">seconds, 0 to {seconds:g}</text>',
        f'<text x="8" y="14">faults found, of {len(rows)}</text>',
    ]
    across, up = width - left - 16, height - bottom - 24
    for number, tool in enumerate(TOOLS):
        cells = (row[tool].seconds for row in rows.values() if tool in row)
        times = sorted(moment for moment in cells if moment is not None)
        line = f"M{left} {height - bottom}"
        for count, moment in enumerate(times, start=1):
            line += f"H{left + across * min(1.0, moment / seconds):.1f}V{height - bottom - up * count / len(rows):.1f}"
        parts.append(f'<path d="{line}H{width - 16}" fill="none" stroke="{COLOURS[tool]}" stroke-width="2"/>')
        parts.append(
            f'<text x="{width - 130}" y="{height - bottom - 50 + 16 * number}" fill="{COLOURS[tool]}">'
            f"{tool}: {len(times)}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    main()
