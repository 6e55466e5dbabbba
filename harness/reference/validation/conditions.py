"""Condition trees: exactly one of condition, any and all, nesting."""

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.steps import step
from rules_harness.harness.reference.validation import values
from rules_harness.harness.reference.validation.accounts import account_id
from rules_harness.harness.reference.validation.values import Node

FACTS = frozenset({"TRANSFER_AMOUNT", "BALANCE", "DATE"})
VALUE_FACTS = FACTS | {"LAST_DAY_OF_MONTH", "NEXT_PAYMENT_MINIMUM_AMOUNT", "LAST_STATEMENT_BALANCE"}
OPERATORS = frozenset(
    {"EQUALS", "NOT_EQUALS", "GREATER_THAN", "LESS_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN_OR_EQUAL"}
)

_BRANCHES = frozenset({"condition", "any", "all"})
_CONDITION = frozenset({"fact", "operator", "value", "value_fact", "params"})
_PARAMS = frozenset({"account_id"})


@step
def condition_tree(node: Node) -> dict[str, Json]:
    """A tree; its depth is bounded by the depth of the whole body."""
    owner = values.an_object(node)
    branches = owner.value.keys() & _BRANCHES
    if len(branches) != 1:
        raise errors.invalid(f"{node.pointer} must have exactly one of condition, any and all.")
    branch = owner.member(branches.pop())
    tree = _condition(branch) if branch.name == "condition" else members(branch)
    return {branch.name: tree, **values.unknown(owner, _BRANCHES)}


@step
def members(branch: Node) -> list[dict[str, Json]]:
    """The members of an `any` or `all`, which may be none and may nest."""
    return [condition_tree(item) for item in values.an_array(branch)]


def _condition(node: Node) -> dict[str, Json]:
    owner = values.an_object(node)
    fact, operator = values.choice(owner.member("fact"), FACTS), values.choice(owner.member("operator"), OPERATORS)
    condition: dict[str, Json] = {"fact": fact, "operator": operator}
    if "value" in owner.value:
        condition["value"] = values.number(owner.member("value"))
    if "value_fact" in owner.value:
        value_fact = owner.member("value_fact")
        condition["value_fact"] = None if value_fact.is_null else values.choice(value_fact, VALUE_FACTS)
    if "params" in owner.value:
        params = owner.member("params")
        condition["params"] = None if params.is_null else _params(params)
    return {**condition, **values.unknown(owner, _CONDITION)}


def _params(node: Node) -> dict[str, Json]:
    owner = values.an_object(node)
    params = {"account_id": account_id(owner.member("account_id"))} if "account_id" in owner.value else {}
    return {**params, **values.unknown(owner, _PARAMS)}
