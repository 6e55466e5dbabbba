"""Faults of the family update: what an update does to the record."""

import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from rules_harness.harness.reference import endpoints, envelope, errors, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.messages import Json, Reply
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.service import Store
from rules_harness.harness.reference.stand_ins import Breaking, Later, PlantedFault, changed, refuse_node, then
from rules_harness.harness.reference.update import RuleChange
from rules_harness.harness.reference.validation import actions, body, conditions, values
from rules_harness.harness.reference.validation.body import Configuration
from rules_harness.harness.reference.validation.values import Node, instant

faults: list[PlantedFault] = []

fault = Breaking(faults, "update.read-back")
_stale = ("update.omitted-is-cleared", "update.steps-replaced", "update.amounts-exact")
_cached: WeakKeyDictionary[Store, dict[str, Reply]] = WeakKeyDictionary()
fault("update.first-read-cached", endpoints.get_rule, "status.stored", *_stale).short(
    "A read is answered from a cache that updates do not clear.",
    changed(lambda reply, call, caller: _cached.setdefault(call.service.store, {}).setdefault(call.rule_id, reply)),
)
_late = ("status.stored", "status.no-enable-by-body", "status.stays-disabled")
fault("update.replica-one-behind", endpoints.get_rule, *_late).short(
    "A read is answered by a replica that is one update behind.",
    changed(lambda reply, call, _: reply.having(data=envelope.rule_data(call.service.store.previous(call.rule_id)))),
)
fault("update.description-not-stored", update.written, "update.omitted-is-cleared", "update.replaces").short(
    "The description is answered but not stored.",
    lambda usual, change, rule: usual(change, replace(rule, description=change.before.description)),
)


def _sent(wanted: Configuration, name: str, otherwise: str = "") -> str:
    value = wanted.sent.get(name)
    return value if isinstance(value, str) else otherwise


def _organization(change: RuleChange) -> str:
    return _sent(change.wanted, "organization_id", change.before.organization_id)


fault = Breaking(faults, "update.identity")
fault("update.id-from-body", update.answered).short(
    "An `id` in the body is answered as the rule's.",
    lambda usual, wanted, rule: usual(wanted, replace(rule, id=_sent(wanted, "id", rule.id))),
)
fault("update.new-id", update.answered).short(
    "Each update answers a new id, that of the new version.",
    lambda usual, wanted, rule: usual(wanted, replace(rule, id=f"{rule.id}_v2")),
)
fault("update.created-at-from-body", update.created_at_after, "update.created-at-kept").short(
    "A `created_at` in the body is stored.",
    lambda usual, change: instant(_sent(change.wanted, "created_at")) or usual(change),
)
fault("update.later-updated-at-from-body", update.updated_at_after, "update.updated-at").short(
    "An `updated_at` in the body is stored where it is later.",
    lambda usual, change: max(usual(change), instant(_sent(change.wanted, "updated_at")) or usual(change)),
)
fault("update.updated-at-from-body", update.updated_at_after, "update.updated-at").short(
    "An `updated_at` in the body is stored.",
    lambda usual, change: instant(_sent(change.wanted, "updated_at")) or usual(change),
)
fault("update.organization-from-body", update.written, "update.read-back").short(
    "An `organization_id` in the body moves the rule.",
    lambda usual, change, rule: usual(change, replace(rule, organization_id=_organization(change))),
)


def _elsewhere(
    named: Callable[[Call], str | None],
) -> Later[Call, Reply]:
    """Let an update fall on the rule that is named beside the path, where there is one."""

    async def stand_in(usual: Callable[[Call], Coroutine[Any, Any, Reply]], call: Call) -> Reply:
        other = named(call) if call.asks_rule("PUT") else None
        is_there = other is not None and call.service.store.get(other) is not None
        return await usual(replace(call, rule_id=other) if is_there and other is not None else call)

    return stand_in


def _in_body(call: Call, name: str) -> str | None:
    try:
        value = json.loads(call.request.body)
    except ValueError:
        return None
    return value[name] if isinstance(value, dict) and isinstance(value.get(name), str) else None


def _in_query(call: Call) -> str | None:
    return next(iter(parse_qs(call.request.query).get("id", ())), None)


def _in_header(call: Call) -> str | None:
    named = call.request.first(b"x-rule-id")
    return None if named is None else named.decode("latin-1")


fault("update.body-id-beats-path", endpoints.handle, "update.isolated", "update.read-back").short(
    "An `id` in the body says which rule is updated.", _elsewhere(lambda call: _in_body(call, "id"))
)
fault("update.rule-id-in-body-beats-path", endpoints.handle, "update.isolated", "update.read-back").short(
    "A `rule_id` in the body says which rule is updated.", _elsewhere(lambda call: _in_body(call, "rule_id"))
)
fault("update.query-id-beats-path", endpoints.handle, "update.isolated", "update.read-back").short(
    "An `id` in the query says which rule is updated.", _elsewhere(_in_query)
)
fault("update.header-beats-path", endpoints.handle, "update.isolated", "update.read-back").short(
    "X-Rule-Id says which rule is updated, as behind some gateways.", _elsewhere(_in_header)
)

fault = Breaking(faults, "update.created-at-kept")
fault("update.created-at-moves-with-steps", update.created_at_after).short(
    "Other steps make another rule, which is made now.",
    lambda usual, change: (
        usual(change) if change.before.steps == change.wanted.steps else change.call.service.clock.now()
    ),
)
fault("update.created-at-moves-with-trigger", update.created_at_after).short(
    "Another type of trigger makes another rule, which is made now.",
    lambda usual, change: (
        usual(change)
        if change.before.trigger["type"] == change.wanted.trigger["type"]
        else change.call.service.clock.now()
    ),
)
fault("update.created-at-reset", update.created_at_after).short(
    "The record is deleted and made anew.", lambda usual, change: change.call.service.clock.now()
)
fault("update.created-at-is-last-update", update.created_at_after).short(
    "created_at is taken from the version before.", lambda usual, change: change.before.updated_at
)

fault = Breaking(faults, "update.updated-at")
fault("update.updated-at-kept", update.updated_at_after).short(
    "updated_at is never written.", lambda usual, change: change.before.updated_at
)
fault("update.updated-at-goes-back", update.updated_at_after).short(
    "updated_at goes back by two seconds with each update.",
    lambda usual, change: change.before.updated_at - timedelta(seconds=2),
)
fault("update.updated-at-is-the-day", update.updated_at_after).short(
    "updated_at holds the day alone.",
    lambda usual, change: change.call.service.clock.now().replace(hour=0, minute=0, second=0, microsecond=0),
)


def _others(changed: Callable[[Rule, Rule], Rule]) -> Callable[[RuleChange, Rule], None]:
    """Change the other rules of the organization, each by itself and the one that was written."""

    def effect(change: RuleChange, rule: Rule) -> None:
        store = change.call.service.store
        for other in store.all():
            if other.organization_id == change.before.organization_id and other.id != rule.id:
                store.put(changed(other, rule))

    return effect


def _disabled_together(change: RuleChange, rule: Rule) -> None:
    if change.before.status == "enabled":
        _others(lambda other, rule: replace(other, status="disabled"))(change, rule)


fault = Breaking(faults, "update.isolated", "update.identity")
fault("update.written-to-whole-organization", update.written).short(
    "The nickname is written to every rule of the organization.",
    then(_others(lambda other, rule: replace(other, nickname=rule.nickname))),
)
fault("update.others-disabled", update.written).short(
    "Every rule of the organization is disabled.", then(_others(lambda other, rule: replace(other, status="disabled")))
)
fault("update.all-disabled-with-an-enabled-one", update.written).short(
    "Where the rule was enabled, every rule of the organization is disabled.", then(_disabled_together)
)
fault("update.steps-of-others-deleted", update.written).short(
    "The steps of every other rule of the organization are deleted.",
    then(_others(lambda other, rule: replace(other, steps=[]))),
)


def _following(other: Rule, rule: Rule) -> Rule:
    follows = other.trigger.get("account_id") == rule.trigger.get("account_id")
    return replace(other, steps=rule.steps) if follows else other


fault("update.same-account-rules-follow", update.written).short(
    "Rules with the same trigger account get the same steps.", then(_others(_following))
)

fault = Breaking(faults, "update.repeatable", "update.replaces")
fault("update.nickname-made-unique", update.text_after, "update.read-back").short(
    "A nickname that is taken gets a number, by the rule itself too.",
    lambda usual, change, name: (
        f"{change.wanted.nickname} (2)" if name == "nickname" and _is_taken(change) else usual(change, name)
    ),
)


def _is_taken(change: RuleChange) -> bool:
    return change.wanted.nickname is not None and change.wanted.nickname == change.before.nickname


@fault("update.second-identical-clears", update.replaced, "update.omitted-is-cleared")
def second_identical_clears(usual: Callable[[RuleChange], Rule], change: RuleChange) -> Rule:
    """Only differences are written, and where there is none the texts are cleared."""
    if update.changes_nothing(change.before, change.wanted):
        change = replace(change, wanted=replace(change.wanted, nickname=None, description=None))
    return usual(change)


fault = Breaking(faults, "update.documented-example", "update.accepts-valid")
fault("update.null-description-refused", values.text, "update.omitted-is-cleared").short(
    "A null description is refused.",
    refuse_node(lambda node: node.pointer == "/description" and node.value is None, "must be a string."),
)
fault("update.enabled-body-refused", body.status).short(
    "A body that says enabled is refused.",
    refuse_node(lambda node: node.value == "enabled", "cannot be enabled by an update."),
)

fault = Breaking(faults, "update.accepts-valid")
fault("update.nickname-over-20-refused", values.text, "update.documented-example").short(
    "A nickname beyond 20 characters is refused.",
    refuse_node(
        lambda node: node.pointer == "/nickname" and type(node.value) is str and len(node.value) > 20,
        "must have at most 20 characters.",
    ),
)
fault("update.small-amounts-refused", values.cents).short(
    "Amounts below one dollar are refused.",
    refuse_node(lambda node: type(node.value) in (int, float) and node.value < 100, "must be at least 100."),
)
fault("update.type-behind-others-refused", actions.action).short(
    "An action is refused where its type does not come first, since that decides how the rest is read.",
    refuse_node(lambda node: isinstance(node.value, dict) and "type" in [*node.value][1:], "must begin with its type."),
)


@fault("update.nested-conditions-refused", conditions.members)
def nested_conditions_refused(usual: Callable[[Node], list[dict[str, Json]]], branch: Node) -> list[dict[str, Json]]:
    """Conditions that nest are refused."""
    trees = usual(branch)
    if any("condition" not in tree for tree in trees):
        raise errors.invalid(f"{branch.pointer} must hold plain conditions.")
    return trees
