"""References to accounts: they must exist in the caller's organization."""

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Json, Refused
from rules_harness.harness.reference.seed import ACCOUNTS, Account, account_of
from rules_harness.harness.reference.switches import fault, variant
from rules_harness.harness.reference.validation.texts import text
from rules_harness.harness.reference.validation.values import an_object, choice, keep_unknown, required

TYPES = frozenset({"income_source", "pod", "external_account"})

_REF = frozenset({"id", "type", "name"})


def account(value: Json, place: str, organization_id: str) -> Account:
    """The account with that id, which must be one of the organization."""
    if type(value) is not str:
        raise errors.invalid(f"{place} must be a string.")
    found = account_of(organization_id, value) or _foreign(value, place)
    if found is None:
        raise _no_such_account(value, place)
    return found


def _foreign(account_id: str, place: str) -> Account | None:
    """Another organization's account, where a fault lets it through."""
    let_through = (
        fault("authz.foreign-account-accepted")
        or (fault("authz.foreign-destination-accepted") and "/destination" in place)
        or (fault("authz.foreign-trigger-account-accepted") and place.startswith("/trigger"))
        or (fault("authz.foreign-condition-account-accepted") and "/params" in place)
    )
    return next((entry for entry in ACCOUNTS if let_through and entry.id == account_id), None)


def _no_such_account(account_id: str, place: str) -> Refused:
    if variant("missing-account.404"):
        return errors.refusal(404, "resource_not_found", f"Account with id '{account_id}' was not found.")
    if variant("missing-account.403"):
        return errors.forbidden()
    return errors.invalid(f"{place} names no account of this organization.")


def account_id(owner: dict[str, Json], name: str, place: str, organization_id: str) -> str:
    """The id of an account of the organization, required."""
    return account(required(owner, name, place), f"{place}/{name}", organization_id).id


def optional_account_id(owner: dict[str, Json], name: str, place: str, organization_id: str) -> str | None:
    """The id of an account of the organization, or null."""
    value = owner.get(name)
    return None if value is None else account(value, f"{place}/{name}", organization_id).id


def account_ref(value: Json, place: str, organization_id: str) -> dict[str, Json]:
    """An AccountRef {id, type, name?} whose type is the account's."""
    owner = an_object(value, place)
    kind = choice(owner, "type", place, TYPES)
    name = text(owner, "name", place)
    found = account(required(owner, "id", place), f"{place}/id", organization_id)
    if found.type != kind:
        raise errors.invalid(f"{place}/type is not the type of that account.")
    ref: dict[str, Json] = {"id": found.id, "type": kind}
    if variant("account-name.resolved"):
        ref["name"] = found.name
    elif "name" in owner:
        ref["name"] = name
    keep_unknown(owner, _REF, place, ref)
    return ref
