"""Who asks, and what they may do. Both come before anything is looked up, read or stored on their behalf."""

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.messages import Incoming
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.seed import KEYS_BY_SECRET, UPDATE_RULES, Key, Permission
from rules_harness.harness.reference.steps import step


@step
async def authenticate(call: Call) -> Key:
    """The key of the request: 'Authorization', 'In: header'.

    Raises:
        Refused: 401, where there is no single well-formed header with a known, unrevoked key.
    """
    values = credentials(call.request)
    secret = secret_of(values[0]) if len(values) == 1 else None
    key = None if secret is None else known_key(secret)
    if key is None:
        raise errors.unauthorized(values[0] if values else None)
    return key


@step
def credentials(request: Incoming) -> list[str]:
    """'In: header': the values of Authorization, and of nothing else."""
    return [value.decode("latin-1") for value in request.all(b"authorization")]


@step
def secret_of(value: str) -> str | None:
    """'Format: ApiKey <key>.' The key in such a value, or None where the value is malformed."""
    scheme, _, secret = value.partition(" ")
    return secret if scheme == "ApiKey" else None


@step
def known_key(secret: str) -> Key | None:
    """The key with exactly that secret, unless it is revoked."""
    key = KEYS_BY_SECRET.get(secret)
    return None if key is None or key.revoked else key


@step
def update_permission(caller: Key) -> Permission | None:
    """The entry that lets a key update rules: 'An entry specifies a scope and a resources constraint.'"""
    return caller.permission(UPDATE_RULES)


@step
def authorize(call: Call, caller: Key, entry: Permission | None) -> Rule:
    """'A request returns 403 if the key lacks the required scope, or if the requested resource is outside the key's
    allowed list.' The rule, where it does not.

    Raises:
        Refused: 403, or 404 for a rule that its organization does not have.
    """
    if entry is None or not is_listed(call.rule_id, entry):
        raise errors.forbidden()
    return find(call, caller)


@step
def is_listed(rule_id: str, entry: Permission) -> bool:
    """Whether the entry's resources, 'rule IDs or *', include the rule."""
    return "*" in entry.resources or rule_id in entry.resources


@step
def find(call: Call, caller: Key) -> Rule:
    """The rule: 'Keys are scoped to an organization', to which another one's rule is not there."""
    rule = call.service.store.get(call.rule_id)
    if rule is None or rule.organization_id != caller.organization_id:
        raise errors.rule_not_found(call.rule_id)
    return rule
