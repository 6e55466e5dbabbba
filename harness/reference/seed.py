"""Who and what exists at the start: organizations, accounts, API keys and their permissions.

The keys open nothing but this server: they are demo keys, fixed so that a profile can name them. No run of eight
characters of one occurs in another or in any id.
"""

import msgspec

from rules_harness.harness.reference.steps import step

ORGANIZATION = "org_01HQMAPLE7"
OTHER_ORGANIZATION = "org_01HZBIRCH3"

UPDATE_RULES = "UPDATE_RULES"
"""The scope that lets a key update a rule. The page names none; this one is the server's own."""

WRITABLE_RULES = ("rule_01HXYZ1234", "rule_01HXYZ5678", "rule_01HXZA2468")
LIMITED_RULE = "rule_01HXZC8642"
OTHER_RULE = "rule_01ZYOTHER9"


class LedgerAccount(msgspec.Struct, frozen=True):
    """An account; `liability` says that payments due make sense on it."""

    id: str
    type: str
    name: str
    organization_id: str
    liability: bool = False


class Permission(msgspec.Struct, frozen=True):
    """One entry of a key: a scope and the resources it holds for (`*` for all)."""

    scope: str
    resources: frozenset[str] = frozenset({"*"})


class Key(msgspec.Struct, frozen=True):
    """An API key."""

    role: str
    secret: str
    organization_id: str
    permissions: tuple[Permission, ...]
    revoked: bool = False

    def permission(self, scope: str) -> Permission | None:
        """The entry for that scope, or None where the key lacks it."""
        return next((entry for entry in self.permissions if entry.scope == scope), None)


ACCOUNTS = (
    LedgerAccount("acc_01HABC4567", "income_source", "Payroll", ORGANIZATION),
    LedgerAccount("acc_01HSAV9999", "pod", "Savings", ORGANIZATION),
    LedgerAccount("acc_01HPODTAX2", "pod", "Taxes", ORGANIZATION),
    LedgerAccount("acc_01HINC7731", "income_source", "Invoices", ORGANIZATION),
    LedgerAccount("acc_01HEXTCHK5", "external_account", "Checking", ORGANIZATION),
    LedgerAccount("acc_01HCARD884", "external_account", "Credit card", ORGANIZATION, liability=True),
    LedgerAccount("acc_01HLOAN365", "external_account", "Student loan", ORGANIZATION, liability=True),
    LedgerAccount("acc_01ZOTHPOD1", "pod", "Their savings", OTHER_ORGANIZATION),
    LedgerAccount("acc_01ZOTHINC2", "income_source", "Their payroll", OTHER_ORGANIZATION),
)


def _only(*scopes: str) -> tuple[Permission, ...]:
    return tuple(Permission(scope) for scope in scopes)


_SCOPE_SECRETS = {
    "LIST_ACCOUNTS": "OBzXBeyEV2O7JHPAK57YDZ8cs9iEMQWKw1wrb0gTpXSZ",
    "READ_ACCOUNTS": "S1aedwCyyiPJEFYj3ctqCizTfD0x7NBzeZDFqWYjKVy6",
    "LIST_RULES": "tJX7lq2LylUKtZFGjnAJo4EmvwW1zV3ufVZEUt92qgZL",
    "READ_RULES": "KIHvOvVJs5UZMLyNCZMKMjvhKddfOl7HvqcQswJROnUQ",
    "TRIGGER_RULES": "UsljZZx36OFgfAJbsDL1fyuCxcGGZaDt2J7jvEzplRxk",
    "READ_RULE_EXECUTIONS": "vC1epEJr8rnHgujKeaOv3QhCBWQe2wXFJi3qPEd1Fwpx",
    "READ_TRANSFERS": "16bc1K6Kvn3J8QKuQdCkmwGaoszFv10k9qen2p10kRyB",
    "MANUAL_TRANSFER": "1KtPZvuNxpGDHK7A0CKn17ML3T8QJCYWIko63xsjXlw2",
    "READ_CARDS": "StxqGwdJ8GpGbpm43lWALcOQ0V9YBaDpx8dTyKQQqVkB",
}
_FULL = _only(UPDATE_RULES, *_SCOPE_SECRETS)
_LIMITED = tuple(Permission(scope, frozenset({LIMITED_RULE})) for scope in (UPDATE_RULES, "READ_RULES"))

KEYS = (
    Key("full", "xN2Horwx2wkPTmBnFPfq1WBuPXEmF8Zel6P2DN4MCZwh", ORGANIZATION, _FULL),
    Key("limited", "HsOZqZqPv6axfv8PP6M4V3qhFw2OoDDKueeFAQYfuLQ5", ORGANIZATION, _LIMITED),
    Key("read_only", "9vrRSNIdndBR4pPXFOA2aI2GXo9g9jPdoOefn0NdyXFH", ORGANIZATION, _only("LIST_RULES", "READ_RULES")),
    Key("unrelated", "iKxi91Cop7n9UUp5o8vcR0FbFJHu90MKjeV7YiClHQHv", ORGANIZATION, _only("LIST_ACCOUNTS")),
    Key("trigger_only", "GvcPLgGSlyIygXcyw4Lo4vzM4hsTJGz8RORh3ahqzs8k", ORGANIZATION, _only("TRIGGER_RULES")),
    Key("other_org", "2Hy5KV1Xh25D71VH5tf30ex7NK2SSlvhpNpt9rEx25nL", OTHER_ORGANIZATION, _FULL),
    Key("revoked", "4r3E3DQ5qTMwhO0BDQ83P2eD1wwHE9gE5qeVp2Ml6TKi", ORGANIZATION, _FULL, revoked=True),
    *(Key(f"scope.{scope}", secret, ORGANIZATION, _only(scope)) for scope, secret in _SCOPE_SECRETS.items()),
)

KEYS_BY_SECRET = {key.secret: key for key in KEYS}
KEYS_BY_ROLE = {key.role: key for key in KEYS}
_ACCOUNTS_BY_ID = {entry.id: entry for entry in ACCOUNTS}


def account(account_id: str) -> LedgerAccount:
    """The account of any organization with that id; KeyError where there is none."""
    return _ACCOUNTS_BY_ID[account_id]


@step
def shared_accounts() -> tuple[str, ...]:
    """Ids of the other organization's accounts that both organizations may name: none."""
    return ()


def account_of(organization_id: str, account_id: str) -> LedgerAccount | None:
    """The organization's account with that id, or None."""
    account = _ACCOUNTS_BY_ID.get(account_id)
    is_theirs = account is not None and account.organization_id == organization_id
    return account if is_theirs or account_id in shared_accounts() else None
