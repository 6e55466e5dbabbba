"""Rules to JSON."""

from collections.abc import Set
from datetime import datetime

from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.switches import fault, variant
from rules_harness.harness.reference.validation.texts import instant

_NUMBERS = frozenset({"amount_in_cents", "percentage_value"})


def rule_data(rule: Rule) -> dict[str, Json]:
    """The `data` of an answer about a rule."""
    data: dict[str, Json] = {
        "id": rule.id,
        "nickname": rule.nickname,
        "description": rule.description,
        "status": rule.status,
        "trigger": rule.trigger,
        "steps": rule.steps,
        "created_at": timestamp(rule.created_at),
        "updated_at": timestamp(rule.updated_at),
        **rule.extras,
    }
    if fault("envelope.timestamps-left-out"):
        del data["created_at"], data["updated_at"]
    return _in_other_form(data, rule)


def _in_other_form(data: dict[str, Json], rule: Rule) -> dict[str, Json]:
    if variant("start-date.normalised") and rule.trigger["type"] == "SCHEDULED":
        data["trigger"] = {**rule.trigger, "start_date": _normalised(rule.trigger["start_date"])}
    if variant("nulls.left-out"):
        kept = frozenset({"conditions"}) if variant("null-conditions.refused") else frozenset()
        data = _without_nulls(data, kept)
    if variant("nulls.filled-in"):
        data["steps"] = [_with_nulls(step) for step in data["steps"]]
    if variant("numbers.as-floats"):
        data["steps"] = _with_floats(data["steps"])
    if variant("extra-fields.top"):
        data |= {"organization_id": rule.organization_id, "version": 3, "links": {"self": f"/rules/{rule.id}"}}
    if variant("extra-fields.nested"):
        data["steps"] = [{"id": f"step_{index}", **step} for index, step in enumerate(data["steps"])]
        data["trigger"] = {**data["trigger"], "time_zone": "UTC"}
    return data


def timestamp(moment: datetime) -> Json:
    """A server-made moment in RFC 3339."""
    if fault("envelope.timestamps-in-epoch"):
        return int(moment.timestamp() * 1000)
    precision = "milliseconds"
    if variant("timestamps.microseconds"):
        precision = "microseconds"
    if variant("timestamps.seconds"):
        precision = "seconds"
    text = moment.isoformat(timespec=precision)
    if fault("envelope.timestamps-without-zone"):
        return text.removesuffix("+00:00")
    return text if variant("timestamp-form.offset") else text.replace("+00:00", "Z")


def _normalised(start_date: str) -> str:
    moment = instant(start_date)
    return start_date if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _without_nulls(value: Json, kept: Set[str]) -> Json:
    if type(value) is dict:
        return {name: _without_nulls(item, kept) for name, item in value.items() if item is not None or name in kept}
    if type(value) is list:
        return [_without_nulls(item, kept) for item in value]
    return value


def _with_nulls(step: dict[str, Json]) -> dict[str, Json]:
    absent = {"limit": None, "ach_description": None}
    return {**step, "actions": [{**absent, **action} for action in step["actions"]]}


def _with_floats(value: Json) -> Json:
    if type(value) is dict:
        return {
            name: float(item) if name in _NUMBERS and item is not None else _with_floats(item)
            for name, item in value.items()
        }
    if type(value) is list:
        return [_with_floats(item) for item in value]
    return value
