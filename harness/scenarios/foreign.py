"""Bodies that name an account that is not ours to use: another organization's, one for each place, or nobody's."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.unknown_ids import similar_id
from rules_harness.strategies.accounts import ACCOUNT_IDS, accounts_in
from rules_harness.strategies.bodies import covering_set, is_suitable
from rules_harness.strategies.places import body_place, visited


def with_foreign_account(bench: Bench) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Each place, a body that has it with a foreign account there, and that account's id.

    The body is the simplest that has the place; and once more with the foreign account in a last step behind rightful
    ones, for targets that look at the first only.
    """
    foreign = bench.world.foreign_accounts[0]
    covered = covering_set(bench.contract, bench.world) if is_suitable(bench.contract, bench.world) else ()
    steps, usual = bench.names.parts, bench.usual()
    done: set[str] = set()
    for base in (usual, *sorted(covered, key=lambda body: len(body.shapes))):
        for place, pointer, _ in list(visited(body_place(bench.contract), base.value)):
            if place.path in done or not any(map(place.offers, ACCOUNT_IDS)):
                continue
            done.add(place.path)
            body = _with(base.value, pointer, foreign.id)
            yield place.path, body, foreign.id
            if pointer[0] == steps and base is usual:
                yield place.path, {**body, steps: [*base.value[steps], *body[steps]]}, foreign.id
                yield place.path, {**body, steps: [_behind(base.value[steps][0], body[steps][0])]}, foreign.id


def with_unknown_account(bench: Bench) -> dict[str, Any] | None:
    """A body that could move nothing soon, and that names an account of nobody; ``None`` where bodies name none."""
    body = bench.inert()
    named = list(accounts_in(bench.contract, body))
    return _with(body, named[-1].id_at, similar_id(str(named[-1].id), bench.random)) if named else None


def _with(value: dict[str, Any], pointer: tuple[str | int, ...], replacement: str) -> dict[str, Any]:
    body = copy.deepcopy(value)
    parent: Any = body
    for step in pointer[:-1]:
        parent = parent[step]
    parent[pointer[-1]] = replacement
    return body


def _behind(rightful: dict[str, Any], step: dict[str, Any]) -> dict[str, Any]:
    """A step with the actions of another one before its own."""
    return {
        name: [*rightful[name], *value] if isinstance(value, list) and name in rightful else value
        for name, value in step.items()
    }
