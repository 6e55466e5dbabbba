"""Faults of the family http."""

from rules_harness.harness.reference import endpoints, errors
from rules_harness.harness.reference.effects import altered
from rules_harness.harness.reference.stand_ins import Breaking, PlantedFault, crash_if

faults: list[PlantedFault] = []

fault = Breaking(faults, "http.methods")
fault("http.patch-updates", endpoints.endpoints).short(
    "PATCH is routed to the update.",
    lambda usual, call: {"PATCH": endpoints.put_rule} if call.asks_rule("PATCH") else usual(call),
)
fault("http.post-updates", endpoints.endpoints).short(
    "POST is routed to the update.",
    lambda usual, call: {"POST": endpoints.put_rule} if call.asks_rule("POST") else usual(call),
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
