"""Rules, and those that exist at the start."""

from datetime import UTC, datetime

import msgspec

from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.seed import LIMITED_RULE, ORGANIZATION, OTHER_ORGANIZATION, OTHER_RULE, account
from rules_harness.harness.reference.switches import variant

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
    """The rules that exist at the start; start dates lie one to two years ahead of the machine's clock."""
    documented_only = variant("kinds.documented-only")
    monthly = _scheduled("MONTHLY", "acc_01HABC4567")
    saving = _step(_fixed(25_000, "acc_01HABC4567", "acc_01HSAV9999"))
    incoming = monthly if documented_only else {"type": "ON_FUNDS_TRANSFERRED", "account_id": "acc_01HABC4567"}
    by_hand = monthly if documented_only else {"type": "MANUAL", "account_id": "acc_01HABC4567"}
    reserve = [saving] if documented_only else [_reserve(), saving]
    return (
        _rule("rule_01HXYZ1234", "Save what comes in", "enabled", incoming, [saving]),
        _rule("rule_01HXYZ5678", "Monthly savings transfer", "disabled", monthly, [saving]),
        _rule("rule_01HXZA2468", "Tax reserve", "enabled", _scheduled("WEEKLY", "acc_01HABC4567"), reserve),
        _rule("rule_01HXZB1357", "By hand", "disabled", by_hand, [saving]),
        _rule(LIMITED_RULE, "Limited", "disabled", monthly, [saving]),
        _others_rule(),
    )


def _rule(rule_id: str, nickname: str, status: str, trigger: dict[str, Json], steps: list[Json]) -> Rule:
    description = f"{nickname}, as first set up."
    return Rule(rule_id, ORGANIZATION, nickname, description, status, trigger, steps, _MADE, _MADE)


def _others_rule() -> Rule:
    steps = [_step(_fixed(9_900, "acc_01ZOTHINC2", "acc_01ZOTHPOD1"))]
    trigger = _scheduled("MONTHLY", "acc_01ZOTHINC2")
    return Rule(OTHER_RULE, OTHER_ORGANIZATION, "Of others", "Not yours.", "disabled", trigger, steps, _MADE, _MADE)


def _scheduled(schedule_type: str, account_id: str) -> dict[str, Json]:
    start = f"{datetime.now(UTC).year + 2}-04-01T09:00:00Z"
    return {"type": "SCHEDULED", "schedule_type": schedule_type, "start_date": start, "account_id": account_id}


def _reserve() -> dict[str, Json]:
    enough = {
        "fact": "BALANCE",
        "operator": "GREATER_THAN",
        "value": 50_000,
        "params": {"account_id": "acc_01HABC4567"},
    }
    own = {"type": "percentage", "percentage_value": 12.5, "percentage_target": "source_account"}
    return {
        "conditions": {"all": [{"condition": enough}]},
        "actions": [own | _common("acc_01HABC4567", "acc_01HPODTAX2")],
    }


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
