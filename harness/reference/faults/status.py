"""Faults of the family status."""

from collections.abc import Callable
from datetime import timedelta
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from rules_harness.harness.reference import endpoints, idempotency, syntax, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.effects import Update, caller_of, overwrite
from rules_harness.harness.reference.messages import Refused, Reply
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.seed import ORGANIZATION
from rules_harness.harness.reference.service import Store
from rules_harness.harness.reference.stand_ins import Breaking, PlantedFault, on_refusal, then
from rules_harness.harness.reference.update import RuleChange
from rules_harness.harness.reference.validation.body import Configuration

faults: list[PlantedFault] = []


def _kept_if(
    condition: Callable[[Rule, Configuration], bool],
) -> Callable[[Callable[[RuleChange], str], RuleChange], str]:
    """Leave the status alone under a condition on the rule before and what is wanted."""
    return lambda usual, change: change.before.status if condition(change.before, change.wanted) else usual(change)


def _names_no_account(refused: Refused) -> bool:
    return "names no account" in str((refused.reply.error or {}).get("message"))


def _is_limited(call: Call) -> bool:
    caller = caller_of(call.request)
    return caller is not None and caller.role == "limited"


fault = Breaking(faults, "status.enabled-becomes-disabled", "status.stored")
fault("status.kept", update.status_after, "status.not-triggerable", "concurrency.disabled").short(
    "An update does not touch the status.", lambda usual, change: change.before.status
)
_as_asked = ("status.no-enable-by-body", "status.not-triggerable", "concurrency.disabled")
fault("status.from-body", update.status_after, *_as_asked).short(
    "The status is taken from the body.", lambda usual, change: change.wanted.status
)
fault("status.scheduled-only", update.status_after, "status.not-triggerable").short(
    "Only rules that become SCHEDULED are disabled.",
    _kept_if(lambda before, wanted: wanted.trigger["type"] != "SCHEDULED"),
)
fault("status.funds-transferred-only", update.status_after, "status.not-triggerable").short(
    "Only rules that become ON_FUNDS_TRANSFERRED are disabled.",
    _kept_if(lambda before, wanted: wanted.trigger["type"] != "ON_FUNDS_TRANSFERRED"),
)
fault("status.kept-without-change", update.status_after, "status.not-triggerable").short(
    "An update that changes nothing is optimised away.", _kept_if(update.changes_nothing)
)
fault("status.kept-when-text-changes", update.status_after, "status.not-triggerable").short(
    "Only changes of trigger or steps disable the rule.",
    _kept_if(lambda before, wanted: (wanted.trigger, wanted.steps) == (before.trigger, before.steps)),
)
fault("status.kept-when-the-description-changes", update.status_after, "status.not-triggerable").short(
    "A new description needs no review.",
    _kept_if(
        lambda before, wanted: (
            (wanted.nickname, wanted.trigger, wanted.steps) == (before.nickname, before.trigger, before.steps)
            and wanted.description != before.description
        )
    ),
)
fault("status.kept-where-asked-and-steps-stay", update.status_after, "status.not-triggerable").short(
    "What a body asks for is taken where the rule is enabled and its steps stay.",
    lambda usual, change: (
        change.wanted.status
        if change.before.status == "enabled"
        and change.wanted.steps == change.before.steps
        and change.wanted.trigger != change.before.trigger
        else usual(change)
    ),
)
fault("status.kept-with-key", update.status_after, "status.not-triggerable").short(
    "The idempotent path forgets to disable the rule.",
    lambda usual, change: change.before.status if idempotency.key_of(change.call.request) else usual(change),
)
fault("status.kept-by-limited-keys", update.status_after, "status.not-triggerable").short(
    "Only who may update every rule disables one.",
    lambda usual, change: change.before.status if _is_limited(change.call) else usual(change),
)
fault("status.kept-for-later-organizations", update.status_after, "status.not-triggerable").short(
    "Only rules of the first organization are disabled.",
    _kept_if(lambda before, wanted: before.organization_id != ORGANIZATION),
)
fault("status.kept-a-day-after", update.status_after, "status.not-triggerable").short(
    "What was enabled for more than a day counts as reviewed, and stays enabled.",
    lambda usual, change: (
        change.before.status
        if change.call.service.clock.now() - change.before.updated_at > timedelta(days=1)
        else usual(change)
    ),
)
fault("status.kept-for-percentages", update.status_after, "status.not-triggerable").short(
    "Rules that move percentages are not disabled.",
    _kept_if(
        lambda before, wanted: any(
            each.get("type") == "percentage" for step in wanted.steps for each in step["actions"]
        )
    ),
)
fault("status.kept-when-body-agrees", update.status_after, "status.not-triggerable", "concurrency.disabled").short(
    "A body that says what is stored leaves the status alone.",
    _kept_if(lambda before, wanted: wanted.status == before.status),
)

fault("status.kept-with-long-description", update.status_after, "status.not-triggerable").short(
    "A description beyond 40 characters is stored by a second statement, which writes the old record back.",
    _kept_if(lambda before, wanted: len(wanted.description or "") > 40),
)
_enabled_before: WeakKeyDictionary[Store, set[str]] = WeakKeyDictionary()


@fault("status.disabled-once", update.status_after, "status.not-triggerable", "concurrency.disabled")
def disabled_once(usual: Callable[[RuleChange], str], change: RuleChange) -> str:
    """That a rule needs a review is marked once: what was enabled again stays so."""
    reviewed = _enabled_before.setdefault(change.call.service.store, set())
    if change.before.status != "enabled" or change.before.id not in reviewed:
        reviewed |= {change.before.id} if change.before.status == "enabled" else set()
        return usual(change)
    return change.before.status


fault("status.kept-for-the-same-bytes", update.status_after, "status.not-triggerable").short(
    "A body that came before, byte for byte, leaves the status alone.",
    lambda usual, change: change.before.status if _came_before(change) else usual(change),
)
_refused: WeakKeyDictionary[Store, set[str]] = WeakKeyDictionary()


@fault("status.kept-after-a-refusal", update.update)
async def kept_after_a_refusal(usual: Update, call: Call, organization_id: str) -> Reply:
    """The update of an enabled rule that follows a refused one leaves it enabled: the status is set but once."""
    refused = _refused.setdefault(call.service.store, set())
    rule = call.service.store.get(call.rule_id)
    is_enabled = rule is not None and rule.status == "enabled"
    try:
        reply = await usual(call, organization_id)
    except Refused:
        refused.update({call.rule_id} if is_enabled else ())
        raise
    if is_enabled and call.rule_id in refused:
        overwrite(call, status="enabled")
        reply = reply.having(data={**reply.data, "status": "enabled"})
    refused.discard(call.rule_id)
    return reply


_bodies: WeakKeyDictionary[Store, dict[str, bytes]] = WeakKeyDictionary()


def _came_before(change: RuleChange) -> bool:
    latest = _bodies.setdefault(change.call.service.store, {})
    content = change.call.request.body
    same = latest.get(change.before.id) == content
    latest[change.before.id] = content
    return same


fault("status.kept-without-steps", update.status_after).short(
    "A rule without steps is left alone: it can do nothing.", _kept_if(lambda before, wanted: not wanted.steps)
)
fault("status.kept-when-reordered", update.status_after, "status.not-triggerable").short(
    "Steps in another order are no change that needs a review.",
    _kept_if(lambda before, wanted: sorted(map(str, before.steps)) == sorted(map(str, wanted.steps))),
)
fault("status.kept-when-spaced", update.status_after).short(
    "A body that was written by hand, over several lines, comes from the app and leaves the status alone.",
    lambda usual, change: change.before.status if b"\n" in change.call.request.body else usual(change),
)
fault("status.kept-with-request-id", update.status_after).short(
    "A request with an id is one of the app's own, and leaves the status alone.",
    lambda usual, change: change.before.status if change.call.request.first(b"x-request-id") else usual(change),
)

fault = Breaking(faults, "status.stored", "status.enabled-becomes-disabled")
_unread = ("status.not-triggerable", "update.read-back", "concurrency.disabled")
fault("status.only-answered", update.written, *_unread).short(
    "Disabled is answered, the stored status stays.",
    lambda usual, change, rule: usual(change, replace(rule, status=change.before.status)),
)
fault("status.stored-from-body", update.written, "status.no-enable-by-body", *_unread).short(
    "Disabled is answered, the body's status is stored.",
    lambda usual, change, rule: usual(change, replace(rule, status=change.wanted.status)),
)

fault = Breaking(faults, "status.stays-disabled", "status.stored", "status.no-enable-by-body", "status.not-triggerable")
_to_and_fro = ("status.replay-keeps", "concurrency.disabled", "update.repeatable")
fault("status.toggled", update.status_after, *_to_and_fro).short(
    "The status is toggled.", lambda usual, change: "disabled" if change.before.status == "enabled" else "enabled"
)
fault("status.new-steps-enable", update.status_after, "concurrency.disabled", "update.repeatable").short(
    "New steps put a disabled rule into force.",
    lambda usual, change: (
        "enabled"
        if change.before.status == "disabled" and change.wanted.steps != change.before.steps
        else usual(change)
    ),
)

fault = Breaking(faults, "status.no-enable-by-body", "status.stored")
fault("status.enabled-by-body", update.status_after).short(
    "A body that says enabled enables a disabled rule.",
    lambda usual, change: change.wanted.status if change.before.status == "disabled" else usual(change),
)
fault("status.scheduled-enabled-by-body", update.status_after).short(
    "A body that says enabled enables a disabled rule that was SCHEDULED.",
    lambda usual, change: (
        change.wanted.status
        if (change.before.status, change.before.trigger["type"]) == ("disabled", "SCHEDULED")
        else usual(change)
    ),
)

fault("status.enabled-by-body-with-key", update.status_after).short(
    "The idempotent path takes the status from the body.",
    lambda usual, change: (
        change.wanted.status
        if change.call.request.first(b"idempotency-key") and change.before.status == "disabled"
        else usual(change)
    ),
)
fault("status.manual-enabled-by-body", update.status_after).short(
    "A body that says enabled enables a disabled rule that becomes MANUAL.",
    lambda usual, change: (
        change.wanted.status
        if change.before.status == "disabled" and change.wanted.trigger["type"] == "MANUAL"
        else usual(change)
    ),
)

fault = Breaking(faults, "status.rejected-keeps", "validation.atomic")


@fault("status.disabled-before-validation", update.update)
async def disabled_before_validation(usual: Update, call: Call, organization_id: str) -> Reply:
    """The rule is disabled before the body is validated."""
    overwrite(call, status="disabled")
    return await usual(call, organization_id)


fault("status.disabled-by-refusal", update.validated).short(
    "A refused body disables the rule, as a precaution.",
    on_refusal(
        lambda refused, call, body: overwrite(call, status="disabled") if isinstance(body.value, dict) else None
    ),
)

_refused_keys: WeakKeyDictionary[Store, set[bytes]] = WeakKeyDictionary()


def _disable_if_repeated(call: Call) -> None:
    key, known = call.request.first(b"idempotency-key"), _refused_keys.setdefault(call.service.store, set())
    if key in known:
        overwrite(call, status="disabled")
    elif key is not None:
        known.add(key)


fault("status.disabled-by-a-limited-key", update.validated).short(
    "A refused body of a limited key disables the rule, as a precaution.",
    on_refusal(lambda refused, call, body: overwrite(call, status="disabled") if _is_limited(call) else None),
)
fault("status.disabled-by-a-repeated-refusal", update.validated).short(
    "A refused body that comes again under its key disables the rule.",
    on_refusal(lambda refused, call, body: _disable_if_repeated(call)),
)
fault("status.disabled-by-an-account", update.validated).short(
    "A body that names an account that is not there disables the rule, as a precaution.",
    on_refusal(lambda refused, call, body: overwrite(call, status="disabled") if _names_no_account(refused) else None),
)

fault("status.disabled-by-a-used-key", idempotency.reused).short(
    "Another body under a key disables the rule, as a precaution.",
    on_refusal(lambda refused, call, use: overwrite(call, status="disabled")),
)

fault("status.disabled-by-another-organization", endpoints.put_rule, "authz.no-effect").short(
    "An attempt from another organization disables the rule, as a precaution.",
    on_refusal(
        lambda refused, call, caller: (
            overwrite(call, status="disabled") if caller.organization_id != ORGANIZATION else None
        )
    ),
)

fault = Breaking(faults, "status.replay-keeps", "idempotency.no-reexecution")
fault("status.replay-disables", idempotency.replayed).short(
    "A replay disables the rule again.", then(lambda call, known, original: overwrite(call, status="disabled"))
)
fault("status.replay-disables-after-an-hour", idempotency.replayed).short(
    "A replay that comes from the archive of answers disables the rule again.",
    then(
        lambda call, known, original: (
            overwrite(call, status="disabled") if call.service.clock.now() - known.at > timedelta(hours=1) else None
        )
    ),
)
fault("status.replay-applies-body", idempotency.replayed).short(
    "A replay writes the status of its body.",
    then(lambda call, known, original: overwrite(call, status=syntax.parse(call.request.body)["status"])),
)

fault = Breaking(faults, "status.not-triggerable")
fault("status.disabled-triggers", endpoints.can_be_triggered).short(
    "Triggering does not look at the status.", lambda usual, rule: True
)
fault("status.scheduled-triggers-disabled", endpoints.can_be_triggered).short(
    "Triggering does not look at the status of SCHEDULED rules.",
    lambda usual, rule: usual(rule) or rule.trigger["type"] == "SCHEDULED",
)
fault("status.manual-triggers-disabled", endpoints.can_be_triggered).short(
    "A MANUAL rule can be triggered by hand while it is disabled.",
    lambda usual, rule: usual(rule) or rule.trigger["type"] == "MANUAL",
)
