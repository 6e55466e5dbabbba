"""Faults of the family update: what an update does to the record."""

from rules_harness.harness.reference.faults.record import Fault, Mistake, breaking

UPDATE: tuple[Fault, ...] = (
    *breaking(
        "update.read-back",
        "GET gives what the PUT answered.",
        Mistake(
            "update.first-read-cached",
            "A read is answered from a cache that updates do not clear.",
            also=("status.stored", "update.omitted-is-cleared", "update.steps-replaced", "update.amounts-exact"),
        ),
        Mistake(
            "update.replica-one-behind",
            "A read is answered by a replica that is one update behind.",
            also=("status.stored", "status.no-enable-by-body", "status.stays-disabled"),
        ),
        Mistake(
            "update.description-not-stored",
            "The description is answered but not stored.",
            also=("update.omitted-is-cleared", "update.replaces"),
        ),
    ),
    *breaking(
        "update.identity",
        "`data.id` is the path's id; a body cannot set id, created_at, organization or another server-owned field.",
        Mistake("update.id-from-body", "An `id` in the body is answered as the rule's."),
        Mistake("update.new-id", "Each update answers a new id, that of the new version."),
        Mistake(
            "update.created-at-from-body",
            "A `created_at` in the body is stored.",
            also=("update.created-at-kept",),
        ),
        Mistake("update.updated-at-from-body", "An `updated_at` in the body is stored.", also=("update.updated-at",)),
        Mistake(
            "update.organization-from-body",
            "An `organization_id` in the body moves the rule.",
            also=("update.read-back",),
        ),
    ),
    *breaking(
        "update.created-at-kept",
        "An update does not change created_at.",
        Mistake("update.created-at-reset", "The record is deleted and made anew."),
        Mistake("update.created-at-is-last-update", "created_at is taken from the version before."),
    ),
    *breaking(
        "update.updated-at",
        "updated_at never goes back, is not before created_at, and advances when a changed body executes at "
        "least one granule (as observed, up to a second) later.",
        Mistake("update.updated-at-kept", "updated_at is never written."),
        Mistake("update.updated-at-goes-back", "updated_at goes back by two seconds with each update."),
        Mistake("update.updated-at-is-the-day", "updated_at holds the day alone."),
    ),
    *breaking(
        "update.isolated",
        "No other rule changes.",
        Mistake("update.written-to-whole-organization", "The nickname is written to every rule of the organization."),
        Mistake("update.others-disabled", "Every rule of the organization is disabled."),
        Mistake("update.same-account-rules-follow", "Rules with the same trigger account get the same steps."),
    ),
    *breaking(
        "update.repeatable",
        "The same body sent twice without a key leaves the same rule, updated_at aside.",
        Mistake(
            "update.nickname-made-unique",
            "A nickname that is taken gets a number, by the rule itself too.",
            also=("update.replaces", "update.read-back"),
        ),
        Mistake(
            "update.second-identical-clears",
            "Only differences are written, and where there is none the texts are cleared.",
            also=("update.replaces", "update.omitted-is-cleared"),
        ),
    ),
    *breaking(
        "update.documented-example",
        "The page's example body is accepted, with accounts and start_date substituted.",
        Mistake(
            "update.null-description-refused",
            "A null description is refused.",
            also=("update.accepts-valid", "update.omitted-is-cleared"),
        ),
        Mistake("update.enabled-body-refused", "A body that says enabled is refused.", also=("update.accepts-valid",)),
    ),
    *breaking(
        "update.accepts-valid",
        "A plausible body is accepted.",
        Mistake(
            "update.nickname-over-20-refused",
            "A nickname beyond 20 characters is refused.",
            also=("update.documented-example",),
        ),
        Mistake("update.small-amounts-refused", "Amounts below one dollar are refused."),
        Mistake("update.nested-conditions-refused", "Conditions that nest are refused."),
    ),
)
