"""The update: the body is judged whole before anything is written."""

from collections.abc import Mapping

import msgspec

from rules_harness.harness.reference.carrying_out import carried_out
from rules_harness.harness.reference.messages import Answer, Json, Refused
from rules_harness.harness.reference.rendering import rule_data
from rules_harness.harness.reference.replacement import answered
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.service import Service
from rules_harness.harness.reference.store import Store
from rules_harness.harness.reference.switches import fault, variant
from rules_harness.harness.reference.syntax import parse
from rules_harness.harness.reference.validation import Configuration, configuration
from rules_harness.harness.reference.validation.plausible import check_plausible


async def update(service: Service, organization_id: str, rule_id: str, body: bytes, *, keyed: bool) -> Answer:
    """Validate the body and replace the rule's configuration by it; the rule is disabled afterwards.

    Raises:
        Refused: the body breaks the contract; then nothing has changed.
    """
    rule = service.store.existing(rule_id)
    if fault("status.disabled-before-validation"):
        service.store.put(msgspec.structs.replace(rule, status="disabled"))
    if fault("validation.empty-body-as-no-change") and not body:
        return Answer(status=200, data=rule_data(rule))
    asked = _asked(service, organization_id, rule, body)
    replaced = await carried_out(service, rule_id, asked, keyed=keyed)
    return Answer(status=_success_status(), data=rule_data(answered(replaced, asked)))


def _asked(service: Service, organization_id: str, rule: Rule, body: bytes) -> Configuration:
    value = parse(body)
    if fault("validation.missing-kept") and isinstance(value, dict):
        value = {"status": "disabled", "trigger": rule.trigger, "steps": rule.steps, **value}
    try:
        asked = configuration(value, organization_id)
    except Refused:
        if isinstance(value, dict):
            _written_nevertheless(service.store, rule, value)
        raise
    if variant("plausibility.strict"):
        check_plausible(asked.trigger, asked.steps, service.clock.now())
    return asked


def _written_nevertheless(store: Store, rule: Rule, value: Mapping[str, Json]) -> None:
    """What a refused update writes: nothing, unless a fault is on."""
    nickname = value.get("nickname")
    if fault("validation.texts-written-first") and isinstance(nickname, str):
        store.put(msgspec.structs.replace(rule, nickname=nickname))
    trigger, steps = value.get("trigger"), value.get("steps")
    if fault("validation.judged-after-writing") and isinstance(trigger, dict) and isinstance(steps, list):
        store.put(msgspec.structs.replace(rule, trigger=trigger, steps=steps))
    if fault("status.disabled-by-refusal"):
        store.put(msgspec.structs.replace(rule, status="disabled"))


def _success_status() -> int:
    if fault("envelope.created-201"):
        return 201
    if fault("envelope.accepted-202"):
        return 202
    return 200
