"""Carries out a valid update: one reader and writer of a rule at a time."""

import msgspec

from rules_harness.harness.reference.replacement import replacement, spill, stored
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.service import Service
from rules_harness.harness.reference.switches import fault
from rules_harness.harness.reference.validation import Configuration


async def carried_out(service: Service, rule_id: str, asked: Configuration, *, keyed: bool) -> Rule:
    """Replace the rule's configuration; the rule as it is afterwards."""
    store = service.store
    if fault("concurrency.fields-apart"):
        return await _in_two_statements(service, rule_id, asked, keyed=keyed)
    if fault("concurrency.steps-deleted-then-inserted"):
        return await _steps_deleted_then_inserted(service, rule_id, asked, keyed=keyed)
    if fault("concurrency.disabled-by-version"):
        return await _disabled_by_version(service, rule_id, asked, keyed=keyed)
    if fault("concurrency.shared-request"):
        service.request_in_hand = asked
        await service.race.hold("shared-request")
        asked = service.request_in_hand
    async with store.lock(rule_id):
        rule = store.existing(rule_id)
        replaced = replacement(rule, asked, service.clock.now(), keyed=keyed)
        if fault("concurrency.halves-visible"):
            store.put(msgspec.structs.replace(rule, nickname=replaced.nickname, description=replaced.description))
            await service.race.hold(rule_id, longest=0.12)
        store.put(stored(rule, replaced, asked))
        spill(store, replaced)
    service.last_written = rule_id
    if fault("concurrency.last-written-answered"):
        await service.race.hold("answer")
        return store.existing(service.last_written)
    return replaced


async def _in_two_statements(service: Service, rule_id: str, asked: Configuration, *, keyed: bool) -> Rule:
    store = service.store
    replaced = replacement(store.existing(rule_id), asked, service.clock.now(), keyed=keyed)
    rest = store.existing(rule_id)
    store.put(msgspec.structs.replace(rest, nickname=replaced.nickname, description=replaced.description))
    await service.race.hold(rule_id)
    texts = store.existing(rule_id)
    store.put(msgspec.structs.replace(replaced, nickname=texts.nickname, description=texts.description))
    return replaced


async def _steps_deleted_then_inserted(service: Service, rule_id: str, asked: Configuration, *, keyed: bool) -> Rule:
    store = service.store
    replaced = replacement(store.existing(rule_id), asked, service.clock.now(), keyed=keyed)
    store.put(msgspec.structs.replace(replaced, steps=[]))
    await service.race.hold(rule_id)
    steps = [*store.existing(rule_id).steps, *replaced.steps]
    store.put(msgspec.structs.replace(replaced, steps=steps))
    return replaced


async def _disabled_by_version(service: Service, rule_id: str, asked: Configuration, *, keyed: bool) -> Rule:
    store = service.store
    rule = store.existing(rule_id)
    await service.race.hold(rule_id)
    replaced = replacement(rule, asked, service.clock.now(), keyed=keyed)
    unchanged = store.existing(rule_id).updated_at == rule.updated_at
    store.put(replaced if unchanged else msgspec.structs.replace(replaced, status=rule.status))
    return replaced
