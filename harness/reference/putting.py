"""PUT /rules/{id}."""

from rules_harness.harness.reference.auth import authorize
from rules_harness.harness.reference.idempotency_key import key_of, use_of
from rules_harness.harness.reference.messages import Answer, Incoming, Refused
from rules_harness.harness.reference.refusing import key_or_none, without_permission
from rules_harness.harness.reference.replaying import replayed
from rules_harness.harness.reference.seed import UPDATE_RULES, Key
from rules_harness.harness.reference.service import Service
from rules_harness.harness.reference.switches import fault
from rules_harness.harness.reference.syntax import check_media_type, check_size
from rules_harness.harness.reference.update import update


async def put_rule(service: Service, request: Incoming, caller: Key, rule_id: str, request_id: str) -> Answer:
    """Update the rule, once per idempotency key."""
    if fault("idempotency.before-authorization"):
        stored = service.keys.answer_of_anyone(key_or_none(request), rule_id, caller.organization_id)
        if stored is not None:
            return stored
    try:
        authorize(caller, UPDATE_RULES, rule_id, service.store)
    except Refused as refused:
        key = key_or_none(request)
        if key is not None:
            service.keys.remember_refusal(use_of(key, caller, rule_id, request, request_id), refused.answer)
        instead = await without_permission(service, request, caller, rule_id, refused)
        if instead is None:
            raise
        return instead
    return await _updated(service, request, caller, rule_id, request_id)


async def _updated(service: Service, request: Incoming, caller: Key, rule_id: str, request_id: str) -> Answer:
    check_media_type(request)
    check_size(request.body)
    key = key_of(request)
    organization_id = caller.organization_id

    async def execute(body: bytes) -> Answer:
        return await update(service, organization_id, rule_id, body, keyed=key is not None)

    async def replay(body: bytes, original: Answer) -> Answer:
        return await replayed(service, organization_id, rule_id, body, original)

    if key is None:
        return await execute(request.body)
    return await service.keys.answer(use_of(key, caller, rule_id, request, request_id), execute, replay)
