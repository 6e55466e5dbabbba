"""The faults: honest mistakes, each breaking one promise at one place in the server's code."""

from rules_harness.harness.reference.faults.auth import AUTH
from rules_harness.harness.reference.faults.authz import AUTHZ
from rules_harness.harness.reference.faults.concurrency import CONCURRENCY
from rules_harness.harness.reference.faults.envelope import ENVELOPE
from rules_harness.harness.reference.faults.http import HTTP
from rules_harness.harness.reference.faults.idempotency import IDEMPOTENCY
from rules_harness.harness.reference.faults.not_found import NOT_FOUND
from rules_harness.harness.reference.faults.record import Fault
from rules_harness.harness.reference.faults.request_id import REQUEST_ID
from rules_harness.harness.reference.faults.status import STATUS
from rules_harness.harness.reference.faults.update import UPDATE
from rules_harness.harness.reference.faults.update_contents import UPDATE_CONTENTS
from rules_harness.harness.reference.faults.validation import VALIDATION

__all__ = ["FAULTS", "Fault"]

FAULTS: tuple[Fault, ...] = (
    *ENVELOPE,
    *REQUEST_ID,
    *AUTH,
    *AUTHZ,
    *NOT_FOUND,
    *UPDATE,
    *UPDATE_CONTENTS,
    *STATUS,
    *IDEMPOTENCY,
    *VALIDATION,
    *HTTP,
    *CONCURRENCY,
)
