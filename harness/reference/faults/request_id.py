"""Faults of the family request-id."""

from rules_harness.harness.reference.faults.record import Fault, Mistake, breaking

REQUEST_ID: tuple[Fault, ...] = (
    *breaking(
        "request-id.echo-header",
        "A client's X-Request-ID of up to 64 visible ASCII characters comes back, unchanged, in the answer's "
        "X-Request-ID.",
        Mistake("request-id.header-new", "The header carries an id of the gateway's own, only the body echoes."),
        Mistake(
            "request-id.header-lower-cased",
            "The gateway writes the id in lower case into the header.",
            also=("request-id.on-errors", "request-id.generated"),
        ),
        Mistake(
            "request-id.cut-at-36",
            "Ids are stored in a column of 36 characters.",
            also=("request-id.echo-body", "request-id.on-errors"),
        ),
        Mistake(
            "request-id.uuid-only",
            "Ids that are no UUID are replaced.",
            also=("request-id.echo-body", "request-id.on-errors"),
        ),
        Mistake("request-id.body-only", "A success has no X-Request-ID header.", also=("request-id.generated",)),
    ),
    *breaking(
        "request-id.echo-body",
        "A client's X-Request-ID of up to 64 visible ASCII characters comes back in `request_id` of a success too.",
        Mistake("request-id.body-new", "The body carries an id of the application's own, only the header echoes."),
        Mistake("request-id.body-prefixed", "The body's id gets the prefix `req_`."),
    ),
    *breaking(
        "request-id.generated",
        "Without a client's X-Request-ID, the server makes one: non-empty, the same in header and body.",
        Mistake(
            "request-id.none-made",
            "Without a client's id there is none.",
            also=("envelope.success", "request-id.unique", "request-id.on-errors"),
        ),
        Mistake("request-id.two-made", "Gateway and application each make an id of their own."),
    ),
    *breaking(
        "request-id.unique",
        "Generated request ids differ from answer to answer.",
        Mistake("request-id.constant", "The generated id is the one of the documentation's example."),
        Mistake("request-id.from-the-second", "The generated id is the second of the clock."),
    ),
    *breaking(
        "request-id.on-errors",
        "The X-Request-ID header is on 401, 403, 404 and validation refusals too, and echoes.",
        Mistake("request-id.on-success-only", "Only successes carry the header."),
        Mistake("request-id.new-on-errors", "Refusals carry a new id instead of the client's."),
        Mistake("request-id.not-on-401", "The header is added after authentication."),
        Mistake("request-id.not-on-refusals-of-bodies", "The body parser answers before the header is added."),
    ),
    *breaking(
        "request-id.hostile",
        "Longer, odd, repeated or non-ASCII ids are echoed exactly, replaced by a generated one, or refused "
        "with a 4xx; never altered, never a 5xx (white space at the ends is no part of the value, RFC 9110 "
        "5.5).",
        Mistake(
            "request-id.non-ascii-crash",
            "A non-ASCII id fails in the ASCII codec.",
            also=("envelope.no-server-error",),
        ),
        Mistake("request-id.odd-cut", "An id that is too long is cut."),
        Mistake("request-id.odd-characters-dropped", "Odd characters are dropped from the id."),
    ),
)
