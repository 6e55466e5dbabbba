"""The accounts of a target: the profile's, or else those that its rules name, where money can move between them."""

from __future__ import annotations

import json

import msgspec
import pytest

from rules_harness.harness.exchange import Answer, Exchange, Payload, Request
from rules_harness.harness.intent import Intent
from rules_harness.harness.session.custody import with_known_accounts
from rules_harness.harness.session.opening import specimen
from rules_harness.openapi.contract import load

CONTRACT = load()
BARE = msgspec.structs.replace(specimen(CONTRACT), accounts=(), other_org_accounts=())
RULE = BARE.rules.writable[0]


def _read(*accounts: tuple[str, str]) -> Exchange:
    references = [{"id": id, "type": type} for id, type in accounts]
    action = {"type": "fixed_amount", "amount_in_cents": 1, "source": references[0], "destination": references[-1]}
    state = {**CONTRACT.example_body(), "id": RULE, "steps": [{"conditions": None, "actions": [action]}]}
    trigger = {"type": "MANUAL", "account_id": accounts[0][0]}
    content = {"request_id": "r", "data": {**state, "trigger": trigger}}
    answer = Answer(200, (), Payload(text=json.dumps(content)))
    return Exchange(Request("GET", f"/rules/{RULE}"), answer, Intent(operation="read", rule=RULE), 0, 1)


@pytest.mark.parametrize(
    ("named", "known"),
    [
        ((("acc_a", "income_source"), ("acc_b", "pod")), ("acc_a", "acc_b")),
        ((("acc_a", "income_source"),), ()),
        ((("acc_a", "pod"),), ()),
    ],
)
def test_accounts_that_rules_name(named: tuple[tuple[str, str], ...], known: tuple[str, ...]) -> None:
    profile = with_known_accounts(CONTRACT, BARE, {RULE: _read(*named)})
    assert tuple(account.id for account in profile.accounts) == known
