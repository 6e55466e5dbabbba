"""Faults of the family concurrency; each holds its race open, so that it shows every time."""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from rules_harness.harness.reference import update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.effects import hold
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.stand_ins import Breaking, PlantedFault
from rules_harness.harness.reference.update import RuleChange
from rules_harness.harness.reference.validation.body import Configuration

faults: list[PlantedFault] = []
Carrying = Callable[[Call, Configuration], Awaitable[Rule]]

fault = Breaking(faults, "concurrency.whole")


@fault("concurrency.fields-apart", update.carried_out, "concurrency.disabled", "idempotency.concurrent")
async def fields_apart(usual: Carrying, call: Call, wanted: Configuration) -> Rule:
    """Texts and the rest are written in two statements without a transaction."""
    store = call.service.store
    before = store.existing(call.rule_id)
    rule = update.replaced(RuleChange(call, before, wanted))
    store.put(replace(before, nickname=rule.nickname, description=rule.description))
    await hold(call.service, call.rule_id)
    late = store.existing(call.rule_id)
    store.put(replace(rule, nickname=late.nickname, description=late.description))
    return rule


@fault("concurrency.halves-visible", update.written)
async def halves_visible(usual: Callable[[RuleChange, Rule], Awaitable[None]], change: RuleChange, rule: Rule) -> None:
    """Between two statements a reader sees the half that is written."""
    service = change.call.service
    service.store.put(replace(change.before, nickname=rule.nickname, description=rule.description))
    await hold(service, rule.id, longest=0.12)
    await usual(change, rule)


@fault("concurrency.steps-deleted-then-inserted", update.carried_out, "concurrency.isolated")
async def steps_deleted_then_inserted(usual: Carrying, call: Call, wanted: Configuration) -> Rule:
    """Steps are deleted and inserted in two statements without a transaction."""
    store = call.service.store
    rule = update.replaced(RuleChange(call, store.existing(call.rule_id), wanted))
    store.put(replace(rule, steps=[]))
    await hold(call.service, call.rule_id)
    store.put(replace(rule, steps=[*store.existing(call.rule_id).steps, *rule.steps]))
    return rule


@fault("concurrency.further-steps-late", update.carried_out, "concurrency.isolated")
async def further_steps_late(usual: Carrying, call: Call, wanted: Configuration) -> Rule:
    """Steps are inserted one by one, without a transaction."""
    store = call.service.store
    rule = update.replaced(RuleChange(call, store.existing(call.rule_id), wanted))
    store.put(replace(rule, steps=rule.steps[:1]))
    if len(rule.steps) > 1:
        await hold(call.service, call.rule_id)
        store.put(replace(store.existing(call.rule_id), steps=rule.steps))
    return rule


@fault("concurrency.changed-columns-alone", update.carried_out, "concurrency.disabled", "concurrency.isolated")
async def changed_columns_alone(usual: Carrying, call: Call, wanted: Configuration) -> Rule:
    """Only the columns that differ from what was read are written, without a lock in between."""
    store = call.service.store
    before = store.existing(call.rule_id)
    rule = update.replaced(RuleChange(call, before, wanted))
    await hold(call.service, call.rule_id)
    columns = ("nickname", "description", "status", "trigger", "steps", "updated_at")
    changed = {name: getattr(rule, name) for name in columns if getattr(rule, name) != getattr(before, name)}
    store.put(replace(store.existing(call.rule_id), **changed))
    return rule


@fault("concurrency.trigger-apart", update.carried_out, "concurrency.isolated", "idempotency.concurrent")
async def trigger_apart(usual: Carrying, call: Call, wanted: Configuration) -> Rule:
    """The trigger is written in a statement of its own, after the rest."""
    return await _written_apart(call, wanted, "trigger")


@fault("concurrency.nickname-apart", update.carried_out, "concurrency.isolated", "idempotency.concurrent")
async def nickname_apart(usual: Carrying, call: Call, wanted: Configuration) -> Rule:
    """The nickname is written in a statement of its own, after the rest."""
    return await _written_apart(call, wanted, "nickname")


async def _written_apart(call: Call, wanted: Configuration, field: str) -> Rule:
    """The rule in two statements: all of it but one field, and after a moment that field."""
    store = call.service.store
    before = store.existing(call.rule_id)
    rule = update.replaced(RuleChange(call, before, wanted))
    store.put(replace(rule, **{field: getattr(before, field)}))
    await hold(call.service, call.rule_id)
    store.put(replace(store.existing(call.rule_id), **{field: getattr(rule, field)}))
    return rule


fault = Breaking(faults, "concurrency.disabled")


@fault("concurrency.disabled-by-version", update.carried_out)
async def disabled_by_version(usual: Carrying, call: Call, wanted: Configuration) -> Rule:
    """The rule is disabled only where its version is still the one that was read."""
    store = call.service.store
    before = store.existing(call.rule_id)
    await hold(call.service, call.rule_id)
    rule = update.replaced(RuleChange(call, before, wanted))
    is_current = store.existing(call.rule_id).updated_at == before.updated_at
    store.put(rule if is_current else replace(rule, status=before.status))
    return rule


fault = Breaking(faults, "concurrency.isolated", "concurrency.whole")
_in_hand: dict[str, Configuration] = {}
_written_last: dict[str, str] = {}


@fault("concurrency.shared-request", update.carried_out)
async def shared_request(usual: Carrying, call: Call, wanted: Configuration) -> Rule:
    """The request in hand is kept in a variable that all requests share."""
    _in_hand["wanted"] = wanted
    await hold(call.service, "shared-request")
    return await usual(call, _in_hand["wanted"])


@fault("concurrency.last-written-answered", update.carried_out, "update.identity")
async def last_written_answered(usual: Carrying, call: Call, wanted: Configuration) -> Rule:
    """The answer shows the rule that was written last by anyone."""
    await usual(call, wanted)
    _written_last["id"] = call.rule_id
    await hold(call.service, "answer")
    return call.service.store.existing(_written_last["id"])
