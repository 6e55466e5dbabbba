"""Faults of the family status."""

from collections.abc import Callable

from msgspec.structs import replace

from rules_harness.harness.reference import endpoints, idempotency, syntax, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.effects import Update, overwrite
from rules_harness.harness.reference.messages import Reply
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.stand_ins import Breaking, PlantedFault, on_refusal, then
from rules_harness.harness.reference.update import RuleChange
from rules_harness.harness.reference.validation.body import Configuration

faults: list[PlantedFault] = []


def _kept_if(
    condition: Callable[[Rule, Configuration], bool],
) -> Callable[[Callable[[RuleChange], str], RuleChange], str]:
    """Leave the status alone under a condition on the rule before and what is wanted."""
    return lambda usual, change: change.before.status if condition(change.before, change.wanted) else usual(change)


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
fault("status.kept-with-key", update.status_after, "status.not-triggerable").short(
    "The idempotent path forgets to disable the rule.",
    lambda usual, change: change.before.status if idempotency.key_of(change.call.request) else usual(change),
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

fault = Breaking(faults, "status.replay-keeps", "idempotency.no-reexecution")
fault("status.replay-disables", idempotency.replayed).short(
    "A replay disables the rule again.", then(lambda call, known, original: overwrite(call, status="disabled"))
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
