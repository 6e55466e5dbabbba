"""Bodies that name another organization's account, one for each place where an account is named."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from harness.scenarios.bench import Bench
from strategies.places import body_place, visited

ACCOUNT_ROLES = ("account-ref-id", "trigger-account", "condition-account")


def with_foreign_account(bench: Bench) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Each place, the usual body with a foreign account there, and that account's id."""
    usual = bench.marked()
    foreign = bench.world.foreign_accounts[0]
    for place, pointer, _ in list(visited(body_place(bench.contract), usual)):
        if not any(place.offers(role) for role in ACCOUNT_ROLES):
            continue
        body = copy.deepcopy(usual)
        parent: Any = body
        for step in pointer[:-1]:
            parent = parent[step]
        parent[pointer[-1]] = foreign.id
        yield place.path, body, foreign.id
