"""Variants: other answers to what the page leaves open about idempotency keys."""

import asyncio
import json
import re
import time
from collections.abc import Hashable
from datetime import UTC, datetime

from msgspec.structs import replace

from rules_harness.harness.reference import endpoints, envelope, errors, idempotency, keys
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.effects import Using, altered, in_flight, usable_key
from rules_harness.harness.reference.keys import Use
from rules_harness.harness.reference.messages import Refused, Reply
from rules_harness.harness.reference.seed import Key
from rules_harness.harness.reference.stand_ins import Variants, changed, on_refusal, refuse_if

variant = Variants()
_PROMISED = re.compile(rb"[A-Za-z0-9_.~:-]*")

variant("key-reuse.original", "reading.key-reuse", idempotency.use_of).short(
    "Another body under a key gets the original answer.",
    lambda usual, call, caller, key: replace(usual(call, caller, key), content=None),
)
variant("key-reuse.400", "reading.key-reuse", errors.key_reused).short(
    "Another body under a key gets 400.", lambda usual: altered(usual(), status=400)
)
variant("key-reuse.409", "reading.key-reuse", errors.key_reused).short(
    "Another body under a key gets 409.", lambda usual: altered(usual(), status=409)
)
variant("key-reuse.417", "reading.key-reuse", errors.key_reused, warns=("idempotency.reuse-not-executed",)).short(
    "Another body under a key gets 417.", lambda usual: altered(usual(), status=417)
)
_under_way: dict[Hashable, Hashable] = {}


@variant("key-in-flight.409", "reading.key-in-flight", idempotency.once)
async def in_flight_409(usual: Using, call: Call, use: Use) -> Reply:
    """While the first request under a key is under way, others get 409."""
    if use.name in _under_way:
        raise in_flight() if _under_way[use.name] == use.content else errors.key_reused()
    if call.service.keys.find(use.name) is not None:
        return await usual(call, use)
    _under_way[use.name] = use.content
    try:
        await asyncio.sleep(0.005)  # so that a request which comes at the same time finds this one under way
        return await usual(call, use)
    finally:
        del _under_way[use.name]


def _is_used_elsewhere(call: Call, use: Use) -> bool:
    known = call.service.keys
    uses = (entry.use for entry in known if known.find(entry.use.name) is entry and entry.use.rule_id != use.rule_id)
    return any((other.namespace, other.key) == (use.namespace, use.key) for other in uses)


def _used_elsewhere(status: int) -> Refused:
    return errors.refusal(status, "idempotency_key_reused", "This Idempotency-Key was used on another rule.")


variant("key-on-other-rule.400", "reading.key-on-other-rule", idempotency.once).short(
    "A key that was used on another rule gets 400.",
    refuse_if(_is_used_elsewhere, lambda call, use: _used_elsewhere(400)),
)
variant("key-on-other-rule.409", "reading.key-on-other-rule", idempotency.once).short(
    "A key that was used on another rule gets 409.",
    refuse_if(_is_used_elsewhere, lambda call, use: _used_elsewhere(409)),
)
variant("key-on-other-rule.422", "reading.key-on-other-rule", idempotency.once).short(
    "A key that was used on another rule gets 422.",
    refuse_if(_is_used_elsewhere, lambda call, use: _used_elsewhere(422)),
)
variant("key-on-other-rule.417", "reading.key-on-other-rule", idempotency.once, warns=("idempotency.per-rule",)).short(
    "A key that was used on another rule gets 417.",
    refuse_if(_is_used_elsewhere, lambda call, use: _used_elsewhere(417)),
)


def _shared(use: Use) -> Use:
    return replace(use, name=(use.organization_id, use.rule_id, use.key), namespace=use.organization_id)


variant("key-scope.organization", "reading.key-scope", idempotency.use_of).short(
    "The keys of an organization's credentials live in one namespace.",
    lambda usual, call, caller, key: _shared(usual(call, caller, key)),
)


def _value(body: bytes) -> Hashable:
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except (ValueError, RecursionError):
        return body


variant("body-identity.json-value", "reading.body-identity", idempotency.identity).short(
    "Bodies that spell the same JSON value are the same.", lambda usual, body: _value(body)
)
variant("replayed-request-id.new", "reading.replayed-request-id", idempotency.replayed).short(
    "A replay carries its own request_id.", changed(lambda reply, call, known, original: reply.having(request_id=None))
)
variant("replayed-request-id.original-everywhere", "reading.replayed-request-id", envelope.request_id_headers).short(
    "A replay carries the original id in its header too.",
    lambda usual, call, reply: usual(replace(call, request_id=reply.request_id or call.request_id), reply),
)


def _remember(refused: Refused, call: Call, caller: Key) -> None:
    key = usable_key(call.request)
    if key is not None and refused.reply.status == 403:
        use = idempotency.use_of(call, caller, key)
        if call.service.keys.find(use.name) is None:
            call.service.keys.remember(use, refused.reply)


variant(
    "refusal-replayed.400", "reading.refusal-replayed", idempotency.is_remembered, group="refusal-replayed.400"
).short("A 400 is stored for its key.", lambda usual, refusal: refusal.status == 400 or usual(refusal))
variant("refusal-replayed.403", "reading.refusal-replayed", endpoints.put_rule, group="refusal-replayed.403").short(
    "A 403 is stored for its key.", on_refusal(_remember)
)
variant(
    "refusal-replayed.422", "reading.refusal-replayed", idempotency.is_remembered, group="refusal-replayed.422"
).short("A 422 is stored for its key.", lambda usual, refusal: refusal.status == 422 or usual(refusal))
variant("odd-keys.marks-refused", "idempotency.any-key", idempotency.key_of, warns=("idempotency.odd-keys",)).short(
    "Keys of other characters than letters, digits and -_.~: are refused.",
    refuse_if(
        lambda request: not _PROMISED.fullmatch(request.first(b"idempotency-key") or b""),
        lambda request: errors.invalid("Idempotency-Key must be letters, digits and -_.~:"),
    ),
)
_REFUSED_SECONDS = 0.05
_refused: dict[Hashable, float] = {}


@variant("refused-key.released-late", "idempotency.not-stuck", idempotency.first)
async def released_late(usual: Using, call: Call, use: Use) -> Reply:
    """A key whose request was refused is in progress for a moment more."""
    if time.monotonic() < _refused.get(use.name, 0):
        raise in_flight()
    try:
        return await usual(call, use)
    except Refused as refused:
        if refused.reply.status == 400:
            _refused[use.name] = time.monotonic() + _REFUSED_SECONDS
        raise


def _is_spelled(call: Call) -> bool:
    return "%" in call.request.path or bool(call.request.query)


variant("spelling.not-found", "idempotency.same-rule", endpoints.act).short(
    "A rule is found under one spelling of its path alone.",
    refuse_if(lambda call, caller: _is_spelled(call), lambda call, caller: errors.path_not_found()),
)
variant("after-window.original", "reading.after-window", keys.end_of_window).short(
    "Keys are kept for ever.", lambda usual, start: datetime.max.replace(tzinfo=UTC)
)
variant("odd-keys.accepted", "idempotency.odd-keys", idempotency.key_of).short(
    "Empty, long and odd idempotency keys are accepted.",
    lambda usual, request: (request.first(b"idempotency-key") or b"").decode("latin-1") or None,
)
