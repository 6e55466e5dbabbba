"""Faults of the family validation."""

from rules_harness.harness.reference.faults.record import Fault, Mistake, breaking

VALIDATION: tuple[Fault, ...] = (
    *breaking(
        "validation.required",
        "Each required field missing: refused.",
        Mistake("validation.missing-kept", "Required fields that are missing keep their stored value."),
        Mistake("validation.status-defaulted", "A missing status is read as disabled."),
        Mistake("validation.steps-defaulted", "Missing steps are read as none."),
        Mistake("validation.amount-defaulted", "A missing amount is read as 0."),
        Mistake("validation.group-index-defaulted", "A missing group_index is read as 0."),
        Mistake("validation.later-steps-filled-in", "What a step after the first lacks is filled in."),
        Mistake(
            "validation.later-actions-unchecked",
            "Objects after the first action of a step are stored as they are.",
            also=("validation.enum", "update.replaces"),
        ),
    ),
    *breaking(
        "validation.type",
        "Each field with each wrong JSON type, numeric strings and booleans for integers included: refused.",
        Mistake("validation.numeric-text-accepted", "Integers are read from text."),
        Mistake("validation.percentages-from-text", "Percentages are read from text."),
        Mistake("validation.booleans-as-numbers", "Booleans are taken for 0 and 1."),
        Mistake("validation.numbers-as-text", "Numbers are taken for text."),
        Mistake("validation.null-as-zero", "Null is taken for 0."),
        Mistake("validation.flags-by-truth", "Any value is taken for a boolean, by its truth."),
        Mistake("validation.flags-from-text", "Booleans are read from text."),
        Mistake("validation.objects-taken-for-lists", "An object is taken for the list of its values, as PHP does."),
        Mistake(
            "validation.first-of-array-taken",
            "The first of a list is taken for an object.",
            also=("validation.syntax",),
        ),
    ),
    *breaking(
        "validation.enum",
        "Unknown status, trigger type, action type and every other enumerated value: refused.",
        Mistake("validation.enum-case-ignored", "Enumerated values are compared without regard to case."),
        Mistake("validation.enum-trimmed", "White space around enumerated values is removed."),
        Mistake("validation.unknown-status-as-disabled", "An unknown status is read as disabled."),
        Mistake("validation.unknown-trigger-stored", "A trigger of an unknown type is stored as it is."),
        Mistake("validation.unknown-action-stored", "An action of an unknown type is stored as it is."),
        Mistake("validation.schedule-type-unchecked", "schedule_type is not checked."),
        Mistake("validation.operator-unchecked", "The operators of conditions are not checked."),
    ),
    *breaking(
        "validation.bounds",
        "Negative and fractional cents, too large amounts, percentages outside 0–100, malformed or impossible "
        "dates: refused.",
        Mistake("validation.negative-accepted", "Negative integers are accepted."),
        Mistake("validation.fractions-cut", "Fractions of integers are cut off."),
        Mistake(
            "validation.big-amounts-as-floats",
            "Integers beyond 2^53 pass through double precision.",
            also=("update.amounts-exact",),
        ),
        Mistake("validation.percentages-unbounded", "Percentages may be any number."),
        Mistake("validation.dates-unchecked", "start_date may be any text."),
        Mistake("validation.dates-without-zone-accepted", "start_date needs no zone."),
        Mistake("validation.impossible-dates-accepted", "start_date may be a day that does not exist."),
    ),
    *breaking(
        "validation.syntax",
        "Malformed JSON, an empty body, a body that is no object, NaN: refused.",
        Mistake("validation.rest-ignored", "What follows the first JSON value is ignored."),
        Mistake("validation.trailing-commas-allowed", "Trailing commas are allowed."),
        Mistake("validation.empty-body-as-no-change", "An empty body changes nothing and succeeds."),
        Mistake("validation.nan-as-zero", "NaN and Infinity are read as 0."),
    ),
    *breaking(
        "validation.encoding",
        "Invalid UTF-8, BOM, UTF-16, lone surrogate escapes: refused, or stored unaltered.",
        Mistake("validation.invalid-utf-8-ignored", "Bytes that are not UTF-8 are dropped."),
        Mistake("validation.invalid-utf-8-as-latin-1", "A body that is not UTF-8 is read as Latin-1."),
        Mistake("validation.surrogates-replaced", "Lone surrogates are replaced by question marks."),
    ),
    *breaking(
        "validation.media-type",
        "Other content types: 415, 400 or 422, not processed as JSON.",
        Mistake("validation.media-type-ignored", "The Content-Type is not looked at."),
        Mistake("validation.text-taken-for-json", "text/plain is taken for JSON, for old clients."),
    ),
    *breaking(
        "validation.size",
        "Deep nesting, megabyte strings, a thousand steps: a success or a 4xx, never a 5xx or a hang.",
        Mistake(
            "validation.deep-crash",
            "Deep nesting overflows the parser's stack.",
            also=("envelope.no-server-error", "validation.status"),
        ),
        Mistake(
            "validation.large-crash",
            "A body beyond half a megabyte does not fit its column.",
            also=("envelope.no-server-error", "validation.status"),
        ),
        Mistake(
            "validation.many-steps-crash",
            "Beyond 500 steps the insertion has too many parameters.",
            also=("envelope.no-server-error", "validation.status"),
        ),
    ),
    *breaking(
        "validation.atomic",
        "A refused body changes nothing.",
        Mistake("validation.texts-written-first", "The nickname is written before trigger and steps are validated."),
        Mistake(
            "validation.judged-after-writing",
            "Trigger and steps are written before they are validated.",
            also=("authz.foreign-account",),
        ),
    ),
    *breaking(
        "validation.status",
        "The refusal is 400 or 422 (413 for size, 415 for media type; 403 or 404 for an account that is not "
        "there) in the error envelope.",
        Mistake("validation.refused-409", "A refused body is answered 409."),
        Mistake("validation.refused-406", "A refused body is answered 406.", also=("envelope.documented-status",)),
        Mistake(
            "validation.refused-200",
            "A refused body is answered 200, with the error inside.",
            also=(
                "envelope.success",
                "envelope.error",
                "validation.required",
                "validation.type",
                "validation.enum",
                "validation.bounds",
                "validation.syntax",
                "validation.encoding",
                "validation.media-type",
                "validation.size",
                "authz.foreign-account",
            ),
        ),
    ),
)
