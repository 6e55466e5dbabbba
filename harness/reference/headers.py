"""Headers that the API does not know have no effect."""

from rules_harness.harness.reference.messages import Crashed, Incoming
from rules_harness.harness.reference.switches import fault


def check_headers(request: Incoming) -> None:
    """Accept every set of headers."""
    if fault("http.large-header-crash") and any(len(value) > 4096 for _, value in request.headers):
        raise Crashed
    if fault("http.repeated-header-crash") and len({name for name, _ in request.headers}) < len(request.headers):
        raise Crashed
    if fault("http.non-ascii-header-crash") and not all(value.isascii() for _, value in request.headers):
        raise Crashed
