"""Faults of the family http."""

from collections.abc import Callable, Coroutine
from typing import Any

from msgspec.structs import replace

from rules_harness.harness.reference import endpoints, errors
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.effects import altered
from rules_harness.harness.reference.messages import Reply
from rules_harness.harness.reference.stand_ins import Breaking, Later, PlantedFault, crash_if

faults: list[PlantedFault] = []


def _overridden(header: bytes) -> Later[Call, Reply]:
    """Take the method from a header where the request is a POST."""

    async def stand_in(usual: Callable[[Call], Coroutine[Any, Any, Reply]], call: Call) -> Reply:
        method = (call.request.first(header) or b"").decode("latin-1")
        if call.request.method != "POST" or not method:
            return await usual(call)
        return await usual(replace(call, request=replace(call.request, method=method)))

    return stand_in


fault = Breaking(faults, "http.methods")
fault("http.patch-updates", endpoints.endpoints).short(
    "PATCH is routed to the update.",
    lambda usual, call: {"PATCH": endpoints.put_rule} if call.asks_rule("PATCH") else usual(call),
)
fault("http.post-updates", endpoints.endpoints).short(
    "POST is routed to the update.",
    lambda usual, call: {"POST": endpoints.put_rule} if call.asks_rule("POST") else usual(call),
)
fault("http.method-override", endpoints.handle).short(
    "X-HTTP-Method-Override makes an update of a POST.", _overridden(b"x-http-method-override")
)
fault("http.x-http-method", endpoints.handle).short(
    "X-HTTP-Method makes an update of a POST.", _overridden(b"x-http-method")
)
fault("http.no-allow", errors.method_not_allowed).short(
    "A 405 has no Allow.", lambda usual, allowed: altered(usual(allowed), headers=())
)

fault = Breaking(faults, "http.headers", "envelope.no-server-error", "request-id.hostile")
fault("http.large-header-crash", endpoints.handle, "idempotency.odd-keys").short(
    "A header beyond 4 KB does not fit the audit log.",
    crash_if(lambda call: any(len(value) > 4096 for _, value in call.request.headers)),
)
fault("http.repeated-header-crash", endpoints.handle).short(
    "A header that is sent twice is a list where text is expected.",
    crash_if(lambda call: len({name for name, _ in call.request.headers}) < len(call.request.headers)),
)
fault("http.non-ascii-header-crash", endpoints.handle, "idempotency.odd-keys").short(
    "Headers are decoded as ASCII.",
    crash_if(lambda call: not all(value.isascii() for _, value in call.request.headers)),
)
