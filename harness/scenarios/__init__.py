"""What is sent: every scenario of the project, in one visible table, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harness.profile import Profile
from harness.scenarios import (
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
from harness.scenarios.case import Case
from openapi.contract import Contract
from strategies.world import World

SCENARIOS: tuple[Callable[[Contract, World, Profile], Iterator[Case]], ...] = (
    auth.cases,
    authz.cases,
    not_found.cases,
    request_id.cases,
    envelope.cases,
    http.cases,
    status.cases,
    update.cases,
    validation.cases,
    boundary.cases,
    idempotency.cases,
    concurrency.cases,
    validation.server_owned,
)


def all_cases(contract: Contract, world: World, profile: Profile) -> Iterator[Case]:
    """Every case that this contract, world and profile give rise to, in order."""
    for cases in SCENARIOS:
        yield from cases(contract, world, profile)


__all__ = ["SCENARIOS", "Case", "all_cases"]
