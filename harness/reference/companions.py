"""The companions of the update: GET /rules/{id} and POST /rules/{id}/trigger."""

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.auth import authorize
from rules_harness.harness.reference.messages import Answer
from rules_harness.harness.reference.rendering import rule_data
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.seed import Key
from rules_harness.harness.reference.service import Service
from rules_harness.harness.reference.store import Store
from rules_harness.harness.reference.switches import fault, variant


def get_rule(service: Service, caller: Key, rule_id: str) -> Answer:
    """The rule as it is stored."""
    if variant("read.404"):
        raise errors.path_not_found()
    if variant("read.405"):
        raise errors.method_not_allowed("PUT")
    rule = authorize(caller, "READ_RULES", rule_id, service.store)
    return Answer(status=200, data=rule_data(_seen(service.store, rule)))


def _seen(store: Store, rule: Rule) -> Rule:
    if fault("update.first-read-cached"):
        return store.read_cache.setdefault(rule.id, rule)
    if fault("update.replica-one-behind"):
        return store.before_last_update(rule.id)
    return rule


def trigger_rule(service: Service, caller: Key, rule_id: str) -> Answer:
    """Start an execution of an enabled rule."""
    store = service.store
    rule = authorize(caller, "TRIGGER_RULES", rule_id, store)
    if rule.status != "enabled" and not _triggers_disabled(rule):
        raise errors.refusal(409, "rule_disabled", "The rule is disabled.")
    store.executions.append(rule_id)
    return Answer(status=202, data={"rule_id": rule_id, "execution_id": f"exec_{len(store.executions)}"})


def _triggers_disabled(rule: Rule) -> bool:
    return fault("status.disabled-triggers") or (
        fault("status.scheduled-triggers-disabled") and rule.trigger["type"] == "SCHEDULED"
    )
