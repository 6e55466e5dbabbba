"""Who asks, and what they may do. Both come before anything is looked up, read or stored on their behalf."""

import json
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Crashed, Incoming
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.seed import (
    EVERYTHING,
    KEYS,
    KEYS_BY_ROLE,
    KEYS_BY_SECRET,
    UPDATE_RULES,
    Key,
    Permission,
)
from rules_harness.harness.reference.store import Store
from rules_harness.harness.reference.switches import fault, variant


def authenticate(request: Incoming) -> Key:
    """The key of the request.

    Raises:
        Refused: 401, where there is no single well-formed `Authorization: ApiKey <key>` with a known, unrevoked key.
    """
    values = [value.decode("latin-1") for value in request.all(b"authorization")]
    if not values and fault("auth.anonymous-is-default"):
        return KEYS_BY_ROLE["full"]
    if not values and fault("auth.missing-403"):
        raise errors.forbidden()
    if not values:
        values = _given_elsewhere(request)
    secret = _secret(values[0]) if len(values) == 1 else None
    key = None if secret is None else _known(secret)
    if key is None or (key.revoked and not fault("auth.revoked-accepted")):
        raise errors.unauthorized(values[0] if values else None)
    return key


def _secret(value: str) -> str | None:
    """The key in an Authorization header, or None where the header is malformed."""
    scheme, space, secret = value.partition(" ")
    if fault("auth.malformed-crash") and not space:
        raise Crashed
    if fault("auth.any-scheme") and space:
        return secret
    if fault("auth.bearer-accepted") and scheme == "Bearer":
        return secret
    if fault("auth.bare-key-accepted") and not space:
        return scheme
    known_scheme = scheme.lower() == "apikey" if variant("scheme-case.accepted") else scheme == "ApiKey"
    return secret if known_scheme else None


def _known(secret: str) -> Key | None:
    if fault("auth.empty-key-is-internal") and secret == "":
        return KEYS_BY_ROLE["full"]
    if fault("auth.prefix-compared"):
        return next((key for key in KEYS if key.secret[:32] == secret[:32]), None)
    if fault("auth.shorter-accepted"):
        return next((key for key in KEYS if secret and key.secret.startswith(secret)), None)
    if fault("auth.case-folded"):
        return next((key for key in KEYS if key.secret.lower() == secret.lower()), None)
    return KEYS_BY_SECRET.get(secret)


def _given_elsewhere(request: Incoming) -> list[str]:
    candidates: list[str] = []
    if fault("auth.query-accepted"):
        candidates = [value for _, value in parse_qsl(request.query)]
    if fault("auth.cookie-accepted"):
        candidates = _cookies(request)
    if fault("auth.body-accepted"):
        candidates = _strings_of_body(request)
    secrets = (value.removeprefix("ApiKey ") for value in candidates)
    return [f"ApiKey {secret}" for secret in secrets if secret in KEYS_BY_SECRET][:1]


def _cookies(request: Incoming) -> list[str]:
    try:
        jar = SimpleCookie((request.first(b"cookie") or b"").decode("latin-1"))
    except CookieError:
        return []
    return [morsel.value for morsel in jar.values()]


def _strings_of_body(request: Incoming) -> list[str]:
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return []
    return [value for value in body.values() if isinstance(value, str)] if isinstance(body, dict) else []


def authorize(key: Key, scope: str, rule_id: str, store: Store) -> Rule:
    """The rule, where the key may use that scope on it.

    Raises:
        Refused: 403 without the scope or outside the key's list; 404 for a rule that its organization does not have.
    """
    entry = _entry(key, scope)
    if entry is None:
        raise errors.forbidden()
    rule = store.get(rule_id)
    if "*" not in entry.resources and (rule_id not in entry.resources or fault("authz.listed-rule-refused")):
        unknown = rule is None or rule.organization_id != key.organization_id
        raise errors.rule_not_found(rule_id) if unknown and variant("limited-unknown-id.404") else errors.forbidden()
    if rule is None:
        raise errors.rule_not_found(rule_id)
    if rule.organization_id != key.organization_id and not fault("authz.organization-unchecked"):
        raise errors.forbidden() if variant("other-organization.403") else errors.rule_not_found(rule_id)
    return rule


def _entry(key: Key, scope: str) -> Permission | None:
    entry = key.permission(scope)
    if scope != UPDATE_RULES:
        return entry
    if fault("authz.scope-unchecked"):
        return entry or Permission(scope)
    if fault("authz.read-is-enough"):
        return entry or key.permission("READ_RULES")
    if fault("authz.trigger-is-enough"):
        return entry or key.permission("TRIGGER_RULES")
    if fault("authz.scope-by-name"):
        return entry or next((other for other in key.permissions if "RULE" in other.scope), None)
    if fault("authz.resource-unchecked"):
        return entry and Permission(scope, EVERYTHING)
    return entry
