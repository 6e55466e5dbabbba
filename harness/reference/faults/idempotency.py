"""Faults of the family idempotency."""

from rules_harness.harness.reference.faults.record import Fault, Mistake, breaking

IDEMPOTENCY: tuple[Fault, ...] = (
    *breaking(
        "idempotency.replay",
        "Same key, same request, within 24 hours: the original answer, any number of times.",
        Mistake(
            "idempotency.ignored",
            "The Idempotency-Key header is not read.",
            also=("idempotency.no-reexecution", "idempotency.reuse-not-executed", "idempotency.concurrent"),
        ),
        Mistake(
            "idempotency.memory-of-one-worker",
            "Each of two workers remembers its own keys.",
            also=(
                "idempotency.no-reexecution",
                "idempotency.reuse-not-executed",
                "idempotency.concurrent",
                "idempotency.window",
            ),
        ),
        Mistake(
            "idempotency.one-replay",
            "A key is forgotten once its answer was replayed.",
            also=(
                "idempotency.no-reexecution",
                "idempotency.reuse-not-executed",
                "idempotency.concurrent",
                "idempotency.window",
                "status.replay-keeps",
            ),
        ),
        Mistake("idempotency.replay-409", "A replay is answered 409.", also=("idempotency.window",)),
        Mistake("idempotency.replay-answers-present-state", "A replay is answered with the rule as it is now."),
    ),
    *breaking(
        "idempotency.no-reexecution",
        "The replay does not execute: a later update by another key is not reverted.",
        Mistake(
            "idempotency.replay-executes",
            "A replay executes, and is answered with the original answer.",
            also=("status.replay-keeps",),
        ),
        Mistake("idempotency.replay-writes-its-answer", "A replay writes its answer back into the store."),
    ),
    *breaking(
        "idempotency.reuse-not-executed",
        "Same key, other body: the other body is not executed (what it answers is a reading).",
        Mistake(
            "idempotency.body-in-name",
            "Keys are remembered together with the body.",
            also=("idempotency.concurrent",),
        ),
        Mistake(
            "idempotency.other-body-executed",
            "Another body under a key replaces what is remembered.",
            also=("idempotency.concurrent", "idempotency.replay"),
        ),
        Mistake(
            "idempotency.other-body-executed-then-refused",
            "Another body under a key is executed, then refused.",
            also=("idempotency.concurrent",),
        ),
    ),
    *breaking(
        "idempotency.concurrent",
        "Of N simultaneous requests with one key exactly one executes; each answer is that one's, a 409, or, "
        "for other bodies, what reading.key-reuse accepts.",
        Mistake(
            "idempotency.check-then-act",
            "Keys are looked up and remembered in two steps without a lock.",
            also=("idempotency.replay",),
        ),
        Mistake(
            "idempotency.unique-violation-crash",
            "The second of two simultaneous requests violates the key's unique index.",
            also=("envelope.no-server-error",),
        ),
    ),
    *breaking(
        "idempotency.per-caller",
        "The key of one organization means nothing to another: no replay, no leak of its answer.",
        Mistake("idempotency.key-alone", "Keys are remembered without the caller.", also=("idempotency.per-rule",)),
        Mistake(
            "idempotency.any-answer-of-the-key",
            "Whoever sends a key gets the answer that is remembered for it.",
            also=("idempotency.per-rule",),
        ),
    ),
    *breaking(
        "idempotency.per-rule",
        "A key used on one rule never writes to another by its stored request, and is never answered there with "
        "the first rule's data as if it had been updated (what it answers is a reading).",
        Mistake("idempotency.rule-ignored", "Keys are remembered without the rule."),
        Mistake(
            "idempotency.stored-request-executed",
            "A key on another rule executes the request that is remembered for it.",
        ),
    ),
    *breaking(
        "idempotency.auth-first",
        "A replay is authenticated and authorized like any request: without, 401 / 403, never the stored answer.",
        Mistake(
            "idempotency.before-authentication",
            "Replays are answered before the key of the caller is checked.",
            also=("idempotency.per-caller",),
        ),
        Mistake(
            "idempotency.before-authorization",
            "Replays are answered before the permission of the caller is checked.",
        ),
    ),
    *breaking(
        "idempotency.not-poisoned",
        "A request refused for its credentials does not use the key up.",
        Mistake("idempotency.401-stored", "A 401 is remembered for its key."),
        Mistake(
            "idempotency.401-reserves-the-key",
            "A key is reserved before authentication and not released after it.",
        ),
    ),
    *breaking(
        "idempotency.any-key",
        "A key need not be a UUID; keys that differ in case or only late in the string are different keys.",
        Mistake("idempotency.uuid-only", "Keys must be UUIDs.", also=("idempotency.odd-keys",)),
        Mistake("idempotency.case-folded", "Keys are compared without regard to case."),
        Mistake("idempotency.cut-at-32", "Keys are stored in a column of 32 characters."),
    ),
    *breaking(
        "idempotency.odd-keys",
        "Empty, very long, odd keys: accepted or a 4xx, never a 5xx; up to 255 visible ASCII characters accepted.",
        Mistake(
            "idempotency.long-key-crash",
            "A key beyond 255 characters fails in the driver.",
            also=("envelope.no-server-error",),
        ),
        Mistake(
            "idempotency.empty-key-crash",
            "The first character of a key is looked at without asking whether there is one.",
            also=("envelope.no-server-error",),
        ),
        Mistake(
            "idempotency.non-ascii-key-crash",
            "A non-ASCII key fails in the ASCII codec.",
            also=("envelope.no-server-error",),
        ),
        Mistake("idempotency.over-64-refused", "Keys beyond 64 characters are refused.", also=("idempotency.any-key",)),
    ),
    *breaking(
        "idempotency.window",
        "A key keeps its answer for 24 hours; judged where the clock can be moved, or with the two halves of "
        "the check a day apart.",
        Mistake("idempotency.window-in-minutes", "24 is read as minutes."),
        Mistake("idempotency.window-in-milliseconds", "The window's milliseconds are read as a thousandth of them."),
        Mistake("idempotency.window-12-hours", "Keys are kept for 12 hours."),
        Mistake("idempotency.window-until-midnight", "Keys are kept until midnight."),
    ),
    *breaking(
        "idempotency.without-key",
        "Without the header every request executes.",
        Mistake(
            "idempotency.body-as-key",
            "Without a key the body's hash is one.",
            also=(
                "status.enabled-becomes-disabled",
                "status.stored",
                "update.read-back",
                "request-id.generated",
                "update.updated-at",
            ),
        ),
    ),
)
