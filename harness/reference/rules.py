"""Rules, the types of triggers and actions that they are made of, and those that exist at the start."""

from collections.abc import Set
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from rules_harness.harness.reference import seed
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.seed import LIMITED_RULE, ORGANIZATION, OTHER_ORGANIZATION, OTHER_RULE, account
from rules_harness.harness.reference.steps import step

_TRIGGERS = frozenset({"SCHEDULED", "ON_FUNDS_TRANSFERRED", "MANUAL"})
_TOP_UP = ("next_payment_minimum", "current_balance", "last_statement_balance")
OWN_FIELDS: dict[str, frozenset[str]] = {
    "fixed_amount": frozenset({"amount_in_cents"}),
    "percentage": frozenset({"percentage_value", "percentage_target"}),
    "top_up": frozenset({"amount_in_cents", *(f"{name}_account" for name in _TOP_UP)}),
    "round_down": frozenset({"amount_in_cents"}),
    "next_payment_minimum": frozenset(),
    "total_amount_due": frozenset(),
    "last_statement_balance": frozenset(),
    "percentage_liability_balance": frozenset({"percentage_value"}),
}
"""The fields that actions of a type have beside the common ones."""


class Kinds(NamedTuple):
    """Types that are accepted."""

    triggers: Set[str]
    actions: Set[str]


@step
def kinds() -> Kinds:
    """The types that the server accepts."""
    return Kinds(_TRIGGERS, OWN_FIELDS.keys())


@step
def further_fields() -> dict[str, Json]:
    """What rules have beyond the page, with the values that they have at the start: nothing."""
    return {}


_MADE = datetime(2024, 3, 1, 10, tzinfo=UTC)


class Rule(msgspec.Struct, frozen=True):
    """A rule as stored; `extras` holds unknown top-level properties where the server keeps them."""

    id: str
    organization_id: str
    nickname: str | None
    description: str | None
    status: str
    trigger: dict[str, Json]
    steps: list[Json]
    created_at: datetime
    updated_at: datetime
    extras: dict[str, Json] = {}


def first_rules() -> tuple[Rule, ...]:
    """The rules that exist at the start, of accepted types; start dates lie one to two years ahead."""
    monthly, weekly = _scheduled("MONTHLY", "acc_01HABC4567"), _scheduled("WEEKLY", "acc_01HABC4567")
    saving = _step(_fixed(25_000, "acc_01HABC4567", (*seed.shared_accounts(), "acc_01HSAV9999")[0]))
    reserve = [_reserve(), saving] if "percentage" in kinds().actions else [saving]
    theirs = (_scheduled("MONTHLY", "acc_01ZOTHINC2"), [_step(_fixed(9_900, "acc_01ZOTHINC2", "acc_01ZOTHPOD1"))])
    return (
        _rule("rule_01HXYZ1234", "Save what comes in", "enabled", _trigger("ON_FUNDS_TRANSFERRED"), [saving]),
        _rule("rule_01HXYZ5678", "Monthly savings transfer", "disabled", monthly, [saving]),
        _rule("rule_01HXZA2468", "Tax reserve", "enabled", weekly, reserve),
        _rule("rule_01HXZB1357", "By hand", "disabled", _trigger("MANUAL"), [saving]),
        _rule(LIMITED_RULE, "Limited", "disabled", monthly, [saving]),
        Rule(
            OTHER_RULE,
            OTHER_ORGANIZATION,
            "Of others",
            "Not yours.",
            "disabled",
            *theirs,
            _MADE,
            _MADE,
            further_fields(),
        ),
    )


def _rule(rule_id: str, nickname: str, status: str, trigger: dict[str, Json], steps: list[Json]) -> Rule:
    description = f"{nickname}, as first set up."
    further = further_fields()
    return Rule(rule_id, ORGANIZATION, nickname, description, status, trigger, steps, _MADE, _MADE, further)


def _trigger(kind: str) -> dict[str, Json]:
    accepted = kind in kinds().triggers
    return {"type": kind, "account_id": "acc_01HABC4567"} if accepted else _scheduled("MONTHLY", "acc_01HABC4567")


def _scheduled(schedule_type: str, account_id: str) -> dict[str, Json]:
    start = f"{datetime.now(UTC).year + 2}-04-01T09:00:00Z"
    return {"type": "SCHEDULED", "schedule_type": schedule_type, "start_date": start, "account_id": account_id}


def _reserve() -> dict[str, Json]:
    params = {"account_id": "acc_01HABC4567"}
    enough = {"fact": "BALANCE", "operator": "GREATER_THAN", "value": 50_000, "params": params}
    own = {"type": "percentage", "percentage_value": 12.5, "percentage_target": "source_account"}
    action = own | _common("acc_01HABC4567", "acc_01HPODTAX2")
    return {"conditions": {"all": [{"condition": enough}]}, "actions": [action]}


def _step(action: dict[str, Json]) -> dict[str, Json]:
    return {"conditions": None, "actions": [action]}


def _fixed(amount_in_cents: int, source: str, destination: str) -> dict[str, Json]:
    return {"type": "fixed_amount", "amount_in_cents": amount_in_cents} | _common(source, destination)


def _common(source: str, destination: str) -> dict[str, Json]:
    return {
        "source": {"id": source, "type": account(source).type},
        "destination": {"id": destination, "type": account(destination).type},
        "group_index": 0,
        "up_to_enabled": True,
        "is_direct_deposit": False,
    }
