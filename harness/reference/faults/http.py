"""Faults of the family http."""

from rules_harness.harness.reference.faults.record import Fault, Mistake, breaking

HTTP: tuple[Fault, ...] = (
    *breaking(
        "http.methods",
        "PATCH and POST on the path do not update; 405 (then with Allow), or 401/403/404.",
        Mistake("http.patch-updates", "PATCH is routed to the update."),
        Mistake("http.post-updates", "POST is routed to the update."),
        Mistake("http.no-allow", "A 405 has no Allow."),
    ),
    *breaking(
        "http.headers",
        "Unknown, duplicated and oversized headers: no 5xx, no effect.",
        Mistake(
            "http.large-header-crash",
            "A header beyond 4 KB does not fit the audit log.",
            also=("envelope.no-server-error", "request-id.hostile", "idempotency.odd-keys"),
        ),
        Mistake(
            "http.repeated-header-crash",
            "A header that is sent twice is a list where text is expected.",
            also=("envelope.no-server-error", "request-id.hostile"),
        ),
        Mistake(
            "http.non-ascii-header-crash",
            "Headers are decoded as ASCII.",
            also=("envelope.no-server-error", "request-id.hostile", "idempotency.odd-keys"),
        ),
    ),
)
