"""The request's id: the client's where it is fit to be echoed, else a new one."""

import re
import secrets
import time

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Crashed, Incoming
from rules_harness.harness.reference.switches import fault, variant

LONGEST = 64
"""Characters of a client's id that is echoed; what is longer is replaced."""

_VISIBLE = frozenset(range(0x21, 0x7F))
_PRINTABLE = _VISIBLE | {0x20, 0x09}
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def request_id_of(request: Incoming) -> str:
    """The id under which this request is answered. It is echoed unchanged or replaced whole, never altered."""
    values = request.all(b"x-request-id")
    if not values:
        return generated()
    if len(values) == 1 and 0 < len(values[0]) <= LONGEST and _VISIBLE.issuperset(values[0]):
        return _echoed(values[0].decode("ascii"))
    return _instead_of_odd(values)


def check_request_id(request: Incoming) -> None:
    """Raise a 400 for an odd id, where the server refuses those."""
    if not variant("odd-request-id.refused"):
        return
    for value in request.all(b"x-request-id"):
        if len(value) > LONGEST or not _VISIBLE.issuperset(value):
            raise errors.refusal(400, "invalid_request_id", "X-Request-ID is not acceptable.")


def _echoed(request_id: str) -> str:
    if fault("request-id.cut-at-36"):
        return request_id[:36]
    if fault("request-id.uuid-only") and _UUID.fullmatch(request_id) is None:
        return generated()
    return request_id


def _instead_of_odd(values: list[bytes]) -> str:
    first = values[0]
    if fault("request-id.non-ascii-crash") and not first.isascii():
        raise Crashed
    if fault("request-id.odd-cut") and len(first) > LONGEST and first.isascii():
        return first[:LONGEST].decode("ascii")
    if fault("request-id.odd-characters-dropped"):
        return bytes(byte for byte in first if byte in _VISIBLE).decode("ascii") or generated()
    if variant("odd-request-id.echoed") and len(values) == 1 and first and _PRINTABLE.issuperset(first):
        return first.decode("ascii")
    return generated()


def generated() -> str:
    """A new id, 80 random bits."""
    if fault("request-id.constant"):
        return "req_01HXYZ4444"
    if fault("request-id.from-the-second"):
        return f"req_{int(time.time())}"
    return f"req_{secrets.token_hex(10)}"
