"""The target's profile: what is under test, with which keys, on which rules, within which limits.

The records here hold no secret: keys are named by environment variable, and header values that look like secrets by
references that only the `Keyring` can resolve.  `harness.target.reader` fills them from TOML.
"""

from __future__ import annotations

import ipaddress
import unicodedata
from datetime import datetime
from encodings.idna import nameprep
from typing import Annotated, Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.world import Account, World

ROLES: Final = ("full", "limited", "read_only", "unrelated", "trigger_only", "other_org", "revoked")
HOOKS: Final = ("enable_rule", "advance_clock", "reset")
"""What a profile may have; `reset` is for whoever shares it, and no run calls it: rules are put back one by one."""
_DECODINGS: Final = 4
"""How many layers of percent-encoding of a host are undone."""
MAX_AMOUNT: Final = 2**53 - 1

Seconds = Annotated[float, msgspec.Meta(gt=0, le=3600)]


class SecretReference(msgspec.Struct, frozen=True):
    """A value that is in no record, by the name that the `Keyring` knows it by."""

    secret: str


Headers = tuple[tuple[str, str | SecretReference], ...]


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the API is. ``base_url`` has no slash at its end, ``headers`` go with every request."""

    name: str
    base_url: str
    headers: Headers = ()
    ca_bundle: str | None = None
    """Path of the certificates to trust instead of the usual ones."""
    proxy: str | None = None
    proxy_login: SecretReference | None = None
    """User name and password, percent-encoded and with a colon between them."""
    client_cert: str | None = None
    """Path of the certificate that the client shows, and of those that vouch for it."""
    client_key: str | None = None
    """Path of the private key of that certificate; ``None`` where it stands in the same file."""

    @property
    def has_secrets(self) -> bool:
        """Whether it takes more than the keys to send something there."""
        return self.proxy_login is not None or any(not isinstance(value, str) for _, value in self.headers)


class Credential(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key by its role (``full``, ``scope.LIST_RULES``) and where it comes from, which is one of three."""

    name: str
    key_env: str = ""
    """The environment variable that holds it."""
    key_file: str = ""
    """The path of the file that holds it."""
    key_command: tuple[str, ...] = ()
    """The program that prints it, with its arguments; started without a shell."""

    @property
    def way(self) -> str:
        """The key of the profile that says where the key comes from."""
        return "key_command" if self.key_command else "key_file" if self.key_file else "key_env"

    @property
    def source(self) -> str:
        """Where the key comes from, in words."""
        if self.key_command:
            return f"the output of {self.key_command[0]}"
        return f"the file {self.key_file}" if self.key_file else self.key_env


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The rules that may be written: by ``full``, by ``limited``, and the other organization's."""

    writable: tuple[str, ...] = ()
    limited: str | None = None
    other_org: str | None = None

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.writable, *(rule for rule in (self.limited, self.other_org) if rule is not None))


class HttpHook(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="http"):
    """A request that an operator's tool answers; ``timeout`` in seconds.

    ``url`` has neither a login nor what looks like a secret in its query: these are in ``login`` and ``query``.
    """

    url: str
    method: str = "POST"
    json: Any = None
    headers: Headers = ()
    timeout: float = 10
    login: SecretReference | None = None
    """User name and password, percent-encoded and with a colon between them."""
    query: tuple[tuple[str, SecretReference], ...] = ()
    """Parameters of the query behind those of the URL, percent-encoded."""

    @property
    def has_secrets(self) -> bool:
        """Whether it takes more than the profile says to call it."""
        return bool(self.login or self.query) or any(not isinstance(value, str) for _, value in self.headers)


class CommandHook(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="command"):
    """A program with its arguments, started without a shell; ``timeout`` in seconds."""

    command: tuple[str, ...]
    timeout: float = 10


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the target is spared, for a whole run."""

    requests_per_second: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] = 20
    in_flight: Annotated[int, msgspec.Meta(ge=1, le=256)] = 8
    max_requests: Annotated[int, msgspec.Meta(ge=1)] = 5000
    timeout_seconds: Seconds = 10
    """For one request, from the first byte sent to the last received."""
    settle_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0
    """How long a read may lag behind a write."""
    max_amount_in_cents: Annotated[int, msgspec.Meta(ge=1, le=MAX_AMOUNT)] = 100_000
    minimise_requests: Annotated[int, msgspec.Meta(ge=0)] = 200
    """How many requests may be spent on making one failing episode smaller."""


class Permissions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the owner of the target allows beyond the harmless."""

    trigger: bool = False
    live_shapes: bool = False
    expose_key: bool = False
    no_restore: bool = False
    production: bool = False
    production_writes: bool = False


class GateTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run has to come to."""

    required: tuple[str, ...] = ()
    """Patterns of requirement ids that must be judged, or the run ends with 3."""
    requests: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """About how many a run may send, the most telling first; by default all."""


class Profile(msgspec.Struct, frozen=True):
    """All that is known of a target before the first request; safe to record."""

    target: Target
    credentials: dict[str, Credential]
    rules: Rules = Rules()
    accounts: tuple[Account, ...] = ()
    other_org_accounts: tuple[Account, ...] = ()
    hooks: dict[str, HttpHook | CommandHook] = {}
    limits: Limits = Limits()
    permissions: Permissions = Permissions()
    gate: GateTable = GateTable()
    readings: dict[str, tuple[str, ...]] = {}
    """Accepted tokens by reading id, where the profile narrows them."""

    @property
    def is_loopback(self) -> bool:
        """Whether no request leaves this machine: a loopback address, and no proxy that is elsewhere."""
        urls = (self.target.base_url, self.target.proxy)
        return all(_is_loopback(url) for url in urls if url is not None)

    @property
    def main_credential(self) -> str:
        """The one that may update and read every rule of ours."""
        return "full" if "full" in self.credentials else next(iter(self.credentials))

    def credential_of(self, rule: str) -> str:
        """The credential that may update and read a rule."""
        foreign = rule == self.rules.other_org and "other_org" in self.credentials
        return "other_org" if foreign else self.main_credential

    @property
    def allows_live_shapes(self) -> bool:
        """Whether bodies that could move money may be sent: nothing leaves this machine, or the owner allows it."""
        return self.is_loopback or self.permissions.live_shapes

    def is_production(self, contract: Contract) -> bool:
        """Whether requests may get to a host that the contract lists as production, however it is spelled."""
        listed = {_understood(name) for name in contract.names.production_hosts}
        urls = (self.target.base_url, self.target.proxy)
        return any(_understood(host_of(url)) in listed for url in urls if url is not None)

    def world(self, now: datetime) -> World:
        """What strategies must know of this target; ``now`` is aware, UTC."""
        return World(
            accounts=self.accounts,
            foreign_accounts=self.other_org_accounts,
            now=now,
            max_amount_in_cents=self.limits.max_amount_in_cents,
        )


def host_of(url: str) -> str:
    """The host of a URL in lower case, without the root's dot."""
    return (urlsplit(url).hostname or "").rstrip(".")


def _understood(host: str) -> str:
    """The name that somebody on the way, such as a proxy or a resolver, may understand by a host."""
    for _ in range(_DECODINGS):
        host = unquote(host)
    host = unicodedata.normalize("NFKC", host.partition("\\")[0]).replace("\u3002", ".")
    # What IDNA maps to nothing, such as a soft hyphen, and what differs in case alone (RFC 3491).
    try:
        labels = [nameprep(label) for label in host.split(".")]
    except UnicodeError:
        labels = host.split(".")
    return ".".join(labels).lower().strip(". ")


def _is_loopback(url: str) -> bool:
    host = host_of(url)
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
