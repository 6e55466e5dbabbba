"""How many judged requests per second a campaign sends, beside schemathesis and beside bare loops of httpx.

All in one run, against the embedded target in its own process: `python -m benchmarks.throughput [--seconds 10]`.
The bare loops send what a campaign has sent, at the same number in flight, and do not look at the answers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import httpx
import msgspec

from rules_harness.harness.campaign.crew import Processes
from rules_harness.harness.campaign.run import Campaign
from rules_harness.harness.campaign.settings import CampaignSettings, Nobody, State
from rules_harness.harness.exchange import Answer, Request
from rules_harness.harness.journal import Journal, read
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.reader import load as load_profile
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.wire.codec import with_key
from rules_harness.openapi.contract import load

CONTRACT: Final = load()
OPENAPI: Final = Path(__file__).parents[1] / "openapi" / "rules.yaml"
MANY: Final = 10_000_000
WANTED: Final = {
    "campaign / schemathesis": 60.0,
    "campaign / bare httpx, 8 in flight": 0.7,
    "campaign / bare httpx, 8 in flight, 50 ms": 0.8,
    "campaign / bare httpx, 64 in flight, 50 ms": 0.8,
    "two workers with 4 in flight each / one": 1.8,
}


class Watch(Nobody):
    """Times the search itself, without start and end."""

    def __init__(self) -> None:
        self.marks: list[tuple[float, int]] = []

    def state(self, state: State) -> None:
        if state.doing == "searching" and state.rate:
            self.marks.append((time.perf_counter(), state.requests))

    @property
    def rate(self) -> float:
        """Judged requests per second, from the first that were told to the last."""
        if len(self.marks) < 2:
            raise SystemExit("nothing was sent in that time; give more --seconds")
        (began, first), (ended, last) = self.marks[0], self.marks[-1]
        return (last - first) / (ended - began)


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each measurement")
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    options = parser.parse_args()
    figures = dict(_measured(options.seconds))
    ratios = {
        "campaign / schemathesis": max(
            figures["campaign, 8 in flight"], figures["campaign, 2 workers, 8 in flight each"]
        )
        / figures["schemathesis, fuzzing"],
        "campaign / bare httpx, 8 in flight": _ratio(figures, "8 in flight"),
        "campaign / bare httpx, 8 in flight, 50 ms": _ratio(figures, "8 in flight, 50 ms"),
        "campaign / bare httpx, 64 in flight, 50 ms": _ratio(figures, "64 in flight, 50 ms"),
        "two workers with 4 in flight each / one": figures["campaign, 2 workers, 4 in flight each, 50 ms"]
        / figures["campaign, 4 in flight, 50 ms"],
    }
    print("\nratios")
    for name, ratio in ratios.items():
        print(f"  {name:<50} {ratio:8.2f}   wanted {WANTED[name]:g}  {'yes' if ratio >= WANTED[name] else 'NO'}")
    if options.json:
        options.json.write_text(json.dumps({"settings": settings(), "rates": figures, "ratios": ratios}, indent=2))


def _ratio(figures: dict[str, float], how: str) -> float:
    return figures[f"campaign, {how}"] / max(figures[f"httpx threads, {how}"], figures[f"httpx async, {how}"])


def _measured(seconds: float) -> Iterator[tuple[str, float]]:
    for name, value in settings().items():
        print(f"{name:<24} {value}")
    print("\nrequests per second")
    for name, rate in _rates(seconds):
        print(f"  {name:<50} {rate:8.1f}", flush=True)
        yield name, rate


def settings() -> dict[str, str]:
    """What the figures depend on."""
    packages = ("sequence-rules-harness", "schemathesis", "hypothesis", "httpx", "httptools", "uvicorn")
    load_average = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load average {load_average}",
        **{package: version(package) for package in packages},
        "contract": f"{CONTRACT.version}, sha256 {CONTRACT.sha256[:12]}",
    }


def _rates(seconds: float) -> Iterator[tuple[str, float]]:
    with ReferenceServer() as server:
        requests = _recorded(server)
        yield "schemathesis, fuzzing", schemathesis(server, seconds)
        for in_flight, latency in ((8, 0), (8, 50), (64, 50)):
            how = f"{in_flight} in flight" + (f", {latency} ms" if latency else "")
            server.configure(latency_ms=latency)
            yield f"httpx threads, {how}", in_threads(requests, in_flight, seconds)
            yield f"httpx async, {how}", asyncio.run(in_one_loop(requests, in_flight, seconds))
            yield f"campaign, {how}", campaign(server, seconds, in_flight=in_flight)
        yield "campaign, 4 in flight, 50 ms", campaign(server, seconds, in_flight=4)
        yield "campaign, 2 workers, 4 in flight each, 50 ms", campaign(server, seconds, in_flight=4, workers=2)
        server.configure()
        yield "campaign, 2 workers, 8 in flight each", campaign(server, seconds, in_flight=8, workers=2)


@contextmanager
def _target(server: ReferenceServer, in_flight: int) -> Iterator[tuple[Profile, Keyring, Path]]:
    """The embedded target without limits, and a folder."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "profile.toml")
        path.write_text(server.profile_toml, encoding="utf-8")
        profile, keyring = load_profile(path, contract=CONTRACT, environ=dict(server.environment))
        limits = msgspec.structs.replace(
            profile.limits, requests_per_second=1_000_000, in_flight=in_flight, max_requests=MANY, minimise_requests=0
        )
        yield msgspec.structs.replace(profile, limits=limits), keyring, Path(name)


def _run(
    server: ReferenceServer, *, seconds: float, in_flight: int, workers: int, capture_all: bool, requests: int | None
) -> tuple[Watch, tuple[Request, ...], Keyring]:
    with _target(server, in_flight) as (profile, keyring, folder):
        now = datetime.now(UTC).replace(microsecond=0)
        journal = Journal(folder)
        watch = Watch()
        Campaign(
            CONTRACT,
            Opened(profile, keyring, embedded=False),
            journal,
            CampaignSettings(seconds=seconds, requests=requests, now=now, capture_all=capture_all),
            watch,
            lambda: Processes(CONTRACT, keyring, workers),
        ).run()
        exchanges = [one for episode in read(folder).episodes for one in episode.exchanges]
        sent = tuple(one.request for one in exchanges if isinstance(one.outcome, Answer))
        return watch, sent, keyring


def campaign(server: ReferenceServer, seconds: float, *, in_flight: int, workers: int = 1) -> float:
    """Judged requests per second of a campaign's search, all checks on."""
    watch, _, _ = _run(
        server, seconds=seconds * 1.3, in_flight=in_flight, workers=workers, capture_all=False, requests=None
    )
    return watch.rate


def _recorded(server: ReferenceServer) -> list[httpx.Request]:
    """What a campaign sends, ready for httpx, in the order in which it was sent; malformed requests are left out."""
    _, requests, keyring = _run(server, seconds=20, in_flight=8, workers=1, capture_all=True, requests=4000)
    ready = []
    for request in (with_key(one, keyring) for one in requests):
        headers = list(request.headers)
        content = request.body.content if request.body else b""
        if request.raw or len(content) > 64 * 1024 or not all(value.isascii() for _, value in headers):
            continue
        url = server.base_url + request.target
        ready.append(httpx.Request(request.method, url, headers=headers, content=content))
    random.Random(1).shuffle(ready)
    return ready


def in_threads(requests: Sequence[httpx.Request], in_flight: int, seconds: float) -> float:
    """A bare loop: as many threads as requests in flight, one client."""
    until = time.perf_counter() + seconds
    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    with httpx.Client(limits=limits, trust_env=False, timeout=30) as client, ThreadPoolExecutor(in_flight) as threads:
        began = time.perf_counter()

        def loop(start: int) -> int:
            sent = 0
            while time.perf_counter() < until:
                client.send(requests[(start + sent * in_flight) % len(requests)])
                sent += 1
            return sent

        total = sum(threads.map(loop, range(in_flight)))
        return total / (time.perf_counter() - began)


async def in_one_loop(requests: Sequence[httpx.Request], in_flight: int, seconds: float) -> float:
    """A bare loop: as many tasks as requests in flight, one asynchronous client."""
    until = time.perf_counter() + seconds
    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    async with httpx.AsyncClient(limits=limits, trust_env=False, timeout=30) as client:
        began = time.perf_counter()

        async def loop(start: int) -> int:
            sent = 0
            while time.perf_counter() < until:
                request = requests[(start + sent * in_flight) % len(requests)]
                await client.send(
                    httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
                )
                sent += 1
            return sent

        total = sum(await asyncio.gather(*(loop(start) for start in range(in_flight))))
        return total / (time.perf_counter() - began)


def schemathesis(server: ReferenceServer, seconds: float) -> float:
    """Test cases per second of its fuzzing phase on the same operation, by its own count and clock."""
    server.configure()
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", str(OPENAPI)),
        *("--url", server.base_url, "--phases", "fuzzing", "--seed", "1", "--workers", "2"),
        # It would end the operation at its first failure, and count the requests to another one.
        *("--include-name", f"{CONTRACT.update.method} {CONTRACT.update.path}", "--continue-on-failure"),
        *("-H", f"{CONTRACT.names.authorization}: {CONTRACT.names.auth_scheme} {server.environment['RULES_KEY_FULL']}"),
        *("--max-time", str(max(1, int(seconds)))),
    ]
    environment = {**os.environ, "COLUMNS": "200"}
    told = subprocess.run(command, check=False, capture_output=True, text=True, env=environment).stdout
    cases = re.search(r"(\d+) generated", told)
    clock = re.search(r"in ([\d.]+)s =+\s*$", told)
    if cases is None or clock is None:
        raise SystemExit(f"schemathesis said something else than expected:\n{told[-2000:]}")
    return int(cases[1]) / float(clock[1])


if __name__ == "__main__":
    main()
