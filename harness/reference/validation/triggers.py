"""Triggers, by their type."""

from rules_harness.harness.reference import rules
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.steps import step
from rules_harness.harness.reference.validation import values
from rules_harness.harness.reference.validation.accounts import account, account_id
from rules_harness.harness.reference.validation.values import Node

SCHEDULE_TYPES = frozenset({"ONE_TIME", "DAILY", "WEEKLY", "BI_WEEKLY", "MONTHLY", "EVERY_OTHER_WEEK"})

_SCHEDULED = frozenset({"type", "schedule_type", "start_date", "account_id"})
_OTHERS = frozenset({"type", "account_id"})


@step
def trigger(node: Node) -> dict[str, Json]:
    """The trigger of a body."""
    owner = values.an_object(node)
    kind = values.choice(owner.member("type"), rules.kinds().triggers)
    if kind != "SCHEDULED":
        return {"type": kind, "account_id": account(owner.member("account_id")).id, **values.unknown(owner, _OTHERS)}
    built: dict[str, Json] = {"type": kind}
    built["schedule_type"] = values.choice(owner.member("schedule_type"), SCHEDULE_TYPES)
    built["start_date"] = values.date_time(owner.member("start_date"))
    if "account_id" in owner.value:
        built["account_id"] = account_id(owner.member("account_id"))
    return {**built, **values.unknown(owner, _SCHEDULED)}
