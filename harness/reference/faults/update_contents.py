"""Faults of the family update: what becomes of the contents of a body."""

from rules_harness.harness.reference.faults.record import Fault, Mistake, breaking

UPDATE_CONTENTS: tuple[Fault, ...] = (
    *breaking(
        "update.replaces",
        "After a success, `data` equals the body in every field of the contract that the client sent, apart "
        "from `status` and documented defaults.",
        Mistake("update.text-cut-at-50", "Text is cut at 50 characters."),
        Mistake("update.text-trimmed", "White space at the ends of text is removed."),
        Mistake("update.text-without-astral", "Characters beyond the basic plane are dropped."),
        Mistake("update.text-normalised", "Text is normalised to NFC."),
        Mistake("update.text-html-escaped", "Text is stored with its markup escaped."),
        Mistake(
            "update.trigger-kept-within-type",
            "A trigger of the same type is not replaced.",
            also=("update.omitted-is-cleared",),
        ),
        Mistake(
            "update.start-date-at-midnight",
            "The time of start_date is dropped.",
            also=("update.documented-example",),
        ),
        Mistake("update.zone-dropped", "The offset of start_date is dropped without converting."),
        Mistake("update.limit-dropped", "An action's limit is not stored."),
        Mistake("update.ach-description-dropped", "An action's ach_description is not stored."),
        Mistake("update.conditions-flattened", "Nested conditions are flattened."),
        Mistake("update.direct-deposit-reset", "is_direct_deposit always takes its default."),
        Mistake("update.up-to-enabled-always", "up_to_enabled is always true."),
    ),
    *breaking(
        "update.omitted-is-cleared",
        "An optional field left out is null afterwards, not the old value; an explicit null is null.",
        Mistake("update.omitted-kept", "Fields that are left out keep their old value.", also=("update.replaces",)),
        Mistake(
            "update.null-kept",
            "An explicit null keeps the old value.",
            also=("update.replaces", "update.documented-example"),
        ),
        Mistake(
            "update.empty-kept",
            "Null and empty text keep the old value.",
            also=("update.replaces", "update.documented-example"),
        ),
        Mistake(
            "update.null-as-empty-text",
            "Null is stored as an empty string.",
            also=("update.replaces", "update.documented-example"),
        ),
        Mistake("update.trigger-merged", "The new trigger is merged into the old one.", also=("update.replaces",)),
        Mistake(
            "update.limit-kept-when-omitted",
            "The limit of the action that stood in the same place is kept.",
            also=("update.replaces", "update.steps-replaced"),
        ),
    ),
    *breaking(
        "update.steps-replaced",
        "Steps and actions are replaced: not merged, appended, reordered, renumbered or cut.",
        Mistake("update.steps-appended", "New steps are added to the old ones.", also=("update.replaces",)),
        Mistake(
            "update.steps-merged-by-position",
            "Old steps beyond the number of new ones are kept.",
            also=("update.replaces",),
        ),
        Mistake(
            "update.steps-cut-at-5",
            "Steps beyond the fifth are dropped.",
            also=("update.replaces", "validation.size"),
        ),
        Mistake("update.steps-sorted", "Steps with conditions are put first.", also=("update.replaces",)),
        Mistake("update.equal-steps-merged", "Of equal steps one is kept.", also=("update.replaces",)),
        Mistake("update.actions-sorted", "Actions are sorted by their group.", also=("update.replaces",)),
        Mistake("update.groups-renumbered", "Groups are numbered anew from 0.", also=("update.replaces",)),
        Mistake("update.one-action-per-group", "Of a group's actions the last is kept.", also=("update.replaces",)),
    ),
    *breaking(
        "update.amounts-exact",
        "Amounts survive exactly or are refused, percentages with their fraction; the range that was tried is "
        "reported.",
        Mistake(
            "update.amounts-wrap-at-32-bits",
            "Amounts wrap around at 32 bits.",
            also=("update.replaces", "envelope.rule-schema"),
        ),
        Mistake(
            "update.amounts-in-single-precision",
            "Amounts pass through single precision.",
            also=("update.replaces", "envelope.rule-schema"),
        ),
        Mistake("update.amounts-clamped", "Amounts beyond 100,000 dollars are clamped.", also=("update.replaces",)),
        Mistake("update.amounts-in-whole-dollars", "Amounts are stored in whole dollars.", also=("update.replaces",)),
        Mistake("update.percentages-two-digits", "Percentages are rounded to two digits.", also=("update.replaces",)),
        Mistake("update.percentages-whole", "Percentages are stored as integers.", also=("update.replaces",)),
    ),
)
