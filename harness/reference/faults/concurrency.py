"""Faults of the family concurrency; each holds its race open, so that it shows every time."""

from rules_harness.harness.reference.faults.record import Fault, Mistake, breaking

CONCURRENCY: tuple[Fault, ...] = (
    *breaking(
        "concurrency.whole",
        "After simultaneous updates of one rule it equals one of their bodies, whole; every read in between "
        "equals the state before or one written so far.",
        Mistake(
            "concurrency.fields-apart",
            "Texts and the rest are written in two statements without a transaction.",
            also=("concurrency.disabled", "idempotency.concurrent"),
        ),
        Mistake("concurrency.halves-visible", "Between two statements a reader sees the half that is written."),
        Mistake(
            "concurrency.steps-deleted-then-inserted",
            "Steps are deleted and inserted in two statements without a transaction.",
            also=("concurrency.isolated",),
        ),
    ),
    *breaking(
        "concurrency.disabled",
        "After simultaneous updates of an enabled rule it is disabled.",
        Mistake(
            "concurrency.disabled-by-version",
            "The rule is disabled only where its version is still the one that was read.",
        ),
    ),
    *breaking(
        "concurrency.isolated",
        "Simultaneous updates of different rules do not mix.",
        Mistake(
            "concurrency.shared-request",
            "The request in hand is kept in a variable that all requests share.",
            also=("concurrency.whole",),
        ),
        Mistake(
            "concurrency.last-written-answered",
            "The answer shows the rule that was written last by anyone.",
            also=("concurrency.whole", "update.identity"),
        ),
    ),
)
