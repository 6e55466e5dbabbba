"""The whole body of an update."""

from collections.abc import Mapping

import msgspec

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Crashed, Json
from rules_harness.harness.reference.switches import fault, variant
from rules_harness.harness.reference.validation.actions import action
from rules_harness.harness.reference.validation.conditions import condition_tree
from rules_harness.harness.reference.validation.texts import text
from rules_harness.harness.reference.validation.triggers import trigger
from rules_harness.harness.reference.validation.values import an_array, an_object, choice, keep_unknown, required

STATES = frozenset({"enabled", "disabled"})

_BODY = frozenset({"nickname", "description", "status", "trigger", "steps"})
_STEP = frozenset({"conditions", "actions"})
_SERVER_OWNED = frozenset(
    {
        "id",
        "rule_id",
        "created_at",
        "updated_at",
        "deleted_at",
        "created_by",
        "updated_by",
        "organization",
        "organization_id",
        "org_id",
        "owner",
        "owner_id",
        "user_id",
        "tenant_id",
        "account_id",
        "request_id",
        "data",
        "error",
        "version",
        "enabled",
        "enabled_at",
        "is_enabled",
        "permissions",
    }
)


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


def configuration(value: Json, organization_id: str) -> Configuration:
    """The configuration that a body asks for.

    Raises:
        Refused: it breaks the contract, or names an account that the organization does not have.
    """
    body = an_object(value, "The body")
    status = choice(body, "status", "", STATES)
    if fault("update.enabled-body-refused") and status == "enabled":
        raise errors.invalid("/status cannot be enabled by an update.")
    return Configuration(
        nickname=text(body, "nickname", ""),
        description=text(body, "description", ""),
        status=status,
        trigger=trigger(body, organization_id),
        steps=_steps(body, organization_id),
        extras=_extras(body),
        sent=body,
    )


def _steps(body: dict[str, Json], organization_id: str) -> list[Json]:
    steps = an_array(required(body, "steps", ""), "/steps")
    if fault("envelope.empty-steps-crash") and not steps:
        raise Crashed
    if fault("validation.many-steps-crash") and len(steps) > 500:
        raise Crashed
    if not steps and variant("empty.steps-refused"):
        raise errors.invalid("/steps must not be empty.")
    return [_step(step, f"/steps/{index}", organization_id) for index, step in enumerate(steps)]


def _step(value: Json, place: str, organization_id: str) -> dict[str, Json]:
    owner = an_object(value, place)
    if fault("validation.later-steps-filled-in") and place != "/steps/0":
        owner = {"actions": [], **owner}
    if "conditions" not in owner and variant("null-conditions.refused"):
        raise errors.invalid(f"{place}/conditions is required.")
    tree = owner.get("conditions")
    actions = an_array(required(owner, "actions", place), f"{place}/actions")
    if not actions and variant("empty.actions-refused"):
        raise errors.invalid(f"{place}/actions must not be empty.")
    step: dict[str, Json] = {
        "conditions": None if tree is None else condition_tree(tree, f"{place}/conditions", organization_id),
        "actions": [
            item
            if index and type(item) is dict and fault("validation.later-actions-unchecked")
            else action(item, f"{place}/actions/{index}", organization_id)
            for index, item in enumerate(actions)
        ],
    }
    keep_unknown(owner, _STEP, place, step)
    return step


def _extras(body: dict[str, Json]) -> dict[str, Json]:
    if body.keys() <= _BODY:
        return {}
    if variant("unknown-top.refused"):
        raise errors.invalid("The body has unknown properties.")
    if variant("unknown-top.stored"):
        return {name: value for name, value in body.items() if name not in _BODY and name not in _SERVER_OWNED}
    return {}
