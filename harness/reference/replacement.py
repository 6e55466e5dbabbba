"""What an update makes of a rule: every field replaced, the status disabled, the stamp moved on."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.steps import replaced_steps
from rules_harness.harness.reference.store import Store
from rules_harness.harness.reference.switches import fault, variant
from rules_harness.harness.reference.validation import Configuration
from rules_harness.harness.reference.validation.texts import instant

_GRANULE = timedelta(milliseconds=1)


def replacement(rule: Rule, asked: Configuration, now: datetime, *, keyed: bool) -> Rule:
    """The rule as the update leaves it; `keyed` says that the request came with an idempotency key."""
    if fault("update.second-identical-clears") and _same(rule, asked):
        asked = msgspec.structs.replace(asked, nickname=None, description=None)
    return Rule(
        id=rule.id,
        organization_id=rule.organization_id,
        nickname=_text(rule.nickname, asked.nickname, "nickname", asked),
        description=_text(rule.description, asked.description, "description", asked),
        status=_next_status(rule, asked, keyed=keyed),
        trigger=_trigger(rule, asked),
        steps=replaced_steps(rule.steps, asked.steps),
        extras=asked.extras,
        created_at=_created_at(rule, asked, now),
        updated_at=_updated_at(rule, asked, now),
    )


def _text(before: str | None, wanted: str | None, name: str, asked: Configuration) -> str | None:
    if fault("update.omitted-kept") and name not in asked.sent:
        return before
    if fault("update.null-kept") and name in asked.sent and wanted is None:
        return before
    if fault("update.empty-kept") and not wanted:
        return before
    if fault("update.nickname-made-unique") and name == "nickname" and wanted == before and wanted is not None:
        return f"{wanted} (2)"
    return wanted


def _trigger(rule: Rule, asked: Configuration) -> dict[str, Json]:
    if fault("update.trigger-kept-within-type") and asked.trigger["type"] == rule.trigger["type"]:
        return rule.trigger
    if fault("update.trigger-merged"):
        return {**rule.trigger, **asked.trigger}
    return asked.trigger


def _next_status(rule: Rule, asked: Configuration, *, keyed: bool) -> str:
    """'the update will set it to disabled and require a human to review and re-enable it'."""
    if _keeps_status(rule, asked, keyed=keyed):
        return rule.status
    if fault("status.from-body"):
        return asked.status
    if fault("status.enabled-by-body") and rule.status == "disabled":
        return asked.status
    if fault("status.scheduled-enabled-by-body") and rule.status == "disabled" and rule.trigger["type"] == "SCHEDULED":
        return asked.status
    if fault("status.toggled"):
        return "disabled" if rule.status == "enabled" else "enabled"
    if fault("status.new-steps-enable") and rule.status == "disabled" and asked.steps != rule.steps:
        return "enabled"
    return "disabled"


def _keeps_status(rule: Rule, asked: Configuration, *, keyed: bool) -> bool:
    unchanged_steps = asked.trigger == rule.trigger and asked.steps == rule.steps
    types = {action.get("type") for step in asked.steps for action in step["actions"]}
    return (
        fault("status.kept")
        or (fault("status.scheduled-only") and asked.trigger["type"] != "SCHEDULED")
        or (fault("status.funds-transferred-only") and asked.trigger["type"] != "ON_FUNDS_TRANSFERRED")
        or (fault("status.kept-without-change") and _same(rule, asked))
        or (fault("status.kept-when-text-changes") and unchanged_steps)
        or (fault("status.kept-with-key") and keyed)
        or (fault("status.kept-for-percentages") and "percentage" in types)
        or (fault("status.kept-when-body-agrees") and asked.status == rule.status)
    )


def _created_at(rule: Rule, asked: Configuration, now: datetime) -> datetime:
    if fault("update.created-at-reset"):
        return now
    if fault("update.created-at-is-last-update"):
        return rule.updated_at
    if fault("update.created-at-from-body"):
        return _moment(asked.sent.get("created_at")) or rule.created_at
    return rule.created_at


def _updated_at(rule: Rule, asked: Configuration, now: datetime) -> datetime:
    """The clock's time, and always later than the last one."""
    if fault("update.updated-at-kept"):
        return rule.updated_at
    if fault("update.updated-at-goes-back"):
        return rule.updated_at - timedelta(seconds=2)
    if fault("update.updated-at-is-the-day"):
        return now.replace(hour=0, minute=0, second=0, microsecond=0)
    if fault("update.updated-at-from-body") and (moment := _moment(asked.sent.get("updated_at"))) is not None:
        return moment
    if variant("updated-at.kept-without-change") and _same(rule, asked):
        return rule.updated_at
    moment = now if variant("timestamps.microseconds") else now.replace(microsecond=now.microsecond // 1000 * 1000)
    return max(moment, rule.updated_at + _GRANULE)


def _moment(value: Any) -> datetime | None:
    return instant(value) if isinstance(value, str) else None


def _same(rule: Rule, asked: Configuration) -> bool:
    before = (rule.nickname, rule.description, rule.trigger, rule.steps, rule.extras)
    return before == (asked.nickname, asked.description, asked.trigger, asked.steps, asked.extras)


def stored(rule: Rule, replaced: Rule, asked: Configuration) -> Rule:
    """The rule as it is put into the store, where the answer shows `replaced`."""
    if fault("status.only-answered"):
        return msgspec.structs.replace(replaced, status=rule.status)
    if fault("status.stored-from-body"):
        return msgspec.structs.replace(replaced, status=asked.status)
    if fault("update.description-not-stored"):
        return msgspec.structs.replace(replaced, description=rule.description)
    if fault("update.organization-from-body") and isinstance(asked.sent.get("organization_id"), str):
        return msgspec.structs.replace(replaced, organization_id=asked.sent["organization_id"])
    return replaced


def answered(replaced: Rule, asked: Configuration) -> Rule:
    """The rule as the answer shows it."""
    if fault("update.id-from-body") and isinstance(asked.sent.get("id"), str):
        return msgspec.structs.replace(replaced, id=asked.sent["id"])
    if fault("update.new-id"):
        return msgspec.structs.replace(replaced, id=f"{replaced.id}_v2")
    return replaced


def spill(store: Store, replaced: Rule) -> None:
    """What an update does to other rules: nothing, unless a fault is on."""
    for other in store.all():
        if other.id == replaced.id or other.organization_id != replaced.organization_id:
            continue
        if fault("update.written-to-whole-organization"):
            store.put(msgspec.structs.replace(other, nickname=replaced.nickname))
        if fault("update.others-disabled"):
            store.put(msgspec.structs.replace(other, status="disabled"))
        if fault("update.same-account-rules-follow"):
            follows = other.trigger.get("account_id") == replaced.trigger.get("account_id")
            store.put(msgspec.structs.replace(other, steps=replaced.steps) if follows else other)
