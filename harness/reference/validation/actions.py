"""Actions, by their type."""

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.switches import fault, variant
from rules_harness.harness.reference.validation.accounts import account_ref
from rules_harness.harness.reference.validation.numbers import cents, percentage, whole
from rules_harness.harness.reference.validation.texts import text
from rules_harness.harness.reference.validation.values import an_object, choice, flag, keep_unknown, required

OWN_FIELDS: dict[str, frozenset[str]] = {
    "fixed_amount": frozenset({"amount_in_cents"}),
    "percentage": frozenset({"percentage_value", "percentage_target"}),
    "top_up": frozenset(
        {
            "amount_in_cents",
            "next_payment_minimum_account",
            "current_balance_account",
            "last_statement_balance_account",
        }
    ),
    "round_down": frozenset({"amount_in_cents"}),
    "next_payment_minimum": frozenset(),
    "total_amount_due": frozenset(),
    "last_statement_balance": frozenset(),
    "percentage_liability_balance": frozenset({"percentage_value"}),
}
PERCENTAGE_TARGETS = frozenset({"incoming_amount", "source_account"})
PERIODS = frozenset({"PER_TRANSFER", "PER_WEEK", "PER_MONTH", "PER_YEAR"})

_COMMON = frozenset(
    {
        "type",
        "source",
        "destination",
        "group_index",
        "up_to_enabled",
        "is_direct_deposit",
        "limit",
        "ach_description",
    }
)
_KNOWN = {kind: _COMMON | own for kind, own in OWN_FIELDS.items()}
_LIMIT = frozenset({"period", "amount_in_cents"})
_DOCUMENTED_TYPES = frozenset({"fixed_amount"})


def action(value: Json, place: str, organization_id: str) -> dict[str, Json]:
    """One action, with the documented default."""
    owner = an_object(value, place)
    if fault("validation.unknown-action-stored") and type(owner.get("type")) is str and owner["type"] not in _KNOWN:
        return dict(owner)
    kind = choice(owner, "type", place, _DOCUMENTED_TYPES if variant("kinds.documented-only") else _KNOWN.keys())
    built: dict[str, Json] = {"type": kind}
    _own_fields(kind, owner, built, place, organization_id)
    built["source"] = account_ref(required(owner, "source", place), f"{place}/source", organization_id)
    built["destination"] = account_ref(required(owner, "destination", place), f"{place}/destination", organization_id)
    built["group_index"] = whole(owner, "group_index", place)
    built["up_to_enabled"] = flag(owner, "up_to_enabled", place) or fault("update.up-to-enabled-always")
    _optional_fields(owner, built, place)
    keep_unknown(owner, _KNOWN[kind], place, built)
    return built


def _own_fields(kind: str, owner: dict[str, Json], built: dict[str, Json], place: str, organization_id: str) -> None:
    if kind in ("fixed_amount", "round_down"):
        built["amount_in_cents"] = cents(owner, "amount_in_cents", place)
    elif kind == "percentage":
        built["percentage_value"] = percentage(owner, "percentage_value", place)
        built["percentage_target"] = choice(owner, "percentage_target", place, PERCENTAGE_TARGETS)
    elif kind == "percentage_liability_balance":
        built["percentage_value"] = percentage(owner, "percentage_value", place)
    elif kind == "top_up":
        _top_up(owner, built, place, organization_id)


def _top_up(owner: dict[str, Json], built: dict[str, Json], place: str, organization_id: str) -> None:
    targets = [name for name in OWN_FIELDS["top_up"] if owner.get(name) is not None]
    if len(targets) != 1:
        raise errors.invalid(f"{place} must have exactly one target.")
    for name in OWN_FIELDS["top_up"] & owner.keys():
        if owner[name] is None:
            built[name] = None
        elif name == "amount_in_cents":
            built[name] = cents(owner, name, place)
        else:
            built[name] = account_ref(owner[name], f"{place}/{name}", organization_id)


def _optional_fields(owner: dict[str, Json], built: dict[str, Json], place: str) -> None:
    if "is_direct_deposit" in owner:
        built["is_direct_deposit"] = flag(owner, "is_direct_deposit", place) and not fault(
            "update.direct-deposit-reset"
        )
    elif not variant("defaults.not-added"):
        built["is_direct_deposit"] = False
    if "limit" in owner and not fault("update.limit-dropped"):
        built["limit"] = None if owner["limit"] is None else _limit(owner["limit"], f"{place}/limit")
    if "ach_description" in owner and not fault("update.ach-description-dropped"):
        built["ach_description"] = text(owner, "ach_description", place)


def _limit(value: Json, place: str) -> dict[str, Json]:
    owner = an_object(value, place)
    limit: dict[str, Json] = {
        "period": choice(owner, "period", place, PERIODS),
        "amount_in_cents": cents(owner, "amount_in_cents", place),
    }
    keep_unknown(owner, _LIMIT, place, limit)
    return limit
