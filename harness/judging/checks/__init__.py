"""What exchanges mean: every check of the project, in one visible table.

A check is a generator over one episode; it yields what held, what did not, and the answers to open questions.
"""

from rules_harness.harness.judging.checks import (
    auth,
    authz,
    concurrency,
    envelope,
    generic,
    http,
    idempotency,
    leaks,
    not_found,
    readings,
    replacement,
    request_id,
    silence,
    status,
    times,
    update,
    validation,
)
from rules_harness.harness.judging.checks.common import Check

CHECKS: tuple[Check, ...] = (
    *envelope.CHECKS,
    *leaks.CHECKS,
    *silence.CHECKS,
    *request_id.CHECKS,
    *auth.CHECKS,
    *authz.CHECKS,
    *not_found.CHECKS,
    *replacement.CHECKS,
    *update.CHECKS,
    *times.CHECKS,
    *status.CHECKS,
    *idempotency.CHECKS,
    *concurrency.CHECKS,
    *validation.CHECKS,
    *http.CHECKS,
    *readings.CHECKS,
    *generic.CHECKS,
)

__all__ = ["CHECKS", "Check"]
