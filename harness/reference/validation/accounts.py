"""References to accounts: they must exist in the caller's organization."""

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Json, Refused
from rules_harness.harness.reference.seed import LedgerAccount, account_of
from rules_harness.harness.reference.steps import step
from rules_harness.harness.reference.validation import values
from rules_harness.harness.reference.validation.values import Node

TYPES = frozenset({"income_source", "pod", "external_account"})
_REF = frozenset({"id", "type", "name"})


def account(node: Node) -> LedgerAccount:
    """The account that the place names, which must be one of the organization."""
    if type(values.required(node).value) is not str:
        raise errors.invalid(f"{node.pointer} must be a string.")
    entry = account_named(node)
    if entry is None:
        raise no_such_account(node)
    return entry


@step
def account_named(node: Node) -> LedgerAccount | None:
    """The organization's account with that id: 'Keys are scoped to an organization', and so are bodies."""
    return account_of(node.organization_id, node.value)


@step
def no_such_account(node: Node) -> Refused:
    """The refusal of a body that names an account that is not there."""
    return errors.invalid(f"{node.pointer} names no account of this organization.")


def account_id(node: Node) -> str | None:
    """The id of an account of the organization, or null."""
    return None if node.is_null else account(node).id


@step
def account_ref(node: Node) -> dict[str, Json]:
    """An AccountRef {id, type, name?} whose type is the account's."""
    owner = values.an_object(node)
    kind = values.choice(owner.member("type"), TYPES)
    entry = account(owner.member("id"))
    if entry.type != kind:
        raise errors.invalid(f"{node.pointer}/type is not the type of that account.")
    name = {"name": values.text(owner.member("name"))} if "name" in owner.value else {}
    return {"id": entry.id, "type": kind, **name, **values.unknown(owner, _REF)}
