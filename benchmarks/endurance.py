"""Whether a campaign's memory stays flat and its journal bounded: `python -m benchmarks.endurance [--requests 200000]`.

The memory of all its processes is looked at once a second; the last quarter of the run is set against the second.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

import msgspec

from rules_harness.harness.journal import FILE_NAME, unpack
from rules_harness.harness.reference.process import ReferenceServer

GROWTH: Final = 1.10
UNLIMITED: Final = (("requests_per_second = 5000", "requests_per_second = 1000000"), ("= 20000", "= 10000000"))


class Endured(msgspec.Struct, frozen=True):
    """What a long campaign took: seconds, bytes of journal, and MiB in the second quarter and in the last."""

    seconds: float
    journal: int
    second: float
    last: float


def endured(requests: int, workers: str) -> Endured:
    """Run one campaign of so many requests."""
    with ReferenceServer() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        profile = folder / "profile.toml"
        text = server.profile_toml
        for before, after in UNLIMITED:
            text = text.replace(before, after)
        profile.write_text(text, encoding="utf-8")
        seconds, sizes = watched(server, folder, profile, requests, workers)
        unpack(folder / "out")
        journal = (folder / "out" / FILE_NAME).stat().st_size
    return Endured(seconds, journal, *quarters(sizes))


def main() -> None:
    """Run one long campaign and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--workers", default="1")
    options = parser.parse_args()
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    requests, took = options.requests, endured(options.requests, options.workers)
    print(f"{requests:,} requests in {took.seconds:.0f} s, {requests / took.seconds:,.0f} per second over all")
    print(f"journal {took.journal / 2**20:.1f} MiB, {took.journal / requests:.0f} bytes per request")
    growth = took.last / took.second
    verdict = "yes" if growth <= GROWTH else "NO"
    print(
        f"memory {took.second:.0f} MiB in the second quarter, {took.last:.0f} MiB in the last: {growth:.2f}, "
        f"flat: {verdict}"
    )


def watched(
    server: ReferenceServer, folder: Path, profile: Path, requests: int, workers: str
) -> tuple[float, list[float]]:
    """How long a campaign took, and its memory once a second, in MiB."""
    command = [
        *(sys.executable, "-m", "rules_harness", "fuzz", "--target", str(profile), "--quiet"),
        *("--requests", str(requests), "--time", "10h", "--workers", workers),
    ]
    environment = {**os.environ, **server.environment, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    sizes: list[float] = []
    over = threading.Event()
    looking = threading.Thread(target=look, args=(process.pid, sizes, over))
    looking.start()
    code = process.wait()
    over.set()
    looking.join()
    if code not in (0, 1):
        raise SystemExit(f"the campaign ended with {code}")
    return time.monotonic() - began, sizes


def look(pid: int, sizes: list[float], over: threading.Event) -> None:
    """Note the memory of a process and all below it, until that is over."""
    while not over.wait(1):
        sizes.append(memory(pid))


def memory(pid: int) -> float:
    """Resident MiB of a process and all below it."""
    told = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], check=True, capture_output=True, text=True).stdout
    rows = [tuple(map(int, line.split())) for line in told.splitlines()]
    family = {pid}
    for _ in range(4):
        family |= {child for child, parent, _ in rows if parent in family}
    return sum(size for child, _, size in rows if child in family) / 1024


def quarters(sizes: list[float]) -> tuple[float, float]:
    """The median of the second quarter and of the last."""
    quarter = max(1, len(sizes) // 4)
    return statistics.median(sizes[quarter : 2 * quarter]), statistics.median(sizes[-quarter - 1 : -1] or sizes[-1:])


if __name__ == "__main__":
    main()
