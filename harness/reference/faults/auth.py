"""Faults of the family auth."""

from rules_harness.harness.reference.faults.record import Fault, Mistake, breaking

AUTH: tuple[Fault, ...] = (
    *breaking(
        "auth.missing",
        "No Authorization header: 401.",
        Mistake(
            "auth.anonymous-is-default",
            "Without the header the development key is taken.",
            also=(
                "auth.header-only",
                "auth.before-lookup",
                "auth.before-validation",
                "auth.no-effect",
                "auth.challenge",
                "status.rejected-keeps",
                "idempotency.auth-first",
            ),
        ),
        Mistake(
            "auth.missing-403",
            "Without the header the framework's bearer guard answers 403.",
            also=(
                "auth.header-only",
                "auth.before-lookup",
                "auth.before-validation",
                "auth.challenge",
                "idempotency.auth-first",
            ),
        ),
    ),
    *breaking(
        "auth.malformed",
        "Empty value, bare key, empty key, other schemes (Bearer, Basic): 401.",
        Mistake("auth.any-scheme", "The scheme is not looked at."),
        Mistake("auth.bearer-accepted", "Bearer is accepted beside ApiKey."),
        Mistake("auth.bare-key-accepted", "A key without a scheme is accepted."),
        Mistake(
            "auth.malformed-crash",
            "The header is split in two without asking whether it has two parts.",
            also=("envelope.no-server-error",),
        ),
        Mistake("auth.empty-key-is-internal", "An empty key counts as the internal caller."),
    ),
    *breaking(
        "auth.unknown-key",
        "Unknown, revoked, truncated, extended, case-changed keys: 401.",
        Mistake("auth.prefix-compared", "Only the first 32 characters of a key are compared."),
        Mistake("auth.shorter-accepted", "A key is found by what it begins with."),
        Mistake("auth.case-folded", "Keys are compared without regard to case."),
        Mistake("auth.revoked-accepted", "Revoked keys are still accepted."),
    ),
    *breaking(
        "auth.header-only",
        "A key in the query, a cookie or the body does not authenticate.",
        Mistake("auth.query-accepted", "A key in the query authenticates."),
        Mistake("auth.cookie-accepted", "A key in a cookie authenticates."),
        Mistake("auth.body-accepted", "A key in the body authenticates."),
    ),
    *breaking(
        "auth.before-lookup",
        "Without authentication an unknown id is 401 just as a known one: who may not ask learns nothing.",
        Mistake("auth.looked-up-first", "The rule is looked up before the key is checked."),
    ),
    *breaking(
        "auth.before-validation",
        "Without authentication a well-formed body of the wrong schema is still 401.",
        Mistake("auth.validated-first", "The framework validates the body before the key is checked."),
    ),
    *breaking(
        "auth.no-effect",
        "After a 401 the rule is unchanged.",
        Mistake(
            "auth.executed-before-check",
            "The update is written before the key is found to be wrong.",
            also=("status.rejected-keeps",),
        ),
        Mistake(
            "auth.failed-attempt-disables",
            "A failed attempt disables the rule, as a precaution.",
            also=("status.rejected-keeps",),
        ),
    ),
    *breaking(
        "auth.challenge",
        "A 401 carries WWW-Authenticate (RFC 9110 15.5.2).",
        Mistake("auth.no-challenge", "A 401 has no WWW-Authenticate."),
        Mistake("auth.challenge-when-missing-only", "WWW-Authenticate is sent only where no key was given."),
    ),
)
