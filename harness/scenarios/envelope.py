"""What is sent to judge envelopes beyond what every other scenario shows: the same refusals again and again."""

from __future__ import annotations

from collections.abc import Iterator

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.world import World

TIMES = 5


def scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """Refusals, again and again."""
    requirements = ("envelope.code-stable", "envelope.error", "envelope.error-code")
    yield Scenario("envelope/stable", "envelope", requirements, _stable)


def _stable(bench: Bench) -> None:
    """The same refusals, each several times, in no regular order: replicas take turns."""
    bench.begin()
    planned = [bench.plan_update(content, body="broken", label=name) for name, content in bench.wrong_bodies()]
    planned.append(
        bench.plan_update(
            bench.inert(), authorization="", caller="none", access="unauthenticated", label="no Authorization"
        )
    )
    for request, intent in bench.random.sample(planned * TIMES, k=len(planned) * TIMES):
        bench.send(request, intent)
    bench.read()
