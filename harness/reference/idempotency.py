"""Idempotency: the first request under a key executes; for 24 hours the others get its answer."""

from collections.abc import Hashable

from rules_harness.harness.reference import errors, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.keys import Remembered, Use
from rules_harness.harness.reference.messages import Incoming, Refused, Reply
from rules_harness.harness.reference.seed import Key
from rules_harness.harness.reference.steps import step

LONGEST = 255
_VISIBLE = frozenset(range(0x21, 0x7F))


@step
def key_of(request: Incoming) -> str | None:
    """'A client-generated unique key to ensure idempotent processing.', or None. 'Recommended format: UUID v4.'

    Raises:
        Refused: the key is empty, longer than 255, repeated, or holds anything but visible ASCII.
    """
    values = request.all(b"idempotency-key")
    if not values:
        return None
    if len(values) > 1 or not 0 < len(values[0]) <= LONGEST or not _VISIBLE.issuperset(values[0]):
        raise errors.invalid("Idempotency-Key must be one value of 1 to 255 visible ASCII characters.")
    return values[0].decode("ascii")


@step
def use_of(call: Call, caller: Key, key: str) -> Use:
    """How this call uses the key, which belongs to its caller and the rule."""
    return Use(
        name=(caller.role, call.rule_id, key),
        content=identity(call.request.body),
        namespace=caller.role,
        key=key,
        rule_id=call.rule_id,
        organization_id=caller.organization_id,
        request_id=call.request_id,
        body=call.request.body,
    )


@step
def identity(body: bytes) -> Hashable:
    """Two bodies are the same where this is equal: byte for byte."""
    return body


@step
async def once(call: Call, use: Use) -> Reply:
    """'Requests with the same key within 24 hours return the original response without re-executing the operation.'

    Raises:
        Refused: the execution refuses, or the key was used with another body.
    """
    while (known := call.service.keys.find(use.name)) is not None:
        if known.use.content != use.content:
            return await reused(call, use)
        if known.reply is not None:
            return await replayed(call, known, known.reply)
        await known.done.wait()
    return await first(call, use)


@step
async def first(call: Call, use: Use) -> Reply:
    """'to ensure idempotent processing': the first request under a name executes, and its answer is remembered."""
    keys = call.service.keys
    known = keys.remember(use)
    try:
        known.reply = await update.update(call, use.organization_id)
        return known.reply
    except Refused as refused:
        known.reply = refused.reply if is_remembered(refused.reply) else None
        raise
    finally:
        if known.reply is None:
            keys.forget(use.name)
        known.done.set()


@step
def is_remembered(refusal: Reply) -> bool:
    """A refusal does not use its key up: the same request again executes."""
    return False


@step
async def reused(call: Call, use: Use) -> Reply:
    """Another body under a key is not executed."""
    raise errors.key_reused()


@step
async def replayed(call: Call, known: Remembered, original: Reply) -> Reply:
    """'the original response without re-executing the operation'."""
    if original.error is not None:
        raise Refused(original)
    return original.having(request_id=known.use.request_id)
