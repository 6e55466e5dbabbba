"""What a replay does besides giving the original answer: nothing, unless a fault is on."""

import msgspec

from rules_harness.harness.reference.messages import Answer
from rules_harness.harness.reference.rendering import rule_data
from rules_harness.harness.reference.service import Service
from rules_harness.harness.reference.switches import fault
from rules_harness.harness.reference.syntax import parse
from rules_harness.harness.reference.update import update


async def replayed(service: Service, organization_id: str, rule_id: str, body: bytes, original: Answer) -> Answer:
    """The answer to a replay."""
    store = service.store
    rule = store.existing(rule_id)
    if fault("idempotency.replay-executes"):
        await update(service, organization_id, rule_id, body, keyed=True)
    if fault("idempotency.replay-writes-its-answer"):
        data = original.data
        texts = {"nickname": data["nickname"], "description": data["description"]}
        store.put(msgspec.structs.replace(rule, trigger=data["trigger"], steps=data["steps"], **texts))
    if fault("status.replay-disables"):
        store.put(msgspec.structs.replace(rule, status="disabled"))
    if fault("status.replay-applies-body"):
        store.put(msgspec.structs.replace(rule, status=parse(body)["status"]))
    if fault("idempotency.replay-answers-present-state"):
        return msgspec.structs.replace(original, data=rule_data(store.existing(rule_id)))
    return original
