"""Faults of the family not-found."""

import re

from msgspec.structs import replace

from rules_harness.harness.reference import endpoints, envelope, errors, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.effects import altered
from rules_harness.harness.reference.endpoints import Endpoint
from rules_harness.harness.reference.messages import Refused, Reply
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.seed import Key
from rules_harness.harness.reference.stand_ins import Breaking, PlantedFault, crash_if, on_refusal

faults: list[PlantedFault] = []

fault = Breaking(faults, "not-found.unknown-id")
fault("not-found.unknown-400", errors.rule_not_found, "envelope.not-found-names-id").short(
    "An unknown id is answered 400.", lambda usual, rule_id: altered(usual(rule_id), status=400)
)
fault("not-found.unknown-403", errors.rule_not_found, "envelope.not-found-names-id", "authz.organization").short(
    "An unknown id is answered 403.", lambda usual, rule_id: errors.forbidden()
)
_not_enveloped = ("envelope.error", "envelope.error-code", "envelope.not-found-names-id")
fault("not-found.plain-text", errors.rule_not_found, *_not_enveloped).short(
    "An unknown id is answered by the router, in plain text.",
    lambda usual, rule_id: Refused(Reply(status=404, instead=("text/plain; charset=utf-8", b"Not Found"))),
)


def _is_unknown(refused: Refused, call: Call) -> bool:
    return refused.reply.status != 403 and call.service.store.get(call.rule_id) is None


def _made(call: Call, caller: Key) -> Rule:
    template = call.service.store.all()[0]
    return replace(template, id=call.rule_id, organization_id=caller.organization_id, status="disabled")


@fault("not-found.no-row-ignored", endpoints.put_rule, "not-found.odd-ids", "envelope.not-found-names-id")
async def no_row_ignored(usual: Endpoint, call: Call, caller: Key) -> Reply:
    """That no row matched is ignored, and a success answered."""
    try:
        return await usual(call, caller)
    except Refused as refused:
        if _is_unknown(refused, call):
            return Reply(status=200, data=envelope.rule_data(_made(call, caller)))
        raise


def _make(refused: Refused, call: Call, caller: Key) -> None:
    if _is_unknown(refused, call):
        call.service.store.put(_made(call, caller))


fault = Breaking(faults, "not-found.no-upsert", "not-found.unknown-id", "not-found.odd-ids")


@fault("not-found.made", endpoints.put_rule, "envelope.not-found-names-id")
async def made(usual: Endpoint, call: Call, caller: Key) -> Reply:
    """A rule that does not exist is made."""
    try:
        return await usual(call, caller)
    except Refused as refused:
        if _is_unknown(refused, call):
            call.service.store.put(_made(call, caller))
            return await update.update(call, caller.organization_id)
        raise


def _make_if_keyed(refused: Refused, call: Call, caller: Key) -> None:
    if call.request.first(b"idempotency-key") and _is_unknown(refused, call):
        call.service.store.put(_made(call, caller))


fault("not-found.made-with-key-then-refused", endpoints.put_rule).short(
    "With an Idempotency-Key the row is made before the 404 is answered.", on_refusal(_make_if_keyed)
)


fault("not-found.made-behind-404", endpoints.put_rule).short(
    "A row is made for the id before it is answered 404.",
    on_refusal(_make),
)

fault = Breaking(faults, "not-found.odd-ids")
fault("not-found.long-id-crash", endpoints.act, "envelope.no-server-error").short(
    "An id beyond 255 characters fails in the driver.", crash_if(lambda call, caller: len(call.rule_id) > 255)
)
fault("not-found.nul-crash", endpoints.act, "envelope.no-server-error").short(
    "NUL in an id fails in the driver.", crash_if(lambda call, caller: "\0" in call.rule_id)
)
fault("not-found.quote-crash", endpoints.act, "envelope.no-server-error").short(
    "A quote in an id breaks the query.", crash_if(lambda call, caller: "'" in call.rule_id)
)
fault("not-found.non-ascii-crash", endpoints.act, "envelope.no-server-error").short(
    "A non-ASCII id fails in the ASCII codec.", crash_if(lambda call, caller: not call.rule_id.isascii())
)
fault("not-found.cut-at-nul", endpoints.act, "update.isolated").short(
    "An id ends at NUL, as strings of C do.",
    lambda usual, call, caller: usual(replace(call, rule_id=call.rule_id.partition("\0")[0]), caller),
)


@fault("not-found.sql-injected", endpoints.act, "update.isolated")
async def sql_injected(usual: Endpoint, call: Call, caller: Key) -> Reply:
    """An id with a condition in SQL matches every rule."""
    if re.search(r"'\s*--", call.rule_id):
        call = replace(call, rule_id=call.service.store.all()[0].id)
    return await usual(call, caller)


fault("not-found.non-ascii-dropped", endpoints.act, "update.isolated").short(
    "Non-ASCII characters are dropped from an id.",
    lambda usual, call, caller: usual(replace(call, rule_id=call.rule_id.encode("ascii", "ignore").decode()), caller),
)
