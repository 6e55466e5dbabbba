"""Time and memory of all report formats for journals of growing length.

Usage: python benchmarks/reporting.py [--sizes 1000,10000,100000]

A real gate run against the embedded target, with some defects switched on, is repeated until its journal has the
wanted number of exchanges; each size is measured in a process of its own.  Time should grow linearly, memory hardly.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import EpisodeRecord, Footer, Journal, Record, stream
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.openapi.contract import load
from rules_harness.reports.collect import collect
from rules_harness.reports.formats import FORMATS, render_all

DEFECTS = ("auth.bearer-accepted", "idempotency.replay-executes", "status.kept-with-key", "update.text-cut-at-50")
MEGABYTE = 1024 * 1024


def recorded(folder: Path) -> list[Record]:
    """The records of a gate run against a target with defects."""
    with ReferenceServer(faults=DEFECTS) as server:
        folder.mkdir()
        profile = folder / "profile.toml"
        profile.write_text(server.profile_toml, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "rules_harness",
            "check",
            "--target",
            str(profile),
            "--out",
            str(folder),
            "--quiet",
        ]
        environment = {**os.environ, **server.environment}
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return [record for record in stream(folder) if record is not None]


def lengthened(records: list[Record], exchanges: int) -> Iterator[Record]:
    """The records with their episodes repeated, under other ids, until there are so many exchanges."""
    episodes = [record.episode for record in records if isinstance(record, EpisodeRecord)]
    yield from (record for record in records if not isinstance(record, EpisodeRecord | Footer))
    left = exchanges
    for episode, number in _again(episodes):
        kept = episode.exchanges[:left]
        yield EpisodeRecord(msgspec.structs.replace(episode, id=f"{episode.id}#{number}", exchanges=kept))
        left -= len(kept)
        if left <= 0:
            break
    yield Footer(requests=exchanges, seconds=exchanges / 100, ended_at="2026-01-01T00:00:00+00:00")


def _again(episodes: list[Episode]) -> Iterator[tuple[Episode, int]]:
    number = 0
    while True:
        number += 1
        for episode in episodes:
            yield episode, number


def measured(run: Path) -> dict[str, Any]:
    """Seconds by step, the size of each file, and the peak of memory in MB, in this process."""
    contract = load()
    seconds: dict[str, float] = {}
    sizes: dict[str, float] = {}
    begun = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal begun
        now = time.perf_counter()
        seconds[name], begun = round(now - begun, 3), now

    outcome = outcome_of(stream(run), contract)
    lap("judge")
    report = collect(partial(stream, run), outcome, contract)
    lap("collect")
    for name in FORMATS:
        for file_name, pieces in render_all(report, [name]):
            with (run / file_name).open("wb") as file:
                file.writelines(pieces)
            sizes[name] = round((run / file_name).stat().st_size / MEGABYTE, 2)
        lap(name)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"findings": len(report.findings), "seconds": seconds, "sizes": sizes, "peak_mb": round(peak)}


def main() -> None:
    """Measure every size, and print a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000", help="numbers of exchanges")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.measure)))
        return
    results: dict[int, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        records = recorded(folder / "gate")
        for size in map(int, options.sizes.split(",")):
            journal = Journal(folder / str(size))
            for record in lengthened(records, size):
                journal.write(record)
            journal.close()
            command = [sys.executable, __file__, "--measure", str(journal.path.parent)]
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
            results[size] = json.loads(subprocess.run(command, check=True, env=environment, capture_output=True).stdout)
            results[size]["journal_mb"] = round(journal.path.stat().st_size / MEGABYTE, 1)
    for size, result in results.items():
        steps = ", ".join(f"{step} {took:.2f}" for step, took in result["seconds"].items())
        total = sum(took for step, took in result["seconds"].items() if step != "judge")
        print(
            f"{size:>8,} exchanges ({result['journal_mb']} MB): {total:.2f} s in all without judging, "
            f"{total / size * 1e6:.0f} µs each, peak {result['peak_mb']} MB, HTML {result['sizes']['html']} MB"
        )
        print(f"         seconds: {steps}")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
