"""Condition trees: exactly one of condition, any and all, nesting."""

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.switches import fault, variant
from rules_harness.harness.reference.validation.accounts import optional_account_id
from rules_harness.harness.reference.validation.numbers import number
from rules_harness.harness.reference.validation.values import an_array, an_object, choice, keep_unknown

FACTS = frozenset({"TRANSFER_AMOUNT", "BALANCE", "DATE"})
VALUE_FACTS = FACTS | {"LAST_DAY_OF_MONTH", "NEXT_PAYMENT_MINIMUM_AMOUNT", "LAST_STATEMENT_BALANCE"}
OPERATORS = frozenset(
    {"EQUALS", "NOT_EQUALS", "GREATER_THAN", "LESS_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN_OR_EQUAL"}
)

_BRANCHES = frozenset({"condition", "any", "all"})
_CONDITION = frozenset({"fact", "operator", "value", "value_fact", "params"})
_PARAMS = frozenset({"account_id"})


def condition_tree(value: Json, place: str, organization_id: str) -> dict[str, Json]:
    """A tree; its depth is bounded by the depth of the whole body."""
    owner = an_object(value, place)
    branches = owner.keys() & _BRANCHES
    if len(branches) != 1:
        raise errors.invalid(f"{place} must have exactly one of condition, any and all.")
    branch = branches.pop()
    tree: dict[str, Json] = {}
    if branch == "condition":
        tree[branch] = _condition(owner[branch], f"{place}/{branch}", organization_id)
    else:
        tree[branch] = _members(owner[branch], branch, f"{place}/{branch}", organization_id)
    keep_unknown(owner, _BRANCHES, place, tree)
    return tree


def _members(value: Json, branch: str, place: str, organization_id: str) -> list[Json]:
    items = an_array(value, place)
    if not items and variant(f"empty.{branch}-refused"):
        raise errors.invalid(f"{place} must not be empty.")
    members = [condition_tree(item, f"{place}/{index}", organization_id) for index, item in enumerate(items)]
    if fault("update.nested-conditions-refused") and any("condition" not in member for member in members):
        raise errors.invalid(f"{place} must hold plain conditions.")
    if fault("update.conditions-flattened"):
        return [leaf for member in members for leaf in _leaves(member)]
    return members


def _leaves(tree: dict[str, Json]) -> list[Json]:
    return [tree] if "condition" in tree else [*tree.get("any", ()), *tree.get("all", ())]


def _condition(value: Json, place: str, organization_id: str) -> dict[str, Json]:
    owner = an_object(value, place)
    condition: dict[str, Json] = {
        "fact": choice(owner, "fact", place, FACTS),
        "operator": choice(owner, "operator", place, OPERATORS),
    }
    if "value" in owner:
        condition["value"] = number(owner, "value", place)
    if "value_fact" in owner:
        null = owner["value_fact"] is None
        condition["value_fact"] = None if null else choice(owner, "value_fact", place, VALUE_FACTS)
    if "params" in owner:
        null = owner["params"] is None
        condition["params"] = None if null else _params(owner["params"], f"{place}/params", organization_id)
    keep_unknown(owner, _CONDITION, place, condition)
    return condition


def _params(value: Json, place: str, organization_id: str) -> dict[str, Json]:
    owner = an_object(value, place)
    params: dict[str, Json] = {}
    if "account_id" in owner:
        params["account_id"] = optional_account_id(owner, "account_id", place, organization_id)
    keep_unknown(owner, _PARAMS, place, params)
    return params
