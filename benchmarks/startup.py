"""How long the help takes to appear, against the import of the library that prints it: CPU time, taken in turns.

python benchmarks/startup.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

RUNS: Final = 15
COMMANDS: Final = {
    "rules-harness --help": [str(Path(sys.executable).with_name("rules-harness")), "--help"],
    'python -c "import click"': [sys.executable, "-c", "import click"],
}


def seconds(command: list[str]) -> float:
    """CPU seconds of one run, its own and the system's."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_utime + usage.ru_stime


def medians() -> dict[str, float]:
    """The median of each command, in seconds of CPU."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> None:
    """Print the median of each, and the ratio."""
    taken = medians()
    for name, median in taken.items():
        print(f"{name:<26} {1000 * median:6.1f} ms of CPU")
    ours, theirs = taken.values()
    print(f"ratio {ours / theirs:.2f} (at most 1.5 is wanted)")


if __name__ == "__main__":
    main()
