"""Triggers, by their type."""

from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.switches import fault, variant
from rules_harness.harness.reference.validation.accounts import account_id, optional_account_id
from rules_harness.harness.reference.validation.texts import date_time
from rules_harness.harness.reference.validation.values import an_object, choice, keep_unknown, required

TYPES = frozenset({"SCHEDULED", "ON_FUNDS_TRANSFERRED", "MANUAL"})
SCHEDULE_TYPES = frozenset({"ONE_TIME", "DAILY", "WEEKLY", "BI_WEEKLY", "MONTHLY", "EVERY_OTHER_WEEK"})

_SCHEDULED = frozenset({"type", "schedule_type", "start_date", "account_id"})
_OTHERS = frozenset({"type", "account_id"})
_DOCUMENTED_TYPES = frozenset({"SCHEDULED"})


def trigger(body: dict[str, Json], organization_id: str) -> dict[str, Json]:
    """The trigger of a body."""
    place = "/trigger"
    owner = an_object(required(body, "trigger", ""), place)
    if fault("validation.unknown-trigger-stored") and type(owner.get("type")) is str and owner["type"] not in TYPES:
        return dict(owner)
    kind = choice(owner, "type", place, _DOCUMENTED_TYPES if variant("kinds.documented-only") else TYPES)
    built: dict[str, Json] = {"type": kind}
    if kind == "SCHEDULED":
        built["schedule_type"] = choice(owner, "schedule_type", place, SCHEDULE_TYPES)
        built["start_date"] = date_time(owner, "start_date", place)
        if "account_id" in owner:
            built["account_id"] = optional_account_id(owner, "account_id", place, organization_id)
        keep_unknown(owner, _SCHEDULED, place, built)
    else:
        built["account_id"] = account_id(owner, "account_id", place, organization_id)
        keep_unknown(owner, _OTHERS, place, built)
    return built
