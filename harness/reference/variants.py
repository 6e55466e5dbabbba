"""The variants: other behaviour that the contract allows. At most one of each group can be on."""

import msgspec


class Variant(msgspec.Struct, frozen=True):
    """One other behaviour."""

    id: str
    group: str
    """Variants of one group exclude each other."""
    summary: str
    allowed_by: str
    """The reading, the requirement or the section of the contract that leaves it open."""
    warns: tuple[str, ...] = ()
    """Requirements whose *should* does not hold with it."""


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "validation-status.422", "validation-status", "Invalid bodies are answered 422.", "reading.validation-status"
    ),
    Variant(
        "validation-code.resource-not-found",
        "validation-code",
        "Invalid bodies carry the code that the page shows for its second example.",
        "1. Facts, the five answers",
    ),
    Variant(
        "other-organization.403",
        "other-organization",
        "Another organization's rule is answered 403.",
        "reading.other-organization",
    ),
    Variant(
        "limited-unknown-id.404",
        "limited-unknown-id",
        "A key with a list of rules gets 404 for an unknown id.",
        "reading.limited-unknown-id",
    ),
    Variant(
        "missing-account.404", "missing-account", "An account that is not there is answered 404.", "validation.status"
    ),
    Variant(
        "missing-account.403", "missing-account", "An account that is not there is answered 403.", "validation.status"
    ),
    Variant(
        "key-reuse.original", "key-reuse", "Another body under a key gets the original answer.", "reading.key-reuse"
    ),
    Variant("key-reuse.400", "key-reuse", "Another body under a key gets 400.", "reading.key-reuse"),
    Variant("key-reuse.409", "key-reuse", "Another body under a key gets 409.", "reading.key-reuse"),
    Variant(
        "key-in-flight.409",
        "key-in-flight",
        "While the first request under a key is under way, others get 409.",
        "reading.key-in-flight",
    ),
    Variant(
        "key-on-other-rule.400",
        "key-on-other-rule",
        "A key that was used on another rule gets 400.",
        "reading.key-on-other-rule",
    ),
    Variant(
        "key-on-other-rule.409",
        "key-on-other-rule",
        "A key that was used on another rule gets 409.",
        "reading.key-on-other-rule",
    ),
    Variant(
        "key-on-other-rule.422",
        "key-on-other-rule",
        "A key that was used on another rule gets 422.",
        "reading.key-on-other-rule",
    ),
    Variant(
        "key-scope.organization",
        "key-scope",
        "The keys of an organization's credentials live in one namespace.",
        "reading.key-scope",
    ),
    Variant(
        "body-identity.json-value",
        "body-identity",
        "Bodies that spell the same JSON value are the same.",
        "reading.body-identity",
    ),
    Variant(
        "replayed-request-id.new",
        "replayed-request-id",
        "A replay carries its own request_id.",
        "reading.replayed-request-id",
    ),
    Variant(
        "replayed-request-id.original-everywhere",
        "replayed-request-id",
        "A replay carries the original id in its header too.",
        "reading.replayed-request-id",
    ),
    Variant("refusal-replayed.400", "refusal-replayed.400", "A 400 is stored for its key.", "reading.refusal-replayed"),
    Variant("refusal-replayed.403", "refusal-replayed.403", "A 403 is stored for its key.", "reading.refusal-replayed"),
    Variant("refusal-replayed.422", "refusal-replayed.422", "A 422 is stored for its key.", "reading.refusal-replayed"),
    Variant("after-window.original", "after-window", "Keys are kept for ever.", "reading.after-window"),
    Variant(
        "odd-keys.accepted", "odd-keys", "Empty, long and odd idempotency keys are accepted.", "idempotency.odd-keys"
    ),
    Variant(
        "unknown-top.refused",
        "unknown-top",
        "Unknown properties of the body are refused.",
        "reading.unknown-properties",
    ),
    Variant(
        "unknown-top.stored", "unknown-top", "Unknown properties of the body are stored.", "reading.unknown-properties"
    ),
    Variant(
        "unknown-nested.refused",
        "unknown-nested",
        "Unknown properties below the top level are refused.",
        "reading.unknown-properties",
    ),
    Variant(
        "unknown-nested.stored",
        "unknown-nested",
        "Unknown properties below the top level are stored.",
        "reading.unknown-properties",
    ),
    Variant(
        "duplicate-names.refused",
        "duplicate-names",
        "An object with a name twice is refused.",
        "reading.duplicate-names",
    ),
    Variant(
        "duplicate-names.first",
        "duplicate-names",
        "Of two values under one name the first counts.",
        "reading.duplicate-names",
    ),
    Variant(
        "scheme-case.accepted",
        "scheme-case",
        "The scheme of Authorization is compared without regard to case.",
        "reading.scheme-case",
    ),
    Variant("error-request-id.present", "error-request-id", "Errors carry request_id.", "reading.error-request-id"),
    Variant(
        "null-conditions.refused",
        "null-conditions",
        "A step must have conditions, if only null.",
        "reading.null-conditions",
    ),
    Variant("defaults.not-added", "defaults", "The documented default is not added to actions.", "reading.defaults"),
    Variant(
        "integral-float.refused",
        "integral-float",
        "1.0 is refused where an integer is wanted.",
        "reading.integral-float",
    ),
    Variant("empty.steps-refused", "empty.steps", "An empty list of steps is refused.", "reading.empty"),
    Variant("empty.actions-refused", "empty.actions", "An empty list of actions is refused.", "reading.empty"),
    Variant("empty.any-refused", "empty.any", "An empty `any` is refused.", "reading.empty"),
    Variant("empty.all-refused", "empty.all", "An empty `all` is refused.", "reading.empty"),
    Variant("empty.zero-amount-refused", "empty.zero-amount", "Amounts of zero are refused.", "reading.empty"),
    Variant("empty.text-refused", "empty.text", "Empty text is refused.", "reading.empty"),
    Variant(
        "empty.untrimmed-refused", "empty.untrimmed", "Text with white space at its ends is refused.", "reading.empty"
    ),
    Variant("empty.nul-refused", "empty.nul", "Text with NUL is refused.", "reading.empty"),
    Variant(
        "empty.percentage-digits-refused",
        "empty.percentage-digits",
        "Percentages with more than two digits after the point are refused.",
        "reading.empty",
    ),
    Variant("timestamp-form.offset", "timestamp-form", "Moments end in +00:00.", "reading.timestamp-form"),
    Variant("timestamps.microseconds", "timestamps", "Moments have microseconds.", "2. Requirements, equality"),
    Variant("timestamps.seconds", "timestamps", "Moments have seconds.", "update.updated-at"),
    Variant(
        "start-date.normalised",
        "start-date",
        "start_date is answered in UTC, with milliseconds.",
        "2. Requirements, equality",
    ),
    Variant(
        "updated-at.kept-without-change",
        "updated-at",
        "An update that changes nothing leaves updated_at.",
        "update.updated-at",
    ),
    Variant("nulls.left-out", "nulls", "Fields that are null are left out of answers.", "2. Requirements, equality"),
    Variant(
        "nulls.filled-in", "nulls", "Optional fields of actions are answered as null.", "2. Requirements, equality"
    ),
    Variant("numbers.as-floats", "integral-float", "Amounts are answered as 100000.0.", "2. Requirements, equality"),
    Variant(
        "account-name.resolved", "account-name", "The server fills in the names of accounts.", "1. Facts, AccountRef"
    ),
    Variant("extra-fields.top", "extra-fields.top", "A rule has further fields.", "2. Requirements, equality"),
    Variant(
        "extra-fields.nested",
        "extra-fields.nested",
        "Triggers and steps have further fields.",
        "2. Requirements, equality",
    ),
    Variant("extra-fields.envelope", "extra-fields.envelope", "The envelope has a further field.", "envelope.success"),
    Variant("extra-fields.error", "extra-fields.error", "Errors have further fields.", "envelope.error"),
    Variant(
        "headers.more", "headers.more", "Answers carry further headers, a cookie among them.", "envelope.content-type"
    ),
    Variant("headers.replay-marked", "headers.replay-marked", "Replays are marked by a header.", "idempotency.replay"),
    Variant(
        "headers.chunked",
        "headers.chunked",
        "Answers are sent in chunks, without Content-Length.",
        "envelope.well-formed",
    ),
    Variant("content-type.charset", "content-type", "Content-Type names its charset.", "envelope.content-type"),
    Variant("odd-request-id.echoed", "odd-request-id", "Long and odd request ids are echoed.", "request-id.hostile"),
    Variant("odd-request-id.refused", "odd-request-id", "Long and odd request ids are refused.", "request-id.hostile"),
    Variant("odd-ids.400", "odd-ids", "Odd rule ids are answered 400 before any look-up.", "not-found.odd-ids"),
    Variant("odd-ids.redirected", "odd-ids", "Odd rule ids are redirected.", "not-found.odd-ids"),
    Variant(
        "media-type.400", "media-type", "Another Content-Type is answered as an invalid body.", "validation.media-type"
    ),
    Variant("encoding.detected", "encoding", "UTF-16, UTF-32 and a BOM are understood.", "validation.encoding"),
    Variant(
        "size.small-limits", "size", "Bodies beyond 64 KiB and nesting beyond 32 levels are refused.", "validation.size"
    ),
    Variant(
        "plausibility.strict",
        "plausibility",
        "Bodies that could never run sensibly are refused.",
        "1. Facts, what makes a body plausible",
    ),
    Variant(
        "kinds.documented-only",
        "kinds",
        "Only the documented types of triggers and actions are accepted.",
        "update.accepts-valid",
        warns=("update.accepts-valid",),
    ),
    Variant("read.404", "read", "There is no GET: 404.", "1. Facts, companion"),
    Variant("read.405", "read", "There is no GET: 405.", "1. Facts, companion"),
    Variant("patch.404", "patch", "PATCH is answered 404.", "http.methods"),
    Variant("edge.503", "edge", "A proxy is busy now and then: 503 with Retry-After.", "2. Requirements, edges"),
    Variant(
        "edge.429", "edge", "A proxy limits the rate now and then: 429 with Retry-After.", "2. Requirements, edges"
    ),
)
