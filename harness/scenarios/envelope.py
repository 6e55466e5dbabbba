"""What is sent to judge envelopes beyond what every other scenario shows: the same refusals again and again."""

from __future__ import annotations

from collections.abc import Iterator

from harness.profile import Profile
from harness.scenarios.bench import Bench
from harness.scenarios.case import Case
from openapi.contract import Contract
from strategies.world import World

TIMES = 4


def cases(contract: Contract, world: World, profile: Profile) -> Iterator[Case]:
    """Refusals, again and again."""
    requirements = ("envelope.code-stable", "envelope.error", "envelope.error-code")
    yield Case("envelope/stable", "envelope", requirements, _stable)


def _stable(bench: Bench) -> None:
    """The same refusals, each several times, other requests in between."""
    bench.begin()
    wrong = bench.wrong_bodies()
    for _ in range(TIMES):
        for name, content in wrong:
            bench.update(content, body="broken", case=name)
        bench.update(bench.inert(), authorization="", caller="none", access="unauthenticated", case="no Authorization")
    bench.read()
