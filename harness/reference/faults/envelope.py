"""Faults of the family envelope."""

from rules_harness.harness.reference.faults.record import Fault, Mistake, breaking

ENVELOPE: tuple[Fault, ...] = (
    *breaking(
        "envelope.success",
        "A success is a JSON object with `request_id` (non-empty string) and `data` (object), and no `error`.",
        Mistake(
            "envelope.bare-rule",
            "The answer is the rule itself, without an envelope.",
            also=(
                "envelope.rule-schema",
                "request-id.echo-body",
                "request-id.generated",
                "update.replaces",
                "update.read-back",
                "update.identity",
                "update.documented-example",
            ),
        ),
        Mistake(
            "envelope.data-in-list",
            "`data` is a list of one, as the listing's serializer makes it.",
            also=("envelope.rule-schema", "update.replaces", "update.read-back", "update.identity"),
        ),
        Mistake("envelope.error-beside-data", "A success carries an `error` object that says OK."),
        Mistake(
            "envelope.request-id-empty",
            "`request_id` is always an empty string.",
            also=("request-id.echo-body", "request-id.generated", "request-id.unique"),
        ),
        Mistake(
            "envelope.request-id-left-out",
            "`request_id` is left out of the body.",
            also=("request-id.echo-body", "request-id.generated", "request-id.unique"),
        ),
    ),
    *breaking(
        "envelope.rule-schema",
        "After a valid body, the `data` of a success satisfies the schema of a rule, server-made fields "
        "included; further fields are allowed.",
        Mistake(
            "envelope.timestamps-left-out",
            "The serializer of the update leaves created_at and updated_at out.",
            also=("update.created-at-kept", "update.updated-at"),
        ),
        Mistake(
            "envelope.timestamps-in-epoch",
            "Moments are written as milliseconds since 1970.",
            also=("update.created-at-kept", "update.updated-at"),
        ),
        Mistake(
            "envelope.timestamps-without-zone",
            "Moments are written without their zone.",
            also=("update.created-at-kept", "update.updated-at"),
        ),
    ),
    *breaking(
        "envelope.success-status",
        "An accepted update answers 200.",
        Mistake(
            "envelope.created-201",
            "An update answers 201, as the creation does.",
            also=("envelope.documented-status",),
        ),
        Mistake(
            "envelope.accepted-202",
            "An update answers 202, because it is queued.",
            also=("envelope.documented-status",),
        ),
    ),
    *breaking(
        "envelope.error",
        "Every 401, 403, 404 and refusal of a body (malformed JSON included) is a JSON object with `error.code` "
        "and `error.message`, both non-empty strings, and no `data`.",
        Mistake(
            "envelope.error-flat",
            "Code and message stand at the top level of the body.",
            also=("envelope.error-code", "envelope.not-found-names-id", "validation.status", "not-found.unknown-id"),
        ),
        Mistake(
            "envelope.error-as-text",
            "`error` is the message itself.",
            also=("envelope.error-code", "envelope.not-found-names-id", "validation.status", "not-found.unknown-id"),
        ),
        Mistake("envelope.data-beside-error", "A refusal carries an empty `data` object.", also=("validation.status",)),
        Mistake("envelope.empty-message", "The 401 has an empty message."),
        Mistake(
            "envelope.framework-refusal",
            "Refused bodies are answered in the web framework's own form.",
            also=("validation.status",),
        ),
        Mistake(
            "envelope.malformed-json-in-plain-text",
            "Malformed JSON is answered by the body parser, in plain text.",
            also=("validation.status",),
        ),
    ),
    *breaking(
        "envelope.error-code",
        "401 carries `unauthorized`, 403 `forbidden`, 404 `resource_not_found`.",
        Mistake("envelope.forbidden-as-unauthorized", "A 403 carries the code of a 401."),
        Mistake("envelope.code-not-found", "A 404 carries `not_found`."),
        Mistake("envelope.code-is-status", "The code is the status as text."),
        Mistake("envelope.code-upper-case", "Codes are written in upper case."),
    ),
    *breaking(
        "envelope.not-found-names-id",
        "The 404 for a rule names in its message the id that was asked for.",
        Mistake("envelope.not-found-generic", "The 404 speaks of a resource without naming it."),
        Mistake("envelope.not-found-names-another", "The 404 names the id of the documentation's example."),
    ),
    *breaking(
        "envelope.content-type",
        "Every JSON answer is sent as `application/json`.",
        Mistake("envelope.text-plain", "Every answer is declared as text/plain."),
        Mistake("envelope.errors-as-html", "Refusals are declared as text/html."),
        Mistake("envelope.no-content-type", "Answers have no Content-Type."),
    ),
    *breaking(
        "envelope.no-server-error",
        "No input leads to a 5xx.",
        Mistake(
            "envelope.null-nickname-crash",
            "The nickname is trimmed without asking whether it is null.",
            also=("update.accepts-valid", "update.omitted-is-cleared"),
        ),
        Mistake("envelope.nul-text-crash", "The database driver fails on NUL in text.", also=("update.accepts-valid",)),
        Mistake(
            "envelope.empty-steps-crash",
            "The first step is looked at without asking whether there is one.",
            also=("update.accepts-valid",),
        ),
        Mistake(
            "envelope.big-number-crash",
            "An integer that does not fit the 64-bit column fails in the driver.",
            also=("validation.bounds", "validation.status", "update.amounts-exact"),
        ),
        Mistake(
            "envelope.surrogate-crash",
            "A lone surrogate fails when the text is encoded.",
            also=("validation.encoding", "validation.status"),
        ),
    ),
    *breaking(
        "envelope.well-formed",
        "Answers are valid UTF-8 JSON: no duplicate names, no NaN, not cut off.",
        Mistake(
            "envelope.name-twice",
            "The logging middleware writes `request_id` a second time.",
            also=("envelope.success", "request-id.echo-body", "request-id.generated"),
        ),
        Mistake("envelope.nan", "The time taken is written as NaN.", also=("envelope.success", "envelope.error")),
        Mistake(
            "envelope.length-in-characters",
            "Content-Length counts characters, so that non-ASCII answers are cut off.",
            also=("envelope.success", "update.accepts-valid"),
        ),
        Mistake(
            "envelope.latin-1",
            "Answers are encoded in Latin-1.",
            also=("envelope.success", "update.accepts-valid", "update.replaces"),
        ),
    ),
    *breaking(
        "envelope.no-leak",
        "No answer holds an API key, the run's own included; nor a stack trace, SQL or a file path that the run "
        "did not send itself.",
        Mistake("envelope.key-in-401", "The 401 repeats the Authorization header that it refuses."),
        Mistake("envelope.sql-in-404", "The 404 shows the query that found nothing."),
        Mistake("envelope.stack-trace", "Refusals of a body end with a stack trace."),
        Mistake("envelope.file-path", "Refusals of a body name the source file that refuses."),
    ),
    *breaking(
        "envelope.documented-status",
        "No status outside 200, 400, 401, 403, 404, 405, 409, 413, 414, 415, 417, 422, 429, 431, the edges' "
        "own, and 3xx to odd ids.",
        Mistake(
            "envelope.not-acceptable-406",
            "Another Content-Type is answered 406, which is about Accept.",
            also=("validation.media-type", "validation.status"),
        ),
        Mistake("envelope.precondition-required-428", "An empty Idempotency-Key is answered 428."),
    ),
    *breaking(
        "envelope.code-stable",
        "Within a run, one kind of fault is always answered with one status and one error code.",
        Mistake(
            "envelope.code-varies",
            "Two replicas of different versions write different codes for an invalid body.",
        ),
        Mistake(
            "envelope.status-varies",
            "Two replicas of different versions answer 400 and 422 to an invalid body.",
            also=("validation.status",),
        ),
    ),
)
