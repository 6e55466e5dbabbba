"""The embedded target's profile, ready to use."""

from collections.abc import Mapping

from rules_harness.harness.reference import seed


def key_environment() -> Mapping[str, str]:
    """Environment variables that hold the demo keys, by the names that the profile uses."""
    return {_variable(key): key.secret for key in seed.KEYS}


def profile_text(base_url: str, control_url: str) -> str:
    """A complete profile (TOML) for a server at these URLs."""
    credentials = "\n".join(f'[credentials.{key.role}]\nkey_env = "{_variable(key)}"' for key in seed.KEYS)
    own = "\n".join(
        _entry("accounts", account) for account in seed.ACCOUNTS if account.organization_id == seed.ORGANIZATION
    )
    others = [account for account in seed.ACCOUNTS if account.organization_id != seed.ORGANIZATION]
    foreign = "\n".join(_entry("other_org_accounts", account) for account in others)
    writable = ", ".join(f'"{rule_id}"' for rule_id in seed.WRITABLE_RULES)
    return f"""\
[target]
name = "embedded"
base_url = "{base_url}"

{credentials}

[rules]
writable = [{writable}]
limited = "{seed.LIMITED_RULE}"
other_org = "{seed.OTHER_RULE}"

{own}
{foreign}

[hooks]
enable_rule = {{ method = "POST", url = "{control_url}/rules/{{rule_id}}/enable" }}
advance_clock = {{ method = "POST", url = "{control_url}/clock", json = {{ advance_seconds = "{{seconds}}" }} }}
reset = {{ method = "POST", url = "{control_url}/reset" }}

[limits]
requests_per_second = 5000
in_flight = 8
max_requests = 20000
timeout_seconds = 10
settle_seconds = 0
max_amount_in_cents = 9007199254740991

[permissions]
trigger = true
live_shapes = true
expose_key = true
no_restore = true
"""


def _variable(key: seed.Key) -> str:
    return "RULES_KEY_" + key.role.replace(".", "_").upper()


def _entry(table: str, account: seed.LedgerAccount) -> str:
    liability = "\nliability = true" if account.liability else ""
    return f'[[{table}]]\nid = "{account.id}"\ntype = "{account.type}"{liability}'
