"""What a request that is refused for its credentials does besides: nothing, unless a fault is on."""

import msgspec

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.idempotency_key import key_of
from rules_harness.harness.reference.messages import Answer, Incoming, Refused
from rules_harness.harness.reference.rendering import rule_data
from rules_harness.harness.reference.routing import Target
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.seed import ORGANIZATION, Key
from rules_harness.harness.reference.service import Service
from rules_harness.harness.reference.switches import fault
from rules_harness.harness.reference.syntax import parse
from rules_harness.harness.reference.update import update
from rules_harness.harness.reference.validation import configuration


def key_or_none(request: Incoming) -> str | None:
    """The idempotency key where there is a usable one: a refusal for credentials comes before one for the key."""
    try:
        return key_of(request)
    except Refused:
        return None


async def without_credentials(service: Service, request: Incoming, target: Target | None, refused: Refused) -> None:
    """After a 401.

    Raises:
        Refused: a fault looks at the rule or the body first and refuses for that.
    """
    if target is None:
        return
    rule = service.store.get(target.rule_id)
    if fault("auth.looked-up-first") and rule is None:
        raise errors.rule_not_found(target.rule_id)
    if fault("auth.validated-first"):
        configuration(parse(request.body), ORGANIZATION)
    if rule is not None and request.method == "PUT":
        if fault("auth.executed-before-check"):
            await _executed(service, rule, request.body)
        if fault("auth.failed-attempt-disables"):
            _disabled(service, rule)
    key = key_or_none(request)
    if key is not None:
        service.keys.remember_unauthenticated(key, target.rule_id, refused.answer)


async def without_permission(
    service: Service, request: Incoming, caller: Key, rule_id: str, refused: Refused
) -> Answer | None:
    """After a 403 or 404; an answer where a fault gives one in its place.

    Raises:
        Refused: a fault looks at the body first and refuses for that.
    """
    rule = service.store.get(rule_id)
    if rule is None:
        return await _on_unknown_rule(service, request, caller, rule_id, refused)
    forbidden = refused.answer.status == 403
    if fault("authz.validated-first") and forbidden:
        configuration(parse(request.body), caller.organization_id)
    if fault("authz.executed-before-check") and forbidden:
        await _executed(service, rule, request.body)
    if fault("authz.failed-attempt-disables") and forbidden:
        _disabled(service, rule)
    if rule.organization_id != caller.organization_id:
        if fault("authz.executed-for-another-organization"):
            await _executed(service, rule, request.body)
        if fault("authz.success-for-another-organization"):
            return Answer(status=200, data=rule_data(rule))
    return None


async def _on_unknown_rule(
    service: Service, request: Incoming, caller: Key, rule_id: str, refused: Refused
) -> Answer | None:
    if refused.answer.status == 403:
        return None
    template = service.store.all()[0]
    made = msgspec.structs.replace(template, id=rule_id, organization_id=caller.organization_id, status="disabled")
    if fault("not-found.no-row-ignored"):
        return Answer(status=200, data=rule_data(made))
    if fault("not-found.made-behind-404"):
        service.store.put(made)
    if fault("not-found.made"):
        service.store.put(made)
        return await update(service, caller.organization_id, rule_id, request.body, keyed=False)
    return None


async def _executed(service: Service, rule: Rule, body: bytes) -> None:
    try:
        await update(service, rule.organization_id, rule.id, body, keyed=False)
    except Refused:
        return


def _disabled(service: Service, rule: Rule) -> None:
    service.store.put(msgspec.structs.replace(rule, status="disabled", updated_at=service.clock.now()))
