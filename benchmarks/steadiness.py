"""Whether clean targets stay clean: `python -m benchmarks.steadiness [--campaigns 20] [--time 30s] [PROFILE …]`.

Against each profile's target, or else a new embedded one each time, so many campaigns, each with a seed of its own. A
target that conforms shows no must, whatever is drawn. Ends with 1 where one does, or where a campaign cannot judge.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

CAMPAIGNS: Final = 20
PATIENCE_SECONDS: Final = 600
"""After these a campaign is ended: beside its own time it takes a minute for findings, and puts rules back."""
CONFORMS: Final = 0


class Campaign(msgspec.Struct, frozen=True):
    """How one campaign ended. ``musts`` tell of the findings that fail it."""

    target: str
    seed: int
    code: int
    requests: int
    seconds: float
    musts: tuple[str, ...]
    reason: str


def main() -> None:
    """Run the campaigns one after the other and print what each found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=CAMPAIGNS, help="for each target")
    parser.add_argument("--time", default="30s")
    parser.add_argument("--workers", default="2")
    parser.add_argument("profiles", nargs="*", type=Path, metavar="PROFILE")
    options = parser.parse_args()
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}", flush=True)
    ended = []
    for campaign in campaigns(options.profiles or [None], options.campaigns, options.time, options.workers):
        ended.append(campaign)
        print(told(campaign), flush=True)
    unclean = sum(campaign.code != CONFORMS for campaign in ended)
    print(f"{len(ended)} campaigns, {sum(one.requests for one in ended):,} requests, {unclean} did not end clean")
    raise SystemExit(bool(unclean))


def campaigns(profiles: list[Path | None], number: int, time: str, workers: str) -> Iterator[Campaign]:
    """Each campaign as it ends; the targets take turns."""
    for seed in range(1, number + 1):
        for profile in profiles:
            with tempfile.TemporaryDirectory() as name:
                yield run(Path(name), profile, seed, time, workers)


def run(folder: Path, profile: Path | None, seed: int, time: str, workers: str) -> Campaign:
    """One campaign."""
    command = [
        *(sys.executable, "-m", "rules_harness", "fuzz", "--quiet", "--time", time, "--workers", workers),
        *("--seed", str(seed), "--out", str(folder)),
        *(() if profile is None else ("--target", str(profile))),
    ]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    summary = folder / "summary.json"
    if not summary.exists():
        raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}: {ended.stderr.strip()}")
    content: dict[str, Any] = json.loads(summary.read_bytes())
    return Campaign(
        target=content["target"],
        seed=seed,
        code=ended.returncode,
        requests=content["requests"],
        seconds=content["seconds"],
        musts=tuple(
            f"{one['requirement']} at {one['place']}: {one['kind']} ({one['stability'] or 'not sent again'})"
            for one in content["findings"]
            if one["level"] == "must"
        ),
        reason=content["reason"] or "",
    )


def told(campaign: Campaign) -> str:
    """One campaign in a line, and its musts below."""
    line = (
        f"{campaign.target}, seed {campaign.seed}: exit {campaign.code}, {len(campaign.musts)} musts, "
        f"{campaign.requests:,} requests in {campaign.seconds:.0f} s"
    )
    return "\n  ".join((line, *campaign.musts, *([campaign.reason] if campaign.reason else [])))


if __name__ == "__main__":
    main()
