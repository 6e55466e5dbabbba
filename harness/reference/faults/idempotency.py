"""Faults of the family idempotency."""

import hashlib
import itertools
import re
from collections.abc import Awaitable, Callable, Hashable
from datetime import timedelta
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from rules_harness.harness.reference import credentials, endpoints, envelope, errors, idempotency, keys, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.effects import Using, hold, in_flight, overwrite, touch, usable_key
from rules_harness.harness.reference.endpoints import Endpoint
from rules_harness.harness.reference.keys import Remembered, Use
from rules_harness.harness.reference.messages import Crashed, Incoming, Refused, Reply
from rules_harness.harness.reference.seed import Key
from rules_harness.harness.reference.service import Store
from rules_harness.harness.reference.stand_ins import Breaking, Later, PlantedFault, changed, crash_if, refuse_if, then

faults: list[PlantedFault] = []
_UUID = re.compile(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_workers = itertools.count()


def _under(name: Callable[[Use], Hashable]) -> Callable[[Callable[[Call, Key, str], Use], Call, Key, str], Use]:
    """Remember an answer under another name."""
    return lambda usual, call, caller, key: replace(use := usual(call, caller, key), name=name(use))


def _sent(request: Incoming) -> bytes:
    return request.first(b"idempotency-key") or b""


fault = Breaking(faults, "idempotency.replay")
_again = ("idempotency.no-reexecution", "idempotency.reuse-not-executed", "idempotency.concurrent")
fault("idempotency.ignored", idempotency.key_of, *_again).short(
    "The Idempotency-Key header is not read.", lambda usual, request: None
)
_forgetful = ("idempotency.window", "status.replay-keeps")
fault("idempotency.memory-of-one-worker", idempotency.use_of, *_again, *_forgetful).short(
    "Each of two workers remembers its own keys.", _under(lambda use: (use.name, next(_workers) % 2))
)
fault("idempotency.one-replay", idempotency.replayed, *_again, "idempotency.window", "status.replay-keeps").short(
    "A key is forgotten once its answer was replayed.",
    then(lambda call, known, original: call.service.keys.forget(known.use.name)),
)
fault("idempotency.replay-409", idempotency.replayed, "idempotency.window").short(
    "A replay is answered 409.",
    refuse_if(
        lambda call, known, original: True,
        lambda call, known, original: errors.refusal(409, "duplicate_request", "This request was already processed."),
    ),
)
fault("idempotency.replay-answers-present-state", idempotency.replayed).short(
    "A replay is answered with the rule as it is now.",
    changed(
        lambda reply, call, _, __: reply.having(data=envelope.rule_data(call.service.store.existing(call.rule_id)))
    ),
)
fault("idempotency.replay-shows-present-status", idempotency.replayed).short(
    "A replay shows the status that the rule has now.",
    changed(
        lambda reply, call, _, __: reply.having(
            data={**reply.data, "status": call.service.store.existing(call.rule_id).status}
        )
    ),
)
fault("idempotency.replays-encoded-twice", idempotency.replayed).short(
    "The text of a stored answer is encoded to UTF-8 a second time.",
    changed(
        lambda reply, call, _, __: reply.having(
            data={**reply.data, "description": (reply.data["description"] or "").encode().decode("latin-1") or None}
        )
    ),
)


fault = Breaking(faults, "idempotency.no-reexecution")
fault("idempotency.replay-executes", idempotency.replayed, "status.replay-keeps").short(
    "A replay executes, and is answered with the original answer.",
    then(lambda call, known, original: update.update(call, known.use.organization_id)),
)


def _written_back(call: Call, original: Reply) -> None:
    rule = call.service.store.get(call.rule_id)
    if rule is not None and rule.status == "enabled":
        overwrite(call, nickname=original.data["nickname"], description=original.data["description"])


_WRITABLE = ("nickname", "description", "trigger", "steps")
fault("idempotency.replay-writes-its-answer", idempotency.replayed).short(
    "A replay writes its answer back into the store.",
    then(lambda call, known, original: overwrite(call, **{name: original.data[name] for name in _WRITABLE})),
)
fault("idempotency.replay-writes-where-enabled", idempotency.replayed).short(
    "The replay of an update of a rule that was enabled since writes its texts back.",
    then(lambda call, known, original: _written_back(call, original)),
)
fault("idempotency.replay-touches", idempotency.replayed).short(
    "A replay moves updated_at.", then(lambda call, known, original: touch(call))
)

fault = Breaking(faults, "idempotency.reuse-not-executed", "idempotency.concurrent")
fault("idempotency.body-in-name", idempotency.use_of).short(
    "Keys are remembered together with the body.", _under(lambda use: (use.name, use.content))
)
fault("idempotency.other-body-executed", idempotency.reused, "idempotency.replay", "idempotency.no-reexecution").short(
    "Another body under a key replaces what is remembered.", lambda usual, call, use: idempotency.first(call, use)
)


@fault("idempotency.other-body-executed-then-refused", idempotency.reused)
async def other_body_executed_then_refused(usual: Using, call: Call, use: Use) -> Reply:
    """Another body under a key is executed, then refused."""
    await update.update(call, use.organization_id)
    return await usual(call, use)


fault = Breaking(faults, "idempotency.concurrent")


def _unlocked(where: Callable[[str], bool]) -> Later[Call, Use, Reply]:
    """Look keys up and remember them in two steps, of rules with some status."""

    async def stand_in(usual: Using, call: Call, use: Use) -> Reply:
        if where(call.service.store.existing(call.rule_id).status):
            await hold(call.service, use.name)
        return await usual(call, use)

    return stand_in


fault("idempotency.check-then-act", idempotency.first, "idempotency.replay").short(
    "Keys are looked up and remembered in two steps without a lock.", _unlocked(lambda status: True)
)
fault("idempotency.check-then-act-where-enabled", idempotency.first).short(
    "The keys of enabled rules are remembered without a lock.", _unlocked(lambda status: status == "enabled")
)


@fault("idempotency.unique-violation-crash", idempotency.first, "envelope.no-server-error")
async def unique_violation_crash(usual: Using, call: Call, use: Use) -> Reply:
    """The second of two simultaneous requests violates the key's unique index."""
    await hold(call.service, use.name)
    if any(known.use.name == use.name for known in call.service.keys):
        raise Crashed
    return await usual(call, use)


fault = Breaking(faults, "idempotency.per-caller", "idempotency.per-rule")
fault("idempotency.key-alone", idempotency.use_of).short(
    "Keys are remembered without the caller.", _under(lambda use: use.key)
)
fault("idempotency.any-answer-of-the-key", idempotency.use_of).short(
    "Whoever sends a key gets the answer that is remembered for it.",
    lambda usual, call, caller, key: replace(usual(call, caller, key), name=key, content=None),
)

fault = Breaking(faults, "idempotency.per-rule")
fault("idempotency.rule-ignored", idempotency.use_of).short(
    "Keys are remembered without the rule.", _under(lambda use: (use.namespace, use.key))
)


def _stored(call: Call) -> list[Remembered]:
    """What is remembered for the call's key and rule, whoever sent it."""
    mine = (usable_key(call.request), call.rule_id)
    return [known for known in call.service.keys if (known.use.key, known.use.rule_id) == mine]


fault = Breaking(faults, "idempotency.auth-first")


@fault("idempotency.before-authentication", endpoints.handle, "idempotency.per-caller")
async def before_authentication(usual: Callable[[Call], Awaitable[Reply]], call: Call) -> Reply:
    """Replays are answered before the key of the caller is checked."""
    return next((known.reply for known in _stored(call) if known.reply), None) or await usual(call)


@fault("idempotency.before-authorization", endpoints.put_rule)
async def before_authorization(usual: Endpoint, call: Call, caller: Key) -> Reply:
    """Replays are answered before the permission of the caller is checked."""
    own = (known.reply for known in _stored(call) if known.use.organization_id == caller.organization_id)
    return next(filter(None, own), None) or await usual(call, caller)


_poisoned: WeakKeyDictionary[Store, dict[tuple[str | None, str], Reply]] = WeakKeyDictionary()


async def _poisoning(usual: Callable[[Call], Awaitable[Reply]], call: Call, later: Reply | None = None) -> Reply:
    """Answer a key that came with a 401 by that, or by another reply, once its caller may ask."""
    poisoned = _poisoned.setdefault(call.service.store, {})
    use = (usable_key(call.request), call.rule_id)
    if use in poisoned and call.request.method == "PUT":
        caller = await credentials.authenticate(call)
        credentials.authorize(call, caller, credentials.update_permission(caller))
        raise Refused(poisoned[use])
    try:
        return await usual(call)
    except Refused as refused:
        if all(use) and refused.reply.status == 401:
            poisoned[use] = later or refused.reply
        raise


fault = Breaking(faults, "idempotency.not-poisoned")
fault("idempotency.401-stored", endpoints.handle).short("A 401 is remembered for its key.", _poisoning)
fault("idempotency.401-reserves-the-key", endpoints.handle).short(
    "A key is reserved before authentication and not released after it.",
    lambda usual, call: _poisoning(usual, call, in_flight().reply),
)

fault = Breaking(faults, "idempotency.replay", "idempotency.no-reexecution", "status.replay-keeps")


@fault("idempotency.keys-of-enabled-rules-forgotten", idempotency.first)
async def keys_of_enabled_rules_forgotten(usual: Using, call: Call, use: Use) -> Reply:
    """The key of a request that found the rule enabled is not kept."""
    rule = call.service.store.get(call.rule_id)
    reply = await usual(call, use)
    if rule is not None and rule.status == "enabled":
        call.service.keys.forget(use.name)
    return reply


fault = Breaking(faults, "idempotency.window")


@fault("idempotency.swept-after-twelve-hours", idempotency.first)
async def swept_after_twelve_hours(usual: Using, call: Call, use: Use) -> Reply:
    """Whoever uses a new key clears away what is older than twelve hours."""
    keys, now = call.service.keys, call.service.clock.now()
    for known in list(keys):
        if now - known.at > timedelta(hours=12):
            keys.forget(known.use.name)
    return await usual(call, use)


fault = Breaking(faults, "idempotency.any-key")
fault("idempotency.cut-at-a-colon", idempotency.key_of).short(
    "Keys are stored behind a name and a colon, and split at the colons.",
    lambda usual, request: (key := usual(request)) and key.split(":")[0],
)
fault("idempotency.prefix-dropped", idempotency.key_of).short(
    "What stands before a colon in a key is taken for a prefix, and dropped.",
    lambda usual, request: (key := usual(request)) and (key.partition(":")[2] or key),
)
fault("idempotency.tildes-as-hyphens", idempotency.key_of).short(
    "A tilde in a key is taken for a hyphen.",
    lambda usual, request: (key := usual(request)) and key.replace("~", "-"),
)
fault("idempotency.uuid-only", idempotency.key_of, "idempotency.odd-keys").short(
    "Keys must be UUIDs.",
    refuse_if(
        lambda request: _sent(request) and not _UUID.fullmatch(_sent(request)),
        lambda request: errors.invalid("Idempotency-Key must be a UUID."),
    ),
)
fault("idempotency.case-folded", idempotency.key_of).short(
    "Keys are compared without regard to case.", lambda usual, request: (key := usual(request)) and key.lower()
)
fault("idempotency.uuids-in-lower-case", idempotency.key_of).short(
    "Keys that are UUIDs are kept in a column for UUIDs, in lower case.",
    lambda usual, request: (key := usual(request)) and (key.lower() if _UUID.fullmatch(key.encode()) else key),
)
fault("idempotency.cut-at-32", idempotency.key_of).short(
    "Keys are stored in a column of 32 characters.", lambda usual, request: (key := usual(request)) and key[:32]
)

_stuck: WeakKeyDictionary[Store, set[Hashable]] = WeakKeyDictionary()

fault = Breaking(faults, "idempotency.not-stuck")


@fault("idempotency.refusal-leaves-key-in-progress", idempotency.once)
async def refusal_leaves_key_in_progress(usual: Using, call: Call, use: Use) -> Reply:
    """A key whose first request is refused stays in progress."""
    stuck = _stuck.setdefault(call.service.store, set())
    if use.name in stuck:
        raise in_flight()
    try:
        return await usual(call, use)
    except Refused as refused:
        if refused.reply.error is not None and refused.reply.error["code"] == "invalid_request":
            stuck.add(use.name)
        raise


fault = Breaking(faults, "idempotency.same-rule")
fault("idempotency.key-with-url", idempotency.use_of).short(
    "Keys are remembered together with the URL as it was sent.",
    lambda usual, call, caller, key: replace(
        use := usual(call, caller, key), name=(use.name, call.request.path, call.request.query)
    ),
)

fault = Breaking(faults, "idempotency.odd-keys")
fault("idempotency.zero-is-none", idempotency.key_of).short(
    "The key `0` is taken for none.", lambda usual, request: None if (key := usual(request)) == "0" else key
)
fault("idempotency.long-key-crash", idempotency.key_of, "envelope.no-server-error").short(
    "A key beyond 255 characters fails in the driver.",
    crash_if(lambda request: len(_sent(request)) > idempotency.LONGEST),
)
fault("idempotency.empty-key-crash", idempotency.key_of, "envelope.no-server-error").short(
    "The first character of a key is looked at without asking whether there is one.",
    crash_if(lambda request: request.first(b"idempotency-key") == b""),
)
fault("idempotency.non-ascii-key-crash", idempotency.key_of, "envelope.no-server-error").short(
    "A non-ASCII key fails in the ASCII codec.", crash_if(lambda request: not _sent(request).isascii())
)
fault("idempotency.over-64-refused", idempotency.key_of, "idempotency.any-key").short(
    "Keys beyond 64 characters are refused.",
    refuse_if(
        lambda request: len(_sent(request)) > 64,
        lambda request: errors.invalid("Idempotency-Key must have at most 64 characters."),
    ),
)

fault = Breaking(faults, "idempotency.window")
fault("idempotency.window-in-minutes", keys.end_of_window).short(
    "24 is read as minutes.", lambda usual, start: start + timedelta(minutes=24)
)
fault("idempotency.window-in-milliseconds", keys.end_of_window).short(
    "The window's milliseconds are read as a thousandth of them.", lambda usual, start: start + keys.WINDOW / 1000
)
fault("idempotency.window-12-hours", keys.end_of_window).short(
    "Keys are kept for 12 hours.", lambda usual, start: start + timedelta(hours=12)
)
fault("idempotency.window-until-midnight", keys.end_of_window).short(
    "Keys are kept until midnight.",
    lambda usual, start: start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1),
)

_answered_before = ("status.enabled-becomes-disabled", "status.stored", "update.read-back", "request-id.generated")
fault = Breaking(faults, "idempotency.without-key", *_answered_before, "update.updated-at")
fault("idempotency.body-as-key", idempotency.key_of, "request-id.echo-body").short(
    "Without a key the body's hash is one.",
    lambda usual, request: usual(request) or hashlib.sha256(request.body).hexdigest(),
)
