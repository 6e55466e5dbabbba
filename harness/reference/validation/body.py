"""The whole body of an update."""

from collections.abc import Mapping, Set

import msgspec

from rules_harness.harness.reference import rules
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.steps import step
from rules_harness.harness.reference.validation import actions, conditions, triggers, values
from rules_harness.harness.reference.validation.values import Node

STATES = frozenset({"enabled", "disabled"})
FIELDS = frozenset({"nickname", "description", "status", "trigger", "steps"})
_STEP = frozenset({"conditions", "actions"})


class Configuration(msgspec.Struct, frozen=True):
    """What a valid body asks for; `extras` are unknown top-level properties, where the server keeps them."""

    nickname: str | None
    description: str | None
    status: str
    trigger: dict[str, Json]
    steps: list[Json]
    extras: dict[str, Json]
    sent: Mapping[str, Json]
    """The body itself, as it was parsed."""


def configuration(node: Node) -> Configuration:
    """The configuration that a body asks for.

    Raises:
        Refused: it breaks the contract, or names an account that the organization does not have.
    """
    body = values.an_object(node)
    wanted = status(body.member("status"))
    return Configuration(
        nickname=values.text(body.member("nickname")),
        description=values.text(body.member("description")),
        status=wanted,
        trigger=triggers.trigger(body.member("trigger")),
        steps=steps(body.member("steps")),
        extras=extras(body),
        sent=body.value,
    )


@step
def status(node: Node) -> str:
    """'string, Value in "enabled" | "disabled"'."""
    return values.choice(node, STATES)


@step
def steps(node: Node) -> list[Json]:
    """'array<RuleStep>'."""
    return [rule_step(item) for item in values.an_array(node)]


@step
def rule_step(node: Node) -> dict[str, Json]:
    """A RuleStep {conditions: tree or null, actions}."""
    owner = values.an_object(node)
    for name in demanded_of_steps():
        values.required(owner.member(name))
    tree = owner.member("conditions")
    built = None if tree.is_null else conditions.condition_tree(tree)
    return {"conditions": built, "actions": step_actions(owner.member("actions")), **values.unknown(owner, _STEP)}


@step
def demanded_of_steps() -> Set[str]:
    """What a step must have, if only null."""
    return frozenset({"actions"})


@step
def step_actions(node: Node) -> list[Json]:
    """The actions of a step."""
    return [actions.action(item) for item in values.an_array(node)]


@step
def extras(body: Node) -> dict[str, Json]:
    """What is kept of a body's properties that the contract does not know: what rules have, and the rest is not a
    mistake."""
    return {name: value for name, value in body.others(FIELDS).items() if name in rules.further_fields()}
