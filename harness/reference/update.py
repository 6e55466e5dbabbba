"""The update: the body is judged whole before anything is written, then one writer at a time replaces the rule."""

from datetime import datetime, timedelta

import msgspec

from rules_harness.harness.reference import envelope, syntax
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.messages import Json, Reply
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.steps import step
from rules_harness.harness.reference.validation.body import Configuration, configuration
from rules_harness.harness.reference.validation.values import Node

_GRANULE = timedelta(milliseconds=1)


class RuleChange(msgspec.Struct, frozen=True):
    """One rule on its way to another configuration."""

    call: Call
    before: Rule
    wanted: Configuration


@step
async def update(call: Call, organization_id: str) -> Reply:
    """'Fully replaces the rule configuration.' On behalf of that organization; the body is validated first.

    Raises:
        Refused: the body breaks the contract; then nothing has changed.
    """
    wanted = await validated(call, Node(syntax.parse(call.request.body), "", organization_id))
    return answered(wanted, await carried_out(call, wanted))


@step
async def validated(call: Call, body: Node) -> Configuration:
    """'All required fields must be provided.' What the body asks for; raises a refusal where it breaks the contract."""
    return configuration(body)


@step
async def carried_out(call: Call, wanted: Configuration) -> Rule:
    """The rule as it is afterwards; its lock is held from the first read to the last write."""
    store = call.service.store
    async with store.lock(call.rule_id):
        change = RuleChange(call, store.existing(call.rule_id), wanted)
        rule = replaced(change)
        await written(change, rule)
    return rule


@step
async def written(change: RuleChange, rule: Rule) -> None:
    """Store the rule, and touch no other."""
    change.call.service.store.put(rule)


@step
def answered(wanted: Configuration, rule: Rule) -> Reply:
    """The answer to an update: the rule as it is stored."""
    return Reply(status=200, data=envelope.rule_data(rule))


@step
def replaced(change: RuleChange) -> Rule:
    """'Fully replaces': the rule as the update leaves it, made of what was sent alone."""
    before, wanted = change.before, change.wanted
    return Rule(
        id=before.id,
        organization_id=before.organization_id,
        nickname=text_after(change, "nickname"),
        description=text_after(change, "description"),
        status=status_after(change),
        trigger=trigger_after(change),
        steps=steps_after(change),
        extras=wanted.extras,
        created_at=created_at_after(change),
        updated_at=updated_at_after(change),
    )


@step
def text_after(change: RuleChange, name: str) -> str | None:
    """'nickname?', 'description?': what was sent, null where it was left out."""
    text: str | None = getattr(change.wanted, name)
    return text


@step
def status_after(change: RuleChange) -> str:
    """'If the rule's status is enabled, the update will set it to disabled and require a human to review and re-enable
    it'; so no update enables a rule."""
    return "disabled"


@step
def trigger_after(change: RuleChange) -> dict[str, Json]:
    """'trigger*': what was sent."""
    return change.wanted.trigger


@step
def steps_after(change: RuleChange) -> list[Json]:
    """'steps*': what was sent, in its order."""
    return change.wanted.steps


@step
def created_at_after(change: RuleChange) -> datetime:
    """When the rule was made, which no update changes."""
    return change.before.created_at


@step
def updated_at_after(change: RuleChange) -> datetime:
    """The clock's time, and always later than the last one."""
    return max(change.call.service.clock.now(), change.before.updated_at + _GRANULE)


def changes_nothing(before: Rule, wanted: Configuration) -> bool:
    """Whether the rule has the wanted configuration already, its status aside."""
    fields = ("nickname", "description", "trigger", "steps", "extras")
    return all(getattr(before, name) == getattr(wanted, name) for name in fields)
