"""Faults of the family not-found."""

from rules_harness.harness.reference.faults.record import Fault, Mistake, breaking

NOT_FOUND: tuple[Fault, ...] = (
    *breaking(
        "not-found.unknown-id",
        "An id that does not exist: 404 in the error envelope.",
        Mistake("not-found.unknown-400", "An unknown id is answered 400.", also=("envelope.not-found-names-id",)),
        Mistake(
            "not-found.unknown-403",
            "An unknown id is answered 403.",
            also=("envelope.not-found-names-id", "authz.organization"),
        ),
        Mistake(
            "not-found.plain-text",
            "An unknown id is answered by the router, in plain text.",
            also=("envelope.error", "envelope.error-code", "envelope.not-found-names-id"),
        ),
        Mistake(
            "not-found.no-row-ignored",
            "That no row matched is ignored, and a success answered.",
            also=("not-found.odd-ids", "envelope.not-found-names-id"),
        ),
    ),
    *breaking(
        "not-found.no-upsert",
        "No rule is created by an update of an id that does not exist.",
        Mistake(
            "not-found.made",
            "A rule that does not exist is made.",
            also=("not-found.unknown-id", "not-found.odd-ids", "envelope.not-found-names-id"),
        ),
        Mistake(
            "not-found.made-behind-404",
            "A row is made for the id before it is answered 404.",
            also=("not-found.unknown-id", "not-found.odd-ids"),
        ),
    ),
    *breaking(
        "not-found.odd-ids",
        "Odd ids (long, encoded, unicode, dots, NUL, SQL, traversal), chosen so that neither they nor what "
        "lenient routers make of them (percent-decoding, RFC 3986 6.2.2, trimmed white space and slashes, "
        "letter case) is a rule or leaves `/rules/`: a 4xx or a redirect, never a 5xx, never another rule.",
        Mistake(
            "not-found.long-id-crash",
            "An id beyond 255 characters fails in the driver.",
            also=("envelope.no-server-error",),
        ),
        Mistake("not-found.nul-crash", "NUL in an id fails in the driver.", also=("envelope.no-server-error",)),
        Mistake("not-found.quote-crash", "A quote in an id breaks the query.", also=("envelope.no-server-error",)),
        Mistake(
            "not-found.non-ascii-crash",
            "A non-ASCII id fails in the ASCII codec.",
            also=("envelope.no-server-error",),
        ),
        Mistake("not-found.cut-at-nul", "An id ends at NUL, as strings of C do.", also=("update.isolated",)),
        Mistake(
            "not-found.sql-injected",
            "An id with a condition in SQL matches every rule.",
            also=("update.isolated",),
        ),
        Mistake(
            "not-found.non-ascii-dropped",
            "Non-ASCII characters are dropped from an id.",
            also=("update.isolated",),
        ),
    ),
)
