"""Whether clean targets stay clean: `python -m benchmarks.steadiness [--campaigns 20] [--zoo] [PROFILE …]`.

So many campaigns, each with a seed of its own, in turn against each profile's target; with ``--zoo`` against the
embedded target and each conforming server of tests/targets that can be had here; else against the embedded one. A
target that conforms shows no must, whatever is drawn. Ends with 1 where one does, or where a campaign cannot judge.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.targets.serving import serving
from tests.targets.stacks import STACKS, Missing, Stack

CAMPAIGNS: Final = 20
PATIENCE_SECONDS: Final = 600
"""After these a campaign is ended: beside its own time it takes a minute for findings, and puts rules back."""
PLENTY: Final = 100_000
"""Requests: time ends a campaign, and not the number in a stranger's profile."""
CONFORMS: Final = 0


class Target(msgspec.Struct, frozen=True):
    """What a campaign is sent to: a profile (none for the embedded target), and the keys that it names."""

    name: str
    profile: Path | None = None
    keys: Mapping[str, str] = {}


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
    parser.add_argument("--campaigns", type=int, default=CAMPAIGNS, help="in all")
    parser.add_argument("--time", default="30s")
    parser.add_argument("--workers", default="2")
    parser.add_argument("--zoo", action="store_true", help="the embedded target and the strangers of tests/targets")
    parser.add_argument("profiles", nargs="*", type=Path, metavar="PROFILE")
    options = parser.parse_args()
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}", flush=True)
    places = list(chosen(options.profiles, has_zoo=options.zoo))
    ended = []
    for number, place in zip(range(options.campaigns), itertools.cycle(places), strict=False):
        with opened(place) as target:
            campaign = run(target, 1 + number // len(places), options.time, options.workers)
        ended.append(campaign)
        print(told(campaign), flush=True)
    unclean = sum(campaign.code != CONFORMS for campaign in ended)
    print(f"{len(ended)} campaigns, {sum(one.requests for one in ended):,} requests, {unclean} did not end clean")
    raise SystemExit(bool(unclean))


def chosen(profiles: list[Path], *, has_zoo: bool) -> Iterator[Target | Stack]:
    """What campaigns are sent to; of a stranger its stack, so that each campaign has a new server."""
    yield from (Target(str(profile), profile) for profile in profiles)
    if has_zoo or not profiles:
        yield Target("embedded")
    for stack in STACKS if has_zoo else ():
        try:
            stack.install()
        except Missing as error:
            print(f"{stack.name}: {error}", file=sys.stderr)
        else:
            yield stack


@contextmanager
def opened(place: Target | Stack) -> Iterator[Target]:
    """The target as long as it is needed."""
    if isinstance(place, Target):
        yield place
        return
    with serving(place, {}) as server, tempfile.TemporaryDirectory() as name:
        server.limit(max_requests=PLENTY)
        profile = Path(name) / "profile.toml"
        profile.write_text(server.profile, encoding="utf-8")
        yield Target(place.name, profile, server.keys)


def run(target: Target, seed: int, time: str, workers: str) -> Campaign:
    """One campaign."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "rules_harness", "fuzz", "--quiet", "--time", time, "--workers", workers),
            *("--seed", str(seed), "--out", folder),
            *(() if target.profile is None else ("--target", str(target.profile))),
        ]
        ended = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            env={**os.environ, **target.keys},
        )
        summary = Path(folder) / "summary.json"
        if not summary.exists():
            raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}: {ended.stderr.strip()}")
        content: dict[str, Any] = json.loads(summary.read_bytes())
    return Campaign(
        target=target.name,
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
