"""The Idempotency-Key header, and what a use of it is remembered under."""

import hashlib
import itertools
import json
import re
from collections.abc import Hashable

import msgspec

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Crashed, Incoming
from rules_harness.harness.reference.seed import Key
from rules_harness.harness.reference.switches import fault, variant

LONGEST = 255

_VISIBLE = frozenset(range(0x21, 0x7F))
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_workers = itertools.count()


class Use(msgspec.Struct, frozen=True):
    """One use of a key by one request."""

    name: Hashable
    """What its answer is remembered under."""
    same_rule: Hashable
    same_body: Hashable
    """Two uses of one name are the same request where both of these are equal."""
    key: str
    rule_id: str
    organization_id: str
    request_id: str
    body: bytes


def key_of(request: Incoming) -> str | None:
    """The request's key, or None.

    Raises:
        Refused: the key is empty, longer than 255, repeated, or holds anything but visible ASCII.
    """
    values = request.all(b"idempotency-key")
    if fault("idempotency.ignored"):
        return None
    if fault("idempotency.body-as-key") and not values:
        return hashlib.sha256(request.body).hexdigest()
    if not values:
        return None
    _crash_on_odd(values[0])
    if variant("odd-keys.accepted"):
        return values[0].decode("latin-1") or None
    if fault("envelope.precondition-required-428") and not values[0]:
        raise errors.refusal(428, "precondition_required", "Idempotency-Key must not be empty.")
    if len(values) > 1 or not 0 < len(values[0]) <= LONGEST or not _VISIBLE.issuperset(values[0]):
        raise errors.invalid("Idempotency-Key must be one value of 1 to 255 visible ASCII characters.")
    return _normalised(values[0].decode("ascii"))


def _crash_on_odd(value: bytes) -> None:
    if (
        (fault("idempotency.long-key-crash") and len(value) > LONGEST)
        or (fault("idempotency.empty-key-crash") and not value)
        or (fault("idempotency.non-ascii-key-crash") and not value.isascii())
    ):
        raise Crashed


def _normalised(key: str) -> str:
    if fault("idempotency.uuid-only") and _UUID.fullmatch(key) is None:
        raise errors.invalid("Idempotency-Key must be a UUID.")
    if fault("idempotency.over-64-refused") and len(key) > 64:
        raise errors.invalid("Idempotency-Key must have at most 64 characters.")
    if fault("idempotency.case-folded"):
        return key.lower()
    if fault("idempotency.cut-at-32"):
        return key[:32]
    return key


def use_of(key: str, caller: Key, rule_id: str, request: Incoming, request_id: str) -> Use:
    """How this request uses the key."""
    namespace = caller.organization_id if variant("key-scope.organization") else caller.role
    name: Hashable = (namespace, rule_id, key)
    rule: Hashable = rule_id
    body = _identity(request.body)
    if variant("key-on-other-rule.400") or variant("key-on-other-rule.409") or variant("key-on-other-rule.422"):
        name = (namespace, key)
    if fault("idempotency.key-alone"):
        name, rule = key, None
    if fault("idempotency.any-answer-of-the-key"):
        name, rule, body = key, None, None
    if fault("idempotency.rule-ignored"):
        name, rule = (namespace, key), None
    if fault("idempotency.body-in-name"):
        name = (namespace, rule_id, key, body)
    if fault("idempotency.memory-of-one-worker"):
        name = (namespace, rule_id, key, next(_workers) % 2)
    return Use(name, rule, body, key, rule_id, caller.organization_id, request_id, request.body)


def _identity(body: bytes) -> Hashable:
    if variant("body-identity.json-value"):
        try:
            return json.dumps(json.loads(body), sort_keys=True)
        except (ValueError, RecursionError):
            return body
    return body
