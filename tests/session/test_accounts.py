"""The accounts of a target: the profile's, or else those that its rules name, where money can move between them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from rules_harness.harness.session.custody import with_known_accounts
from rules_harness.harness.session.opening import specimen
from rules_harness.openapi.contract import load
from rules_harness.strategies.world import Account

CONTRACT = load()
BARE = msgspec.structs.replace(specimen(CONTRACT), accounts=(), other_org_accounts=())
RULE = BARE.rules.writable[0]


def _naming(*accounts: tuple[str, str]) -> dict[str, Any]:
    """The state of a rule that moves money from the first of these accounts to the last."""
    references = [{"id": id, "type": type} for id, type in accounts]
    action = {"type": "fixed_amount", "amount_in_cents": 1, "source": references[0], "destination": references[-1]}
    trigger = {"type": "MANUAL", "account_id": accounts[0][0]}
    return {**CONTRACT.example_body(), "trigger": trigger, "steps": [{"conditions": None, "actions": [action]}]}


@pytest.mark.parametrize(
    ("named", "known"),
    [
        ((("acc_a", "income_source"), ("acc_b", "pod")), ("acc_a", "acc_b")),
        ((("acc_a", "income_source"),), ()),
        ((("acc_a", "pod"),), ()),
    ],
)
def test_accounts_that_rules_name(named: tuple[tuple[str, str], ...], known: tuple[str, ...]) -> None:
    profile = with_known_accounts(CONTRACT, BARE, {RULE: _naming(*named)})
    assert tuple(account.id for account in profile.accounts) == known


@pytest.mark.parametrize(
    ("listed", "theirs"),
    [
        ((), ("acc_c",)),
        ((Account("acc_b", "pod"), Account("acc_d", "pod")), ("acc_d",)),
    ],
)
def test_accounts_that_rules_of_ours_name_are_ours(listed: tuple[Account, ...], theirs: tuple[str, ...]) -> None:
    states = {
        RULE: _naming(("acc_a", "income_source"), ("acc_b", "pod")),
        "rule_theirs": _naming(("acc_c", "income_source"), ("acc_b", "pod")),
    }
    rules = msgspec.structs.replace(BARE.rules, other_org="rule_theirs")
    profile = msgspec.structs.replace(BARE, rules=rules, other_org_accounts=listed)
    known = with_known_accounts(CONTRACT, profile, states)
    assert tuple(account.id for account in known.other_org_accounts) == theirs


def test_an_account_that_the_profile_lists_is_ours_whoever_names_it() -> None:
    rules = msgspec.structs.replace(BARE.rules, other_org="rule_theirs")
    listed = (Account("acc_a", "income_source"), Account("acc_b", "pod"), Account("acc_c", "income_source"))
    profile = msgspec.structs.replace(BARE, rules=rules, accounts=listed)
    states = {
        RULE: _naming(("acc_a", "income_source"), ("acc_b", "pod")),
        "rule_theirs": _naming(("acc_c", "income_source"), ("acc_d", "pod")),
    }
    known = with_known_accounts(CONTRACT, profile, states)
    assert known.accounts == listed
    assert [account.id for account in known.other_org_accounts] == ["acc_d"]
