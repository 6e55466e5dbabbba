"""Bodies that name another organization's account, one for each place where an account is named."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from harness.scenarios.bench import Bench
from strategies.bodies import covering_set
from strategies.places import body_place, visited

ACCOUNT_ROLES = ("account-ref-id", "trigger-account", "condition-account")


def with_foreign_account(bench: Bench) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Each place, the simplest body that has it with a foreign account there, and that account's id."""
    foreign = bench.world.foreign_accounts[0]
    covered = covering_set(bench.contract, bench.world) if bench.world.accounts else ()
    done: set[str] = set()
    for base in (bench.usual(), *sorted(covered, key=lambda body: len(body.shapes))):
        for place, pointer, _ in list(visited(body_place(bench.contract), base.value)):
            if place.path in done or not any(place.offers(role) for role in ACCOUNT_ROLES):
                continue
            done.add(place.path)
            body = copy.deepcopy(base.value)
            parent: Any = body
            for step in pointer[:-1]:
                parent = parent[step]
            parent[pointer[-1]] = foreign.id
            yield place.path, body, foreign.id
