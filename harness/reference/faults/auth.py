"""Faults of the family auth."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

import msgspec

from rules_harness.harness.reference import credentials, endpoints, errors, syntax
from rules_harness.harness.reference.calls import Call, call_of
from rules_harness.harness.reference.effects import altered, disable, execute, touch
from rules_harness.harness.reference.messages import Incoming, Reply
from rules_harness.harness.reference.seed import KEYS, KEYS_BY_ROLE, KEYS_BY_SECRET, ORGANIZATION, Key
from rules_harness.harness.reference.stand_ins import Breaking, PlantedFault, crash_if, on_refusal, refuse_if
from rules_harness.harness.reference.validation.body import configuration
from rules_harness.harness.reference.validation.values import Node

faults: list[PlantedFault] = []
_VALID = tuple(key for key in KEYS if not key.revoked)

fault = Breaking(faults, "auth.missing", "auth.header-only", "auth.before-lookup", "auth.before-validation")
_unheeded = ("auth.no-effect", "auth.challenge", "status.rejected-keeps", "idempotency.auth-first")


@fault("auth.anonymous-is-default", credentials.authenticate, *_unheeded)
async def anonymous_is_default(usual: Callable[[Call], Awaitable[Key]], call: Call) -> Key:
    """Without the header the development key is taken."""
    return await usual(call) if call.request.all(b"authorization") else KEYS_BY_ROLE["full"]


fault("auth.missing-403", credentials.authenticate, "auth.challenge", "idempotency.auth-first").short(
    "Without the header the framework's bearer guard answers 403.",
    refuse_if(lambda call: not call.request.all(b"authorization"), lambda call: errors.forbidden()),
)

fault = Breaking(faults, "auth.malformed")
fault("auth.any-scheme", credentials.secret_of).short(
    "The scheme is not looked at.", lambda usual, value: value.partition(" ")[2] if " " in value else usual(value)
)
fault("auth.bearer-accepted", credentials.secret_of).short(
    "Bearer is accepted beside ApiKey.",
    lambda usual, value: value.removeprefix("Bearer ") if value.startswith("Bearer ") else usual(value),
)
fault("auth.bearer-accepted-with-key", credentials.credentials).short(
    "Bearer is accepted where there is an Idempotency-Key.",
    lambda usual, request: [
        value.replace("Bearer ", "ApiKey ", 1) if request.first(b"idempotency-key") else value
        for value in usual(request)
    ],
)
fault("auth.scheme-found-anywhere", credentials.secret_of).short(
    "The pattern of the header is not anchored at its beginning.",
    lambda usual, value: found[1] if (found := re.search(r"ApiKey (\S+)$", value)) else usual(value),
)
fault("auth.bare-key-accepted", credentials.secret_of).short(
    "A key without a scheme is accepted.", lambda usual, value: usual(value) if " " in value else value
)
fault("auth.malformed-crash", credentials.secret_of, "envelope.no-server-error").short(
    "The header is split in two without asking whether it has two parts.", crash_if(lambda value: " " not in value)
)
fault("auth.empty-key-is-internal", credentials.known_key).short(
    "An empty key counts as the internal caller.",
    lambda usual, secret: usual(secret) if secret else KEYS_BY_ROLE["full"],
)

fault = Breaking(faults, "auth.unknown-key")
fault("auth.prefix-compared", credentials.known_key).short(
    "Only the first 32 characters of a key are compared.",
    lambda usual, secret: next((key for key in _VALID if key.secret[:32] == secret[:32]), None),
)
fault("auth.shorter-accepted", credentials.known_key).short(
    "A key is found by what it begins with.",
    lambda usual, secret: next((key for key in _VALID if secret and key.secret.startswith(secret)), None),
)


@fault("auth.revoked-keys-read", credentials.authenticate)
async def revoked_keys_read(usual: Callable[[Call], Awaitable[Key]], call: Call) -> Key:
    """Reads know keys that are revoked."""
    secrets = [credentials.secret_of(value) for value in credentials.credentials(call.request)]
    known = KEYS_BY_SECRET.get(secrets[0] or "") if secrets and call.request.method == "GET" else None
    return known or await usual(call)


fault("auth.case-folded", credentials.known_key).short(
    "Keys are compared without regard to case.",
    lambda usual, secret: next((key for key in _VALID if key.secret.lower() == secret.lower()), None),
)
fault("auth.revoked-accepted", credentials.known_key).short(
    "Revoked keys are still accepted.", lambda usual, secret: KEYS_BY_SECRET.get(secret)
)


def _first_key(candidates: Iterable[object]) -> list[str]:
    secrets = (value.removeprefix("ApiKey ") for value in candidates if isinstance(value, str))
    return [f"ApiKey {secret}" for secret in secrets if secret in KEYS_BY_SECRET][:1]


fault = Breaking(faults, "auth.header-only")
fault("auth.query-reads", credentials.credentials).short(
    "A key in the query authenticates reads.",
    lambda usual, request: (
        usual(request)
        or (_first_key(value for _, value in parse_qsl(request.query)) if request.method == "GET" else [])
    ),
)
fault("auth.query-accepted", credentials.credentials).short(
    "A key in the query authenticates.",
    lambda usual, request: usual(request) or _first_key(value for _, value in parse_qsl(request.query)),
)


@fault("auth.cookie-accepted", credentials.credentials)
def cookie_accepted(usual: Callable[[Incoming], list[str]], request: Incoming) -> list[str]:
    """A key in a cookie authenticates."""
    try:
        jar = SimpleCookie((request.first(b"cookie") or b"").decode("latin-1"))
    except CookieError:
        return usual(request)
    return usual(request) or _first_key(morsel.value for morsel in jar.values())


@fault("auth.body-accepted", credentials.credentials)
def body_accepted(usual: Callable[[Incoming], list[str]], request: Incoming) -> list[str]:
    """A key in the body authenticates."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return usual(request)
    return usual(request) or _first_key(body.values() if isinstance(body, dict) else ())


def _has_other_scheme(call: Call) -> bool:
    return bool(call.request.all(b"authorization")) and not call.request.all(b"authorization")[0].startswith(b"ApiKey")


def _look_up(call: Call) -> None:
    if call.rule_id and call.service.store.get(call.rule_id) is None:
        raise errors.rule_not_found(call.rule_id)


fault = Breaking(faults, "auth.missing")


@fault("auth.slash-unguarded", endpoints.handle)
async def slash_unguarded(usual: Callable[[Call], Awaitable[Reply]], call: Call) -> Reply:
    """The route with a slash at its end is declared a second time, without the middleware."""
    if not call.request.path.endswith("/"):
        return await usual(call)
    plain = msgspec.structs.replace(call.request, path=call.request.path.rstrip("/"))
    named = call_of(call.service, plain)
    return await endpoints.act(msgspec.structs.replace(named, request_id=call.request_id), KEYS_BY_ROLE["full"])


fault = Breaking(faults, "auth.before-lookup")
fault("auth.other-schemes-looked-up-first", credentials.authenticate).short(
    "Where the scheme is another one the rule is looked up before the answer.",
    on_refusal(lambda refused, call: _look_up(call) if _has_other_scheme(call) else None),
)
fault("auth.looked-up-first", credentials.authenticate).short(
    "The rule is looked up before the key is checked.", on_refusal(lambda refused, call: _look_up(call))
)


def _validate(call: Call) -> None:
    if call.rule_id:
        configuration(Node(syntax.parse(call.request.body), "", ORGANIZATION))


fault = Breaking(faults, "auth.before-validation")
fault("auth.validated-first", credentials.authenticate).short(
    "The framework validates the body before the key is checked.", on_refusal(lambda refused, call: _validate(call))
)

fault = Breaking(faults, "auth.no-effect", "status.rejected-keeps")
fault("auth.executed-before-check", credentials.authenticate).short(
    "The update is written before the key is found to be wrong.",
    on_refusal(lambda refused, call: execute(call) if call.request.method == "PUT" else None),
)
fault("auth.failed-attempt-disables", credentials.authenticate).short(
    "A failed attempt disables the rule, as a precaution.",
    on_refusal(lambda refused, call: disable(call) if call.request.method == "PUT" else None),
)

fault = Breaking(faults, "auth.no-effect")
fault("auth.failed-attempt-touches", credentials.authenticate).short(
    "A failed attempt moves updated_at.",
    on_refusal(lambda refused, call: touch(call) if call.request.method == "PUT" else None),
)

fault = Breaking(faults, "auth.challenge")
fault("auth.no-challenge", errors.unauthorized).short(
    "A 401 has no WWW-Authenticate.", lambda usual, given: altered(usual(given), headers=())
)
fault("auth.challenge-when-missing-only", errors.unauthorized).short(
    "WWW-Authenticate is sent only where no key was given.",
    lambda usual, given: usual(given) if given is None else altered(usual(given), headers=()),
)
