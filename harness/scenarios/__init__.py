"""What is sent: every scenario of the project, in one visible table, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from rules_harness.harness.scenarios import (
    auth,
    authz,
    boundary,
    concurrency,
    envelope,
    http,
    idempotency,
    not_found,
    request_id,
    status,
    update,
    validation,
)
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.world import World

ANY_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""For scenarios that are told of and not sent: what they need and judge is the same whenever it is."""
Maker = Callable[[Contract, World, Profile], Iterator[Scenario]]


class Source(msgspec.Struct, frozen=True):
    """What makes scenarios, and the families of requirements that they are for beside those that every answer must
    keep.

    ``costly_for``, where making them takes seconds, are the only requirements that they may be for.
    """

    make: Maker
    families: frozenset[str]
    costly_for: frozenset[str] = frozenset()
    gate_alone: bool = False
    """Campaigns draw the like themselves, or leave it to whose generator it is."""


SCENARIOS: Final = (
    Source(auth.scenarios, frozenset({"auth"})),
    Source(authz.scenarios, frozenset({"authz", "not-found"})),
    Source(not_found.scenarios, frozenset({"not-found"})),
    Source(request_id.scenarios, frozenset({"request-id"})),
    Source(envelope.scenarios, frozenset()),
    Source(http.scenarios, frozenset({"http"})),
    Source(status.scenarios, frozenset({"status", "auth", "authz", "update", "idempotency"})),
    Source(update.scenarios, frozenset({"update"})),
    Source(validation.broken, frozenset({"validation", "update"}), gate_alone=True),
    Source(validation.asked_and_odd, frozenset({"validation", "update"})),
    Source(boundary.scenarios, frozenset({"validation", "http"}), boundary.ABOUT, gate_alone=True),
    Source(idempotency.at_the_end, frozenset({"idempotency"})),
    Source(idempotency.scenarios, frozenset({"idempotency", "status"})),
    Source(concurrency.scenarios, frozenset({"concurrency", "idempotency"})),
    Source(validation.server_owned, frozenset({"update"})),
    Source(not_found.odd, frozenset({"not-found"})),
)
"""Whatever makes scenarios, in the order in which they run."""


def all_scenarios(
    contract: Contract,
    world: World,
    profile: Profile,
    *,
    families: frozenset[str] | None = None,
    wanted: Collection[str] | None = None,
) -> Iterator[Scenario]:
    """Every scenario that this contract, world and profile give rise to, in order, or only those for some families.

    Those that take seconds to make are left out where none of the requirements ``wanted`` is theirs. One is there for
    what the contract promises: not where it promises nothing of what it is for.
    """
    for source in SCENARIOS:
        if families is not None and not families & source.families:
            continue
        if source.costly_for and wanted is not None and source.costly_for.isdisjoint(wanted):
            continue
        for scenario in source.make(contract, world, profile):
            promised = tuple(name for name in scenario.requirements if name in contract.requirements)
            if promised or not scenario.requirements:
                yield msgspec.structs.replace(scenario, requirements=promised)


def needs_told(contract: Contract, world: World, profile: Profile) -> list[Scenario]:
    """Scenarios that tell what each requirement needs: all, but those that take seconds to make only where no others
    that need nothing but a rule are for the same requirements."""
    scenarios = list(all_scenarios(contract, world, profile, wanted=()))
    plain = (scenario for scenario in scenarios if scenario.lane == "rule" and not scenario.needs)
    told = {requirement for scenario in plain for requirement in scenario.requirements}
    costly = {requirement for source in SCENARIOS for requirement in source.costly_for & contract.requirements.keys()}
    return scenarios if costly <= told else list(all_scenarios(contract, world, profile))


__all__ = ["ANY_TIME", "SCENARIOS", "Scenario", "all_scenarios", "needs_told"]
