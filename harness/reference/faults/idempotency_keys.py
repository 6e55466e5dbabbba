"""Faults of the family idempotency: which keys are told apart, what is remembered under them, and for how long."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from rules_harness.harness.reference import endpoints, idempotency, syntax, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.effects import Using, caller_of, usable_key
from rules_harness.harness.reference.keys import IdempotencyKeys, Remembered, Use
from rules_harness.harness.reference.messages import Incoming, Refused, Reply
from rules_harness.harness.reference.seed import ORGANIZATION, Key
from rules_harness.harness.reference.stand_ins import Breaking, Later, PlantedFault, then
from rules_harness.harness.reference.validation.values import Node

faults: list[PlantedFault] = []
_LARGE = 48 * 1024
_replays: WeakKeyDictionary[IdempotencyKeys, Counter[object]] = WeakKeyDictionary()


fault = Breaking(faults, "idempotency.replay", "idempotency.no-reexecution", "idempotency.window")


def _latest(count: int) -> Later[Call, Use, Reply]:
    """Remember so many keys."""

    async def stand_in(usual: Using, call: Call, use: Use) -> Reply:
        keys = call.service.keys
        for name in [known.use.name for known in keys][: max(0, len(keys) - count)]:
            keys.forget(name)
        return await usual(call, use)

    return stand_in


fault("idempotency.last-hundred-kept", idempotency.once).short(
    "Of more than 100 keys the oldest is forgotten.", _latest(100)
)
fault("idempotency.last-fifty-kept", idempotency.once).short(
    "Of more than 50 keys the oldest is forgotten.", _latest(50)
)


@fault("idempotency.freed-by-a-refusal", idempotency.reused, "status.replay-keeps")
async def freed_by_a_refusal(usual: Using, call: Call, use: Use) -> Reply:
    """Bodies are looked at before keys, and a refusal frees the key, though another request used it."""
    try:
        await update.validated(call, Node(syntax.parse(use.body), "", use.organization_id))
    except Refused:
        call.service.keys.forget(use.name)
        raise
    return await usual(call, use)


def _count(call: Call, known: Remembered) -> None:
    times = _replays.setdefault(call.service.keys, Counter())
    times[known.use.name] += 1
    if times[known.use.name] >= 8:
        call.service.keys.forget(known.use.name)


fault("idempotency.eight-replays", idempotency.replayed).short(
    "A key is forgotten once its answer was replayed eight times.",
    then(lambda call, known, original: _count(call, known)),
)
fault("idempotency.long-answers-forgotten", idempotency.first).short(
    "An answer that does not fit the cache is not remembered.",
    then(lambda call, use: call.service.keys.forget(use.name) if len(use.body) > _LARGE else None),
)
fault("idempotency.bodies-that-enable-not-remembered", idempotency.first, "status.replay-keeps").short(
    "The key of a body that says enabled is not kept.",
    then(lambda call, use: call.service.keys.forget(use.name) if b'"enabled"' in use.body else None),
)


def _with_request_id(usual: Callable[[Call, Key, str], Use], call: Call, caller: Key, key: str) -> Use:
    """Remember keys together with the client's request id."""
    use = usual(call, caller, key)
    return replace(use, name=(use.name, call.request.first(b"x-request-id")))


fault("idempotency.request-id-in-name", idempotency.use_of, "idempotency.reuse-not-executed").short(
    "Keys are remembered together with the X-Request-ID.", _with_request_id
)


@fault("idempotency.length-header-in-answer", idempotency.replayed, "envelope.rule-schema")
async def length_in_answer(
    usual: Callable[[Call, Remembered, Reply], Awaitable[Reply]], call: Call, known: Remembered, original: Reply
) -> Reply:
    """A long answer is replayed from a column that cuts it."""
    reply = await usual(call, known, original)
    return reply.having(data={**reply.data, "steps": reply.data["steps"][:64]})


fault = Breaking(faults, "idempotency.replay", "idempotency.no-reexecution")


def _unless(is_one: Callable[[Key], bool]) -> Callable[[Callable[[Incoming], str | None], Incoming], str | None]:
    """Do not read the keys of some callers."""

    def stand_in(usual: Callable[[Incoming], str | None], request: Incoming) -> str | None:
        caller = caller_of(request)
        return None if caller is not None and is_one(caller) else usual(request)

    return stand_in


fault("idempotency.limited-keys-ignored", idempotency.key_of, "idempotency.auth-first", "idempotency.per-caller").short(
    "The Idempotency-Key of a limited caller is not read.", _unless(lambda caller: caller.role == "limited")
)
fault("idempotency.others-keys-ignored", idempotency.key_of).short(
    "The Idempotency-Key is read for the first organization alone.",
    _unless(lambda caller: caller.organization_id != ORGANIZATION),
)


def _spoilt_by(is_one: Callable[[Refused], bool]) -> Later[Call, Reply]:
    """A key that came with such a refusal is not remembered for what executes under it later."""
    spoilt: WeakKeyDictionary[IdempotencyKeys, set[str | None]] = WeakKeyDictionary()

    async def stand_in(usual: Callable[[Call], Awaitable[Reply]], call: Call) -> Reply:
        keys, key = call.service.keys, usable_key(call.request)
        try:
            reply = await usual(call)
        except Refused as refused:
            if is_one(refused):
                spoilt.setdefault(keys, set()).add(key)
            raise
        for known in [known for known in keys if known.use.key == key and key in spoilt.get(keys, ())]:
            keys.forget(known.use.name)
        return reply

    return stand_in


fault("idempotency.spoilt-by-a-401", endpoints.handle).short(
    "A key that came without credentials is not remembered any more.",
    _spoilt_by(lambda refused: refused.reply.status == 401),
)
fault("idempotency.spoilt-by-a-refused-body", endpoints.handle).short(
    "A key whose first body was refused is not remembered any more.",
    _spoilt_by(lambda refused: refused.reply.status in (400, 422)),
)

fault = Breaking(faults, "idempotency.any-key")


def _read_as(change: Callable[[str], str]) -> Callable[[Callable[[Incoming], str | None], Incoming], str | None]:
    """Make something else of each key."""
    return lambda usual, request: (key := usual(request)) and change(key)


def _number(key: str) -> str:
    try:
        return str(float(key))
    except ValueError:
        return key


for _length in (64, 128, 200):
    fault(f"idempotency.cut-at-{_length}", idempotency.key_of).short(
        f"Keys are stored in a column of {_length} characters.",
        _read_as(lambda key, length=_length: key[:length]),  # type: ignore[misc] # the default keeps this turn's length
    )
fault("idempotency.keys-as-numbers", idempotency.key_of).short(
    "Keys that are equal as numbers are one key, as PHP compares.", _read_as(_number)
)
fault("idempotency.key-pattern", idempotency.key_of).short(
    "An underscore in a key matches any character, as LIKE compares.", _read_as(lambda key: key.replace("_", "~"))
)
fault("idempotency.marks-dropped", idempotency.key_of).short(
    "Tildes and full stops in a key are dropped.", _read_as(lambda key: re.sub("[.~]", "", key) or key)
)
fault("idempotency.zeros-ahead-dropped", idempotency.key_of).short(
    "Zeros ahead of a key are dropped.", _read_as(lambda key: key.lstrip("0") or key)
)

fault = Breaking(faults, "idempotency.odd-keys")


def _none(*words: str) -> Callable[[Callable[[Incoming], str | None], Incoming], str | None]:
    """Take some keys for none."""
    return lambda usual, request: None if (key := usual(request)) in words else key


fault("idempotency.null-is-none", idempotency.key_of).short(
    "The keys `null` and `undefined` are taken for none.", _none("null", "undefined")
)
fault("idempotency.inherited-names-known", idempotency.first).short(
    "Keys are looked up in an object, which has a constructor already: those execute every time.",
    then(lambda call, use: call.service.keys.forget(use.name) if use.key in ("constructor", "__proto__") else None),
)

fault = Breaking(
    faults, "idempotency.without-key", "update.read-back", "status.enabled-becomes-disabled", "status.stored"
)
fault("idempotency.request-id-as-key", idempotency.key_of, "update.replaces", "request-id.echo-body").short(
    "Without a key the X-Request-ID is one.",
    lambda usual, request: usual(request) or (request.first(b"x-request-id") or b"").decode("latin-1") or None,
)


@fault("idempotency.seen-request-ids-ignored", update.update, "update.replaces", "update.amounts-exact")
async def seen_request_ids_ignored(
    usual: Callable[[Call, str], Awaitable[Reply]], call: Call, organization_id: str
) -> Reply:
    """A request whose X-Request-ID was seen is taken for one that was sent twice, and not executed."""
    sent = call.request.first(b"x-request-id")
    seen = _seen.setdefault(call.service.keys, {})
    if sent is None or call.request.first(b"idempotency-key") is not None:
        return await usual(call, organization_id)
    use = (call.rule_id, sent)
    if use not in seen:
        seen[use] = await usual(call, organization_id)
    return seen[use]


_seen: WeakKeyDictionary[IdempotencyKeys, dict[tuple[str, bytes], Reply]] = WeakKeyDictionary()

fault = Breaking(faults, "idempotency.window")


@fault("idempotency.reused-after-an-hour", idempotency.reused)
async def reused_after_an_hour(usual: Using, call: Call, use: Use) -> Reply:
    """Another body under a key is executed when the first use is more than an hour ago."""
    known = call.service.keys.find(use.name)
    if known is not None and call.service.clock.now() - known.at > timedelta(hours=1):
        return await update.update(call, use.organization_id)
    return await usual(call, use)


@fault("idempotency.window-not-begun-anew", idempotency.first)
async def window_not_begun_anew(usual: Using, call: Call, use: Use) -> Reply:
    """What is used again after its window executes, and keeps the time of its first use."""
    earlier = next((known.at for known in call.service.keys if known.use.name == use.name), None)
    reply = await usual(call, use)
    for known in call.service.keys:
        if known.use.name == use.name and earlier is not None:
            known.at = earlier
    return reply


fault = Breaking(faults, "idempotency.per-rule")


@fault("idempotency.stored-request-executed", idempotency.once)
async def stored_request_executed(usual: Using, call: Call, use: Use) -> Reply:
    """A key on another rule executes the request that is remembered for it."""
    mine = (use.key, use.organization_id)
    stored = (known.use for known in call.service.keys if (known.use.key, known.use.organization_id) == mine)
    elsewhere = next((other for other in stored if other.rule_id != use.rule_id), None)
    if elsewhere is None:
        return await usual(call, use)
    request = replace(call.request, body=elsewhere.body)
    return await update.update(replace(call, request=request), use.organization_id)
