"""What is sent: every scenario of the project, in one visible table, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
from rules_harness.harness.scenarios.case import Case
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.world import World

Maker = Callable[[Contract, World, Profile], Iterator[Case]]

SCENARIOS: tuple[tuple[Maker, frozenset[str]], ...] = (
    (auth.cases, frozenset({"auth"})),
    (authz.cases, frozenset({"authz"})),
    (not_found.cases, frozenset({"not-found"})),
    (request_id.cases, frozenset({"request-id"})),
    (envelope.cases, frozenset()),
    (http.cases, frozenset({"http"})),
    (status.cases, frozenset({"status", "auth", "authz"})),
    (update.cases, frozenset({"update"})),
    (validation.cases, frozenset({"validation"})),
    (boundary.cases, frozenset({"validation", "http"})),
    (idempotency.cases, frozenset({"idempotency"})),
    (concurrency.cases, frozenset({"concurrency", "idempotency"})),
    (validation.server_owned, frozenset({"update"})),
    (not_found.odd, frozenset({"not-found"})),
)
"""Each scenario with the families of requirements that its cases are for, beside those that every answer must keep."""


def all_cases(
    contract: Contract, world: World, profile: Profile, *, families: frozenset[str] | None = None
) -> Iterator[Case]:
    """Every case that this contract, world and profile give rise to, in order, or only those for some families."""
    for cases, own in SCENARIOS:
        if families is None or families & own:
            yield from cases(contract, world, profile)


__all__ = ["SCENARIOS", "Case", "all_cases"]
