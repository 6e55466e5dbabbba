"""Variants: other answers to what the page leaves open about refusals."""

from collections.abc import Awaitable, Callable

from rules_harness.harness.reference import credentials, errors, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.effects import altered
from rules_harness.harness.reference.seed import Key
from rules_harness.harness.reference.stand_ins import Variants, refuse_if
from rules_harness.harness.reference.validation import accounts, values
from rules_harness.harness.reference.validation.body import Configuration

variant = Variants()


def _is_there(call: Call) -> bool:
    return call.service.store.get(call.rule_id) is not None


def _is_own(call: Call, caller: Key) -> bool:
    rule = call.service.store.get(call.rule_id)
    return rule is not None and rule.organization_id == caller.organization_id


variant("validation-status.422", "reading.validation-status", errors.invalid).short(
    "Invalid bodies are answered 422.",
    lambda usual, message: altered(usual(message), {"code": "validation_error"}, status=422),
)
variant("validation-code.resource-not-found", "1. Facts, the five answers", errors.invalid).short(
    "Invalid bodies carry the code that the page shows for its second example.",
    lambda usual, message: altered(usual(message), {"code": "resource_not_found"}),
)
variant("other-organization.403", "reading.other-organization", credentials.find).short(
    "Another organization's rule is answered 403.",
    refuse_if(
        lambda call, caller: _is_there(call) and not _is_own(call, caller), lambda call, caller: errors.forbidden()
    ),
)
variant("limited-unknown-id.404", "reading.limited-unknown-id", credentials.authorize).short(
    "A key with a list of rules gets 404 for an unknown id.",
    refuse_if(
        lambda call, caller, entry: (
            entry and not credentials.is_listed(call.rule_id, entry) and not _is_own(call, caller)
        ),
        lambda call, caller, entry: errors.rule_not_found(call.rule_id),
    ),
)
variant("missing-account.404", "validation.status", accounts.no_such_account).short(
    "An account that is not there is answered 404.",
    lambda usual, node: errors.refusal(404, "resource_not_found", f"Account with id '{node.value}' was not found."),
)
variant("missing-account.403", "validation.status", accounts.no_such_account).short(
    "An account that is not there is answered 403.", lambda usual, node: errors.forbidden()
)


def _holds_missing(node: values.Node) -> values.Node | None:
    """The first account that the body names and that is not there, whatever else is wrong."""
    if type(node.value) is list:
        inner = [node.item(index, item) for index, item in enumerate(node.value)]
    elif type(node.value) is dict:
        inner = [node.member(name) for name in node.value]
    elif node.name in ("id", "account_id") and type(node.value) is str and accounts.account_named(node) is None:
        return node
    else:
        return None
    return next(filter(None, map(_holds_missing, inner)), None)


@variant("missing-account.first", "validation.status", update.validated, group="account-order")
async def looked_up_first(
    usual: Callable[[Call, values.Node], Awaitable[Configuration]], call: Call, body: values.Node
) -> Configuration:
    """Accounts are looked up before anything else of the body is judged: 404, whatever else is broken."""
    missing = _holds_missing(body)
    if missing is not None:
        raise errors.refusal(404, "resource_not_found", f"Account with id '{missing.value}' was not found.")
    return await usual(call, body)
