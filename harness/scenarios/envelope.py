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
    yield Scenario("envelope/accept", "envelope", requirements, _accept)


def _accept(bench: Bench) -> None:
    """Refusals of a request that would rather have something else, and takes anything."""
    bench.begin()
    for accept in bench.cases.of(("text/html,application/xhtml+xml,*/*;q=0.8", "application/xml;q=0.9,*/*;q=0.1"), str):
        headers = (("Accept", accept),)
        bench.update(bench.wrong_bodies()[0][1], headers=headers, body="broken", label="an empty object")
        bench.update(b"{", headers=headers, body="syntax", label="malformed JSON")
        bench.update(
            bench.inert(),
            headers=headers,
            authorization="",
            caller="none",
            access="unauthenticated",
            label="no Authorization",
        )
    bench.read()


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
