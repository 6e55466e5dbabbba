"""Faults of the family status."""

from rules_harness.harness.reference.faults.record import Fault, Mistake, breaking

STATUS: tuple[Fault, ...] = (
    *breaking(
        "status.enabled-becomes-disabled",
        "An update of an enabled rule leaves it disabled, whatever `status` the body carries, whatever else "
        "changes or does not, whatever trigger or actions, with or without a key.",
        Mistake(
            "status.kept",
            "An update does not touch the status.",
            also=("status.stored", "status.not-triggerable", "concurrency.disabled"),
        ),
        Mistake(
            "status.from-body",
            "The status is taken from the body.",
            also=("status.stored", "status.no-enable-by-body", "status.not-triggerable", "concurrency.disabled"),
        ),
        Mistake(
            "status.scheduled-only",
            "Only rules that become SCHEDULED are disabled.",
            also=("status.stored", "status.not-triggerable"),
        ),
        Mistake(
            "status.funds-transferred-only",
            "Only rules that become ON_FUNDS_TRANSFERRED are disabled.",
            also=("status.stored", "status.not-triggerable"),
        ),
        Mistake(
            "status.kept-without-change",
            "An update that changes nothing is optimised away.",
            also=("status.stored", "status.not-triggerable"),
        ),
        Mistake(
            "status.kept-when-text-changes",
            "Only changes of trigger or steps disable the rule.",
            also=("status.stored", "status.not-triggerable"),
        ),
        Mistake(
            "status.kept-with-key",
            "The idempotent path forgets to disable the rule.",
            also=("status.stored", "status.not-triggerable"),
        ),
        Mistake(
            "status.kept-for-percentages",
            "Rules that move percentages are not disabled.",
            also=("status.stored", "status.not-triggerable"),
        ),
        Mistake(
            "status.kept-when-body-agrees",
            "A body that says what is stored leaves the status alone.",
            also=("status.stored", "status.not-triggerable", "concurrency.disabled"),
        ),
    ),
    *breaking(
        "status.stored",
        "The stored status (GET) is disabled too: the answer does not just say so.",
        Mistake(
            "status.only-answered",
            "Disabled is answered, the stored status stays.",
            also=(
                "status.enabled-becomes-disabled",
                "status.not-triggerable",
                "update.read-back",
                "concurrency.disabled",
            ),
        ),
        Mistake(
            "status.stored-from-body",
            "Disabled is answered, the body's status is stored.",
            also=(
                "status.enabled-becomes-disabled",
                "status.no-enable-by-body",
                "status.not-triggerable",
                "update.read-back",
                "concurrency.disabled",
            ),
        ),
    ),
    *breaking(
        "status.stays-disabled",
        "An update of a disabled rule whose body says disabled leaves it disabled.",
        Mistake(
            "status.toggled",
            "The status is toggled.",
            also=(
                "status.stored",
                "status.no-enable-by-body",
                "status.not-triggerable",
                "status.replay-keeps",
                "concurrency.disabled",
                "update.repeatable",
            ),
        ),
        Mistake(
            "status.new-steps-enable",
            "New steps put a disabled rule into force.",
            also=(
                "status.stored",
                "status.no-enable-by-body",
                "status.not-triggerable",
                "concurrency.disabled",
                "update.repeatable",
            ),
        ),
    ),
    *breaking(
        "status.no-enable-by-body",
        "A body saying `enabled` does not enable a disabled rule.",
        Mistake("status.enabled-by-body", "A body that says enabled enables a disabled rule.", also=("status.stored",)),
        Mistake(
            "status.scheduled-enabled-by-body",
            "A body that says enabled enables a disabled rule that was SCHEDULED.",
            also=("status.stored",),
        ),
    ),
    *breaking(
        "status.rejected-keeps",
        "A refused update (any 4xx) leaves an enabled rule enabled.",
        Mistake(
            "status.disabled-before-validation",
            "The rule is disabled before the body is validated.",
            also=("validation.atomic",),
        ),
        Mistake(
            "status.disabled-by-refusal",
            "A refused body disables the rule, as a precaution.",
            also=("validation.atomic",),
        ),
    ),
    *breaking(
        "status.replay-keeps",
        "A replayed answer neither enables nor disables anything: a rule that a human re-enabled after the "
        "first update stays enabled.",
        Mistake("status.replay-disables", "A replay disables the rule again.", also=("idempotency.no-reexecution",)),
        Mistake(
            "status.replay-applies-body",
            "A replay writes the status of its body.",
            also=("idempotency.no-reexecution",),
        ),
    ),
    *breaking(
        "status.not-triggerable",
        "After the update the rule cannot be triggered until a human enables it.",
        Mistake("status.disabled-triggers", "Triggering does not look at the status."),
        Mistake("status.scheduled-triggers-disabled", "Triggering does not look at the status of SCHEDULED rules."),
    ),
)
