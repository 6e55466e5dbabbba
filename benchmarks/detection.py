"""How soon each fault of the embedded target is found: by the conformance run, by the campaign, by schemathesis.

`python -m benchmarks.detection [--seconds 30] [--only TEXT] [--sample N] [--seeds 3] [--tools gate,campaign] [--out
FOLDER]` prints a table and writes it with a plot (`detection.json`, `.md`, `.svg`).  What a table that is there has is
not tried again, so that a run that was ended goes on.

Ours find a fault when a finding against the very requirement that it breaks is on record, and are ended then;
schemathesis, with all its checks, when it reports a kind of failure that it does not report for the clean target.  The
campaign and schemathesis search for so many seconds each, the conformance run takes what it takes.  Of several seeds
the median counts.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import version
from pathlib import Path

import msgspec

from benchmarks.detection_table import Rows, cell, median, plot, table
from benchmarks.sightings import TOOLS, Found, kinds_for_clean, look
from rules_harness.harness.reference.faults import FAULTS
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.reference.stand_ins import PlantedFault

REQUIREMENTS = {fault.id: fault.requirement for fault in FAULTS}


class Task(msgspec.Struct, frozen=True):
    """One tool, let loose on the target with one fault."""

    fault: str
    tool: str
    seed: int
    seconds: float


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="for each search")
    parser.add_argument("--only", default="", metavar="TEXT", help="faults with this in their name")
    parser.add_argument("--sample", type=int, metavar="N", help="so many of them, evenly spread")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="from 1 on; of schemathesis the first only")
    parser.add_argument("--tools", type=lambda names: names.split(","), default=TOOLS, metavar=",".join(TOOLS))
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument("--out", type=Path, default=Path("detection"))
    options = parser.parse_args()
    chosen = sample([fault for fault in FAULTS if options.only in fault.id], options.sample)
    print(f"{len(chosen)} faults, {options.seconds:g} s each; {versions()}", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "detection.json"
    rows: Rows = msgspec.json.decode(path.read_bytes(), type=Rows) if path.exists() else {}
    tasks = [
        Task(fault.id, tool, seed, options.seconds)
        for tool in options.tools
        for seed in range(1, 2 if tool == "schemathesis" else options.seeds + 1)
        for fault in chosen
        if str(seed) not in rows.get(fault.id, {}).get(tool, {})
    ]
    for task, found in run(tasks, options.workers):
        rows.setdefault(task.fault, {}).setdefault(task.tool, {})[str(task.seed)] = found
        path.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=1))
        print(f"{task.fault:<48} {task.tool:<12} seed {task.seed}  {cell(found)}", flush=True)
    wanted = {fault.id: rows[fault.id] for fault in chosen if fault.id in rows}
    (options.out / "detection.md").write_text(table(wanted), encoding="utf-8")
    (options.out / "detection.svg").write_text(plot(wanted, options.seconds), encoding="utf-8")
    print(table(wanted))
    for tool in TOOLS:
        missed = [fault for fault, row in wanted.items() if tool in row and median(row[tool]).requests is None]
        print(f"{tool} missed {len(missed)}: {', '.join(missed)}")


def sample(faults: Sequence[PlantedFault], count: int | None) -> list[PlantedFault]:
    """So many, evenly spread over all, so that each family has its share."""
    if count is None or count >= len(faults):
        return list(faults)
    return [faults[number * len(faults) // count] for number in range(count)]


def versions() -> str:
    """What the figures depend on."""
    packages = ("sequence-rules-harness", "schemathesis", "hypothesis")
    named = ", ".join(f"{package} {version(package)}" for package in packages)
    return f"python {sys.version.split()[0]}, {named}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}"


def run(tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, Found]]:
    """Each task with what came of it, as they end."""
    with ProcessPoolExecutor(workers, initializer=_start) as pool:
        futures = {pool.submit(_try, task): task for task in tasks}
        for future in as_completed(futures):
            yield futures[future], future.result()


_SERVER: list[ReferenceServer] = []
_KNOWN: dict[tuple[int, float], frozenset[str]] = {}


def _start() -> None:
    """Give this worker process a target of its own, which ends with it."""
    server = ReferenceServer()
    server.__enter__()
    _SERVER.append(server)


def _try(task: Task) -> Found:
    server, known = _SERVER[0], frozenset[str]()
    if task.tool == "schemathesis":
        kind = (task.seed, task.seconds)
        if kind not in _KNOWN:
            _KNOWN[kind] = kinds_for_clean(server, *kind)
        known = _KNOWN[kind]
    server.configure(faults=[task.fault])
    requirement = REQUIREMENTS[task.fault]
    return look(task.tool, server, requirement, seed=task.seed, seconds=task.seconds, known=known)


if __name__ == "__main__":
    main()
