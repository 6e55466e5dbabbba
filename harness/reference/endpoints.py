"""What happens to a request, in one order: authentication, path and method, permission and existence, media type and
size, idempotency, body, execution."""

from collections.abc import Awaitable, Callable, Mapping

from rules_harness.harness.reference import credentials, envelope, errors, idempotency, syntax, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.messages import Reply
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.seed import Key
from rules_harness.harness.reference.steps import step

Endpoint = Callable[[Call, Key], Awaitable[Reply]]


@step
async def handle(call: Call) -> Reply:
    """Any request. Headers that the API does not know have no effect.

    Raises:
        Refused: it is not carried out.
    """
    caller = await credentials.authenticate(call)
    if not call.rule_id:
        raise errors.path_not_found()
    return await act(call, caller)


@step
async def act(call: Call, caller: Key) -> Reply:
    """A request about a rule: exactly the one that the path names."""
    possible = endpoints(call)
    endpoint = possible.get(call.request.method)
    if endpoint is None:
        raise errors.method_not_allowed(", ".join(possible))
    return await endpoint(call, caller)


@step
def endpoints(call: Call) -> Mapping[str, Endpoint]:
    """'PUT/rules/{id}', and what is known of its companions: what a path can do, by method."""
    return {"POST": trigger_rule} if call.trigger else {"GET": get_rule, "PUT": put_rule}


@step
async def put_rule(call: Call, caller: Key) -> Reply:
    """'PUT/rules/{id}': update the rule, once per idempotency key."""
    credentials.authorize(call, caller, credentials.update_permission(caller))
    syntax.check_media_type(call.request)
    syntax.check_size(call.request.body)
    key = idempotency.key_of(call.request)
    if key is None:
        return await update.update(call, caller.organization_id)
    return await idempotency.once(call, idempotency.use_of(call, caller, key))


@step
async def get_rule(call: Call, caller: Key) -> Reply:
    """'READ_RULES', 'Full rule details (steps, conditions, actions) for a specific rule'."""
    rule = credentials.authorize(call, caller, caller.permission("READ_RULES"))
    return Reply(status=200, data=envelope.rule_data(rule))


@step
async def trigger_rule(call: Call, caller: Key) -> Reply:
    """'TRIGGER_RULES', 'Triggering rule executions'."""
    rule = credentials.authorize(call, caller, caller.permission("TRIGGER_RULES"))
    if not can_be_triggered(rule):
        raise errors.refusal(409, "rule_disabled", "The rule is disabled.")
    executions = call.service.store.executions
    executions.append(rule.id)
    return Reply(status=202, data={"rule_id": rule.id, "execution_id": f"exec_{len(executions)}"})


@step
def can_be_triggered(rule: Rule) -> bool:
    """A human has to 'review and re-enable it in the Sequence app before it can be triggered again'."""
    return rule.status == "enabled"
