"""Bodies that name an account that is not ours to use: another organization's, one for each place, or nobody's."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.unknown_ids import similar_id
from rules_harness.strategies.accounts import NamedAccount, accounts_in
from rules_harness.strategies.bodies import covering_set, is_suitable
from rules_harness.strategies.examples import at, put
from rules_harness.strategies.places import body_place, visited
from rules_harness.strategies.plausible import account_types
from rules_harness.strategies.world import Account

_KIND = re.compile(r":[^/]*")
"""Of which kind the member of a list is, in a place."""


def with_foreign_account(bench: Bench) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Each place, a body that has it with a foreign account of each type that suits it, and that account's id.

    The body is the simplest that has the place; and once more with the foreign account in the last member of the last
    part, behind rightful ones of each, and as deep in it as any body has it, for targets that look at the first only.
    """
    parts, usual = bench.names.parts, bench.usual().value
    done_later = set[str]()
    for place, standing in _where_accounts_stand(bench, usual).items():
        value, named = standing[0]
        deepest, far = max(standing, key=lambda where: len(where[1].id_at))
        for number, account in enumerate(_suiting(bench, named)):
            body = _naming(value, named, account)
            yield place, body, account.id
            of_any_kind = _KIND.sub("", place)
            if named.id_at[0] != parts or number > 0 or of_any_kind in done_later:
                continue
            done_later.add(of_any_kind)
            later = _behind(value[parts][0], _naming(deepest, far, account)[parts][far.id_at[1]])
            yield place, {**body, parts: [*value[parts], later]}, account.id
            if value is usual:
                yield place, {**body, parts: [*value[parts], *body[parts]]}, account.id
                yield place, {**body, parts: [later]}, account.id


def _where_accounts_stand(
    bench: Bench, usual: dict[str, Any]
) -> Mapping[str, list[tuple[dict[str, Any], NamedAccount]]]:
    """For each place of a body the bodies that name an account there, the simplest first, and the account."""
    covered = covering_set(bench.contract, bench.world) if is_suitable(bench.contract, bench.world) else ()
    standing: dict[str, list[tuple[dict[str, Any], NamedAccount]]] = {}
    for value in (usual, *(body.value for body in sorted(covered, key=lambda body: len(body.shapes)))):
        paths = {pointer: place.path for place, pointer, _ in visited(body_place(bench.contract), value)}
        for named in accounts_in(bench.contract, value):
            if named.id is not None:
                standing.setdefault(paths[named.id_at], []).append((value, named))
    return standing


def with_unknown_account(bench: Bench) -> dict[str, Any] | None:
    """A body that could move nothing soon, and that names an account of nobody; ``None`` where bodies name none."""
    body = bench.inert()
    named = list(accounts_in(bench.contract, body))
    if not named:
        return None
    put(body, named[-1].id_at, similar_id(str(named[-1].id), bench.random))
    return body


def _suiting(bench: Bench, named: NamedAccount) -> list[Account]:
    """One foreign account of each type that may stand on that side; where there is none, whichever there is."""
    types = account_types(bench.contract)
    suiting = types.sources if named.side == "source" else types.destinations
    foreign = bench.world.foreign_accounts
    by_type = {account.type: account for account in reversed(foreign) if account.type in suiting}
    return list(by_type.values()) or [foreign[0]]


def _naming(value: dict[str, Any], named: NamedAccount, account: Account) -> dict[str, Any]:
    """A body with another account in the place of one that it names."""
    body = copy.deepcopy(value)
    put(body, named.id_at, account.id)
    if named.type_at is not None and named.type_at[-1] in at(body, named.type_at[:-1]):
        put(body, named.type_at, account.type)
    return body


def _behind(rightful: dict[str, Any], step: dict[str, Any]) -> dict[str, Any]:
    """A step with the actions of another one before its own."""
    return {
        name: [*rightful[name], *value] if isinstance(value, list) and name in rightful else value
        for name, value in step.items()
    }
