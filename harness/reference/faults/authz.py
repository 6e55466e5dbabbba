"""Faults of the family authz."""

import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from rules_harness.harness.reference import credentials, endpoints, envelope, syntax
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.effects import disable, execute, touch
from rules_harness.harness.reference.endpoints import Endpoint
from rules_harness.harness.reference.faults.update_places import later_action, later_step
from rules_harness.harness.reference.messages import Refused, Reply
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.seed import ACCOUNTS, UPDATE_RULES, Key, LedgerAccount, Permission
from rules_harness.harness.reference.stand_ins import Breaking, PlantedFault, on_refusal
from rules_harness.harness.reference.validation import accounts
from rules_harness.harness.reference.validation.body import configuration
from rules_harness.harness.reference.validation.values import Node

faults: list[PlantedFault] = []
Authorize = Callable[[Call, Key, Permission | None], Rule]

fault = Breaking(faults, "authz.scope", "authz.before-validation", "authz.no-effect", "idempotency.auth-first")
fault("authz.scope-unchecked", credentials.update_permission).short(
    "Any key of the organization may update.", lambda usual, caller: usual(caller) or Permission(UPDATE_RULES)
)
fault("authz.read-is-enough", credentials.update_permission).short(
    "READ_RULES is taken for the permission to update.",
    lambda usual, caller: usual(caller) or caller.permission("READ_RULES"),
)
fault("authz.trigger-is-enough", credentials.update_permission).short(
    "TRIGGER_RULES is taken for the permission to update.",
    lambda usual, caller: usual(caller) or caller.permission("TRIGGER_RULES"),
)
fault("authz.scope-by-name", credentials.update_permission).short(
    "Any scope that speaks of rules is taken for the permission to update.",
    lambda usual, caller: usual(caller) or next((each for each in caller.permissions if "RULE" in each.scope), None),
)


def _readable_if_enabled(usual: Authorize, call: Call, caller: Key, entry: Permission | None) -> Rule:
    rule = call.service.store.get(call.rule_id)
    is_enabled = rule is not None and rule.status == "enabled"
    return usual(call, caller, entry or (caller.permission("READ_RULES") if is_enabled else None))


fault("authz.readers-update-what-is-enabled", credentials.authorize).short(
    "READ_RULES is enough for a rule that is enabled.", _readable_if_enabled
)

fault = Breaking(faults, "authz.resource")
fault("authz.resource-unchecked", credentials.update_permission, "authz.before-validation", "authz.no-effect").short(
    "The list of resources is not looked at.", lambda usual, caller: usual(caller) and Permission(UPDATE_RULES)
)
fault("authz.resource-by-part", credentials.is_listed).short(
    "A rule is listed where its id begins like a listed one.",
    lambda usual, rule_id, entry: (
        usual(rule_id, entry) or any(rule_id[:8] == resource[:8] for resource in entry.resources)
    ),
)
fault("authz.resource-in-joined-list", credentials.is_listed).short(
    "A rule is listed where the end of its id occurs in the list.",
    lambda usual, rule_id, entry: usual(rule_id, entry) or rule_id[-1:] in ",".join(entry.resources),
)
fault("authz.resource-under-its-plain-path-alone", credentials.authorize).short(
    "The list of resources is looked at only where the path is written as usual.",
    lambda usual, call, caller, entry: usual(call, caller, _unlimited(entry) if "%" in call.request.path else entry),
)
fault("authz.resource-of-the-query", credentials.authorize).short(
    "The list of resources is asked for the id in the query, where there is one.",
    lambda usual, call, caller, entry: usual(
        call, caller, _unlimited(entry) if entry and _listed_in_query(call, entry) else entry
    ),
)
fault("authz.listed-rule-refused", credentials.is_listed).short(
    "Only `*` grants access, a listed rule does not.", lambda usual, rule_id, entry: "*" in entry.resources
)


def _listed_in_query(call: Call, entry: Permission) -> bool:
    return bool(set(parse_qs(call.request.query).get("id", ())) & set(entry.resources))


def _unlimited(entry: Permission | None) -> Permission | None:
    return entry and Permission(entry.scope)


def _of_others(call: Call, caller: Key) -> Rule | None:
    rule = call.service.store.get(call.rule_id)
    return None if rule is None or rule.organization_id == caller.organization_id else rule


fault = Breaking(faults, "authz.organization")
_any_organization = ("authz.no-effect", "idempotency.per-caller", "authz.before-validation")
fault("authz.organization-unchecked", credentials.find, *_any_organization).short(
    "The rule is looked up without regard to the organization.",
    lambda usual, call, caller: call.service.store.get(call.rule_id) or usual(call, caller),
)


@fault("authz.success-for-another-organization", endpoints.put_rule, "authz.no-effect")
async def success_for_another_organization(usual: Endpoint, call: Call, caller: Key) -> Reply:
    """Another organization's rule is answered as if it had been updated."""
    rule = _of_others(call, caller)
    return await usual(call, caller) if rule is None else Reply(status=200, data=envelope.rule_data(rule))


def _anybodys(node: Node) -> LedgerAccount | None:
    return next((entry for entry in ACCOUNTS if entry.id == node.value), None)


fault = Breaking(faults, "authz.foreign-account")
fault("authz.foreign-account-accepted", accounts.account_named).short(
    "Accounts are looked up without regard to the organization.", lambda usual, node: _anybodys(node)
)
fault("authz.foreign-destination-accepted", accounts.account_named).short(
    "Only where the money comes from is checked, not where it goes.",
    lambda usual, node: _anybodys(node) if "/destination" in node.pointer else usual(node),
)
fault("authz.foreign-trigger-account-accepted", accounts.account_named).short(
    "The trigger's account is not checked.",
    lambda usual, node: _anybodys(node) if node.pointer.startswith("/trigger") else usual(node),
)
fault("authz.foreign-condition-account-accepted", accounts.account_named).short(
    "The accounts in conditions are not checked.",
    lambda usual, node: _anybodys(node) if "/params" in node.pointer else usual(node),
)
fault("authz.later-steps-accounts-accepted", accounts.account_named).short(
    "Only the accounts of the first step are checked.",
    lambda usual, node: _anybodys(node) if later_step(node) else usual(node),
)
fault("authz.later-actions-accounts-accepted", accounts.account_named).short(
    "Of each step only the accounts of the first action are checked.",
    lambda usual, node: _anybodys(node) if later_action(node) else usual(node),
)
fault("authz.last-of-all-accounts-accepted", accounts.account_named).short(
    "The accounts of later actions of later steps are not checked.",
    lambda usual, node: _anybodys(node) if later_step(node) and later_action(node) else usual(node),
)
fault("authz.later-conditions-accounts-accepted", accounts.account_named).short(
    "Of the accounts in conditions those of the first step are checked.",
    lambda usual, node: _anybodys(node) if later_step(node) and "/params" in node.pointer else usual(node),
)
fault("authz.deep-condition-accounts-accepted", accounts.account_named).short(
    "Of the accounts in conditions those of the first level are checked.",
    lambda usual, node: _anybodys(node) if len(re.findall("/(?:any|all)/", node.pointer)) > 1 else usual(node),
)
fault("authz.foreign-pods-accepted", accounts.account_named).short(
    "Whose a pod is is not looked at.",
    lambda usual, node: entry if (entry := _anybodys(node)) is not None and entry.type == "pod" else usual(node),
)


def _on_403(effect: Callable[[Call], Awaitable[None] | None]) -> Callable[[Refused, Call, Key], Awaitable[None] | None]:
    return lambda refused, call, caller: effect(call) if refused.reply.status == 403 else None


def _validate(call: Call) -> None:
    rule = call.service.store.get(call.rule_id)
    if rule is not None:
        configuration(Node(syntax.parse(call.request.body), "", rule.organization_id))


fault = Breaking(faults, "authz.before-validation")
fault("authz.validated-first", endpoints.put_rule).short(
    "The body is validated before the permission is checked.", on_refusal(_on_403(_validate))
)

fault = Breaking(faults, "authz.no-effect")
fault("authz.executed-before-check", endpoints.put_rule, "status.rejected-keeps").short(
    "The update is written before the permission is found to be missing.", on_refusal(_on_403(execute))
)
fault(
    "authz.executed-for-another-organization", endpoints.put_rule, "authz.organization", "status.rejected-keeps"
).short(
    "The update is written, then another organization's key is answered 404.",
    on_refusal(lambda refused, call, caller: execute(call) if _of_others(call, caller) is not None else None),
)
fault("authz.failed-attempt-touches", endpoints.put_rule).short(
    "An attempt without permission moves updated_at.", on_refusal(_on_403(touch))
)
fault("authz.other-organization-touches", endpoints.put_rule).short(
    "An attempt of another organization moves updated_at.",
    on_refusal(lambda refused, call, caller: touch(call) if _of_others(call, caller) is not None else None),
)
fault("authz.failed-attempt-with-key-touches", endpoints.put_rule).short(
    "An attempt without permission moves updated_at where it has an Idempotency-Key.",
    on_refusal(_on_403(lambda call: touch(call) if call.request.first(b"idempotency-key") else None)),
)
fault("authz.failed-attempt-disables", endpoints.put_rule, "status.rejected-keeps").short(
    "An attempt without permission disables the rule, as a precaution.", on_refusal(_on_403(disable))
)
