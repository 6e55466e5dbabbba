"""Faults of the family authz."""

from rules_harness.harness.reference.faults.record import Fault, Mistake, breaking

AUTHZ: tuple[Fault, ...] = (
    *breaking(
        "authz.scope",
        "A valid key without the update permission: 403. A documented scope, alone, is not that permission.",
        Mistake(
            "authz.scope-unchecked",
            "Any key of the organization may update.",
            also=("authz.before-validation", "authz.no-effect", "idempotency.auth-first"),
        ),
        Mistake(
            "authz.read-is-enough",
            "READ_RULES is taken for the permission to update.",
            also=("authz.before-validation", "authz.no-effect", "idempotency.auth-first"),
        ),
        Mistake(
            "authz.trigger-is-enough",
            "TRIGGER_RULES is taken for the permission to update.",
            also=("authz.before-validation", "authz.no-effect", "idempotency.auth-first"),
        ),
        Mistake(
            "authz.scope-by-name",
            "Any scope that speaks of rules is taken for the permission to update.",
            also=("authz.before-validation", "authz.no-effect", "idempotency.auth-first"),
        ),
    ),
    *breaking(
        "authz.resource",
        "A key whose resources do not include this rule: 403; for a rule they include, the same key succeeds.",
        Mistake(
            "authz.resource-unchecked",
            "The list of resources is not looked at.",
            also=("authz.before-validation", "authz.no-effect"),
        ),
        Mistake("authz.listed-rule-refused", "Only `*` grants access, a listed rule does not."),
    ),
    *breaking(
        "authz.organization",
        "A key of another organization never updates this rule (403 or 404: reading).",
        Mistake(
            "authz.organization-unchecked",
            "The rule is looked up without regard to the organization.",
            also=("authz.no-effect", "idempotency.per-caller", "authz.before-validation"),
        ),
        Mistake(
            "authz.success-for-another-organization",
            "Another organization's rule is answered as if it had been updated.",
            also=("authz.no-effect",),
        ),
    ),
    *breaking(
        "authz.foreign-account",
        "A body that names another organization's account is refused, and never stored.",
        Mistake("authz.foreign-account-accepted", "Accounts are looked up without regard to the organization."),
        Mistake("authz.foreign-destination-accepted", "Only where the money comes from is checked, not where it goes."),
        Mistake("authz.foreign-trigger-account-accepted", "The trigger's account is not checked."),
        Mistake("authz.foreign-condition-account-accepted", "The accounts in conditions are not checked."),
    ),
    *breaking(
        "authz.before-validation",
        "Without permission a well-formed body of the wrong schema is still 403.",
        Mistake("authz.validated-first", "The body is validated before the permission is checked."),
    ),
    *breaking(
        "authz.no-effect",
        "After a 403 (or a cross-organization 404) the rule is unchanged.",
        Mistake(
            "authz.executed-before-check",
            "The update is written before the permission is found to be missing.",
            also=("status.rejected-keeps",),
        ),
        Mistake(
            "authz.executed-for-another-organization",
            "The update is written, then another organization's key is answered 404.",
            also=("authz.organization", "status.rejected-keeps"),
        ),
        Mistake(
            "authz.failed-attempt-disables",
            "An attempt without permission disables the rule, as a precaution.",
            also=("status.rejected-keeps",),
        ),
    ),
)
