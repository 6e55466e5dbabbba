"""The faults: honest mistakes, each breaking one promise at one place in the server's code."""

from harness.reference.faults.auth import AUTH
from harness.reference.faults.authz import AUTHZ
from harness.reference.faults.concurrency import CONCURRENCY
from harness.reference.faults.envelope import ENVELOPE
from harness.reference.faults.http import HTTP
from harness.reference.faults.idempotency import IDEMPOTENCY
from harness.reference.faults.not_found import NOT_FOUND
from harness.reference.faults.record import Fault
from harness.reference.faults.request_id import REQUEST_ID
from harness.reference.faults.status import STATUS
from harness.reference.faults.update import UPDATE
from harness.reference.faults.update_contents import UPDATE_CONTENTS
from harness.reference.faults.validation import VALIDATION

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
