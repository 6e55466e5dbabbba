"""Everything that is measured, in one go, as one page of ratios.

`python -m benchmarks.bench [--seconds 10] [--sample 6]`

Generation, throughput, start-up, reports, memory, and, for some faults of the embedded target, detection, beside the
peers where they have something to set against it.  Each measurement has its own script in this
folder.  The page is written anew after each, so that one that is cut off leaves what there is; on two idle cores all of
it takes about a quarter of an hour, of which detection takes ``3 * seconds`` for each fault at most.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks import endurance, generation, startup
from benchmarks.throughput import settings

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "bench.md"
SIZES: Final = (1_000, 10_000)
REQUESTS: Final = 20_000
MOST_SECONDS: Final = 1_800
"""How long one script may take."""
HEAD: Final = """\
# Measured

Made by `make bench` on {day}: this harness beside its peers, all in one run. Ratios say more than rates, which are
those of this machine and of what else it did. A ratio above 1 says that this harness has more of what the line counts.
"""


class Line(msgspec.Struct, frozen=True):
    """One ratio: of what, ours, what it is set against, and that."""

    what: str
    ours: float
    beside: str
    theirs: float

    def cells(self) -> tuple[str, ...]:
        """As a row of the table."""
        return self.what, _number(self.ours), self.beside, _number(self.theirs), f"{self.ours / self.theirs:,.2f}"


Measured = Iterator[Line | str]
"""Lines of the table of ratios, and further Markdown for below it."""


def main() -> int:
    """Measure, write; 1 where something could not be measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each rate, and each tool and fault, at most")
    parser.add_argument("--sample", type=int, default=6, metavar="N", help="so many faults are looked for")
    parser.add_argument("--out", type=Path, default=PAGE, metavar="FILE", help="the page")
    options = parser.parse_args()
    parts: dict[str, Callable[[], Measured]] = {
        "generation": generated,
        "throughput": partial(sent, options.seconds),
        "start-up": started,
        "reports": reported,
        "memory": endured,
        "detection": partial(detected, options.seconds, options.sample),
    }
    lines: list[Line] = []
    below: list[str] = []
    for name, part in parts.items():
        began = time.monotonic()
        try:
            for told in part():
                lines.append(told) if isinstance(told, Line) else below.append(told)
        except (subprocess.SubprocessError, OSError, ValueError, KeyError, SystemExit) as error:
            below.append(f"Not measured: {name} ({type(error).__name__}).")
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
        options.out.write_text(page(lines, below), encoding="utf-8")
    return int(any(text.startswith("Not measured") for text in below))


def page(lines: Sequence[Line], below: Sequence[str]) -> str:
    """The page, of what there is so far."""
    head = ("what", "this harness", "beside", "", "ratio")
    tables = [_table(head, [line.cells() for line in lines])] if lines else []
    depends = "\n".join(f"- {name}: {value}" for name, value in settings().items())
    day = datetime.now(UTC).date().isoformat()
    return "\n".join(
        [HEAD.format(day=day), *tables, *(f"{text.strip()}\n" for text in below), f"## Made with\n\n{depends}\n"]
    )


def generated() -> Measured:
    """Bodies per second."""
    rates = generation.rates_here()
    peer = "schemathesis, {}"
    yield Line("plausible bodies per second", rates["plausible"], peer.format("positive"), rates["positive"])
    yield Line("mutated bodies per second", rates["mutated"], peer.format("negative"), rates["negative"])
    yield Line("plausible bodies per second", rates["plausible"], "Hypothesis alone, integers()", rates["integers"])


def sent(seconds: float) -> Measured:
    """Judged requests per second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "throughput.json")
        _run("throughput", "--seconds", f"{seconds:g}", "--json", str(path))
        rates: dict[str, float] = json.loads(path.read_bytes())["rates"]
    ours = "judged requests per second, {}"
    both = max(rates["campaign, 8 in flight"], rates["campaign, 2 workers, 8 in flight each"])
    yield Line(ours.format("the best"), both, "schemathesis, fuzzing", rates["schemathesis, fuzzing"])
    for how in ("8 in flight", "8 in flight, 50 ms", "64 in flight, 50 ms"):
        bare = max(rates[f"httpx threads, {how}"], rates[f"httpx async, {how}"])
        yield Line(ours.format(how), rates[f"campaign, {how}"], "httpx alone, nothing judged", bare)


def started() -> Measured:
    """Seconds of CPU until the help is there."""
    ours, theirs = startup.medians().values()
    yield Line("seconds of CPU for `--help`", ours, "`import click`", theirs)


def reported() -> Measured:
    """All reports of long runs."""
    text = _run("reporting", "--sizes", ",".join(map(str, SIZES)))
    results: dict[str, Any] = json.loads(text.splitlines()[-1])
    small, large = (sum(results[str(size)]["seconds"].values()) for size in SIZES)
    yield Line(f"seconds for all reports of {SIZES[1]:,} exchanges", large, f"of {SIZES[0]:,}", small)
    peaks = [float(results[str(size)]["peak_mb"]) for size in SIZES]
    yield Line(f"MB at most for all reports of {SIZES[1]:,} exchanges", peaks[1], f"of {SIZES[0]:,}", peaks[0])


def endured() -> Measured:
    """The memory of a campaign."""
    took = endurance.endured(REQUESTS, "1")
    yield Line(f"MiB late in a campaign of {REQUESTS:,} requests", took.last, "early in it", took.second)


def detected(seconds: float, sample: int) -> Measured:
    """Which of some faults each tool finds, and for how many requests, as `benchmarks.detection` tells it."""
    with tempfile.TemporaryDirectory() as folder:
        _run("detection", "--seconds", f"{seconds:g}", "--sample", str(sample), "--seeds", "1", "--out", folder)
        yield f"## Faults found\n\n{Path(folder, 'detection.md').read_text(encoding='utf-8')}"


def _run(script: str, *arguments: str) -> str:
    """What a script prints; raises `subprocess.SubprocessError` where it fails, or takes too long."""
    command = [sys.executable, "-m", f"benchmarks.{script}", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=MOST_SECONDS).stdout


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    raise SystemExit(main())
