"""Actions, by their type."""

from rules_harness.harness.reference import errors, rules
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.rules import OWN_FIELDS
from rules_harness.harness.reference.steps import step
from rules_harness.harness.reference.validation import accounts, values
from rules_harness.harness.reference.validation.values import Node, whole

PERCENTAGE_TARGETS = frozenset({"incoming_amount", "source_account"})
PERIODS = frozenset({"PER_TRANSFER", "PER_WEEK", "PER_MONTH", "PER_YEAR"})

_COMMON = frozenset(
    ["type", "source", "destination", "group_index", "up_to_enabled", "is_direct_deposit", "limit", "ach_description"]
)
_KNOWN = {kind: _COMMON | own for kind, own in OWN_FIELDS.items()}
_LIMIT = frozenset({"period", "amount_in_cents"})


@step
def action(node: Node) -> dict[str, Json]:
    """One action, with the documented default."""
    owner = values.an_object(node)
    kind = values.choice(owner.member("type"), rules.kinds().actions)
    built: dict[str, Json] = {"type": kind, **_own_fields(kind, owner)}
    built["source"] = accounts.account_ref(owner.member("source"))
    built["destination"] = accounts.account_ref(owner.member("destination"))
    built["group_index"] = whole(owner.member("group_index"))
    built["up_to_enabled"] = values.flag(owner.member("up_to_enabled"))
    built |= _optional_fields(owner)
    return {**built, **values.unknown(owner, _KNOWN[kind])}


def _own_fields(kind: str, owner: Node) -> dict[str, Json]:
    if kind == "top_up":
        return _top_up(owner)
    built: dict[str, Json] = {}
    if "amount_in_cents" in OWN_FIELDS[kind]:
        built["amount_in_cents"] = values.cents(owner.member("amount_in_cents"))
    if "percentage_value" in OWN_FIELDS[kind]:
        built["percentage_value"] = values.percentage(owner.member("percentage_value"))
    if "percentage_target" in OWN_FIELDS[kind]:
        built["percentage_target"] = values.choice(owner.member("percentage_target"), PERCENTAGE_TARGETS)
    return built


def _top_up(owner: Node) -> dict[str, Json]:
    fields = [owner.member(name) for name in OWN_FIELDS["top_up"] & owner.value.keys()]
    if sum(not field.is_null for field in fields) != 1:
        raise errors.invalid(f"{owner.pointer} must have exactly one target.")
    return {field.name: None if field.is_null else _top_up_target(field) for field in fields}


def _top_up_target(field: Node) -> Json:
    return values.cents(field) if field.name == "amount_in_cents" else accounts.account_ref(field)


def _optional_fields(owner: Node) -> dict[str, Json]:
    built: dict[str, Json] = default_fields()
    if "is_direct_deposit" in owner.value:
        built["is_direct_deposit"] = values.flag(owner.member("is_direct_deposit"))
    if "limit" in owner.value:
        limit = owner.member("limit")
        built["limit"] = None if limit.is_null else _limit(limit)
    if "ach_description" in owner.value:
        built["ach_description"] = values.text(owner.member("ach_description"))
    return built


@step
def default_fields() -> dict[str, Json]:
    """What the page's example answer adds to an action: '"is_direct_deposit": false'."""
    return {"is_direct_deposit": False}


def _limit(node: Node) -> dict[str, Json]:
    owner = values.an_object(node)
    period = values.choice(owner.member("period"), PERIODS)
    amount = values.cents(owner.member("amount_in_cents"))
    return {"period": period, "amount_in_cents": amount, **values.unknown(owner, _LIMIT)}
