"""The accounts of a profile, and their errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.tables import AccountTable, closest
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import is_suitable
from rules_harness.strategies.world import Account

Fail = Callable[[str, str, str], NoReturn]
"""Raises `UsageError` with a place in the profile, the problem there, and the remedy."""


def accounts(place: str, tables: Iterable[AccountTable], contract: Contract, fail: Fail) -> tuple[Account, ...]:
    """The accounts of one list of the profile."""
    types = _types(contract.document)
    listed = tuple(Account(id=table.id, type=table.type, liability=table.liability) for table in tables)
    for position, account in enumerate(listed):
        if not account.id:
            fail(f"{place}[{position}].id", "is empty", "Copy the id as the API shows it.")
        if types and account.type not in types:
            problem = f"{account.type!r} is not a type of account"
            fail(f"{place}[{position}].type", problem, closest(account.type, types))
    return listed


def check_suitable(profile: Profile, contract: Contract, fail: Fail) -> None:
    """Fail where no rule can name two of the accounts that are listed."""
    if profile.accounts and not is_suitable(contract, profile.world(datetime.now(UTC))):
        fail(
            "accounts",
            "no money can move between those that are listed",
            f"List two that {contract.noun.with_article} can name as source and destination, or none: then those "
            "of its "
            f"{contract.noun.plural} are taken.",
        )


def check_apart(profile: Profile, fail: Fail) -> None:
    """Fail where an account is listed twice."""
    ids = [account.id for account in (*profile.accounts, *profile.other_org_accounts)]
    for id in ids:
        if ids.count(id) > 1:
            fail(
                "accounts",
                f"{id!r} stands there twice",
                "List an account once, with the organization that owns it.",
            )


def _types(node: Any) -> tuple[str, ...]:
    """The values of the schema whose role is ``account-ref-type``."""
    if isinstance(node, Mapping):
        if node.get("x-role") == "account-ref-type":
            return tuple(node.get("enum", ()))
        node = node.values()
    elif not isinstance(node, list):
        return ()
    return next((types for types in map(_types, node) if types), ())
