"""What several faults and variants take and do."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from rules_harness.harness.reference import credentials, errors, idempotency, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.keys import Use
from rules_harness.harness.reference.messages import Incoming, Refused, Reply
from rules_harness.harness.reference.seed import Key
from rules_harness.harness.reference.service import Service

T = TypeVar("T")
Update = Callable[[Call, str], Awaitable[Reply]]
Using = Callable[[Call, Use], Awaitable[Reply]]

_ALONE_SECONDS = 0.03
_QUIET_SECONDS = 0.06
_TICK_SECONDS = 0.005
_waiting: dict[Hashable, list[asyncio.Future[None]]] = {}


def usable_key(request: Incoming) -> str | None:
    """The idempotency key, or None where there is none that can be used."""
    try:
        return idempotency.key_of(request)
    except Refused:
        return None


def caller_of(request: Incoming) -> Key | None:
    """Whose key a request carries; None where it carries none that is known."""
    secrets = [credentials.secret_of(value) for value in credentials.credentials(request)]
    return credentials.known_key(secrets[0]) if secrets and secrets[0] else None


def in_flight() -> Refused:
    """409: the first request under a key is still under way."""
    return errors.refusal(409, "request_in_progress", "A request with this Idempotency-Key is under way.")


def altered(refused: Refused, error: Mapping[str, str] = MappingProxyType({}), **fields: Any) -> Refused:
    """The refusal with another `error.code` or `error.message`, another status or other headers."""
    return Refused(refused.reply.having(error={**(refused.reply.error or {}), **error}, **fields))


def without(fields: Mapping[str, T], *names: str) -> dict[str, T]:
    """The fields but for those names."""
    return {name: value for name, value in fields.items() if name not in names}


async def execute(call: Call) -> None:
    """Execute the update of a call that is to be refused, if its rule is there."""
    rule = call.service.store.get(call.rule_id)
    if rule is not None:
        with contextlib.suppress(Refused):
            await update.update(call, rule.organization_id)


def overwrite(call: Call, **fields: Any) -> None:
    """Write fields of the call's rule, if it is there, past the update."""
    rule = call.service.store.get(call.rule_id)
    if rule is not None:
        call.service.store.put(msgspec.structs.replace(rule, **fields))


def disable(call: Call) -> None:
    """Disable the call's rule."""
    overwrite(call, status="disabled", updated_at=call.service.clock.now())


def touch(call: Call) -> None:
    """Move the updated_at of the call's rule, as a save of the unchanged record does."""
    overwrite(call, updated_at=call.service.clock.now())


async def hold(service: Service, place: Hashable, longest: float = 0.25) -> None:
    """Hold a race open, so that a mistake in it shows every time: requests at one place wait for each other, until
    nobody comes any more, which takes 30 ms where nobody did, and at most `longest` seconds; then they go on in the
    opposite order of their arrival."""
    mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = _waiting.setdefault(place, [])
    waiting.append(mine)
    if len(waiting) == 1:
        await _gather(service, waiting, longest)
        del _waiting[place]
        for other in reversed(waiting):
            other.set_result(None)
    await mine


async def _gather(service: Service, waiting: list[asyncio.Future[None]], longest: float) -> None:
    passed = quiet = 0.0
    gathered = 1
    patience = _ALONE_SECONDS
    while passed < longest and (quiet < patience or gathered < service.in_flight):
        await asyncio.sleep(_TICK_SECONDS)
        passed += _TICK_SECONDS
        quiet = quiet + _TICK_SECONDS if len(waiting) == gathered else 0.0
        gathered = len(waiting)
        patience = _ALONE_SECONDS if gathered == 1 else _QUIET_SECONDS
