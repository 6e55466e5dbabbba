"""Reads a profile: TOML, or the options that stand in for it.  Errors name the place, the problem and the remedy."""

from __future__ import annotations

import fnmatch
import re
import shutil
import ssl
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import SplitResult, urlsplit

import msgspec

from rules_harness.harness.errors import UsageError
from rules_harness.harness.target.accounts import accounts, check_apart, check_suitable
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.harness.target.profile import (
    HOOKS,
    ROLES,
    CommandHook,
    Credential,
    Headers,
    HttpHook,
    Profile,
    Rules,
    SecretReference,
    Target,
)
from rules_harness.harness.target.secrets import Keyring, ordinary_words
from rules_harness.harness.target.sightings import MARK
from rules_harness.harness.target.tables import (
    Document,
    HookTable,
    KeyTable,
    TargetTable,
    closest,
    convert,
    parse,
)
from rules_harness.openapi.contract import Contract

_SECRET_NAME = re.compile(r"auth|token|key|secret|cookie|passw|credential|signature", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e\xa1-\xff](?:[\t\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa1-\xff])?")
_KEY = re.compile(r"[!#-\[\]-z|~]+")
_RULE_ID = re.compile(r"(?!\.+$)[!-~]+")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS: Final = frozenset({"rule_id", "seconds"})
_OWN_HEADERS: Final = ("host", "connection", "content-length", "transfer-encoding", "content-type", "accept", "expect")
_COMMAND_LINE: Final = "command line"
_OPTIONS: Final = {"target.base_url": "--base-url", "credentials.full.key_env": "--key-env", "rules": "--rule"}
_EXCLUSIVE: Final = frozenset({"full", "limited", "other_org", "revoked"})
"""Roles whose key can serve no other role: what is expected of it would contradict itself."""


def load(path: Path, *, contract: Contract, environ: Mapping[str, str]) -> tuple[Profile, Keyring]:
    """The profile in a TOML file, and its keys out of the environment; raises `UsageError`."""
    return _Reader(str(path), path.parent, contract, environ).read(parse(path))


def from_options(
    *, base_url: str, key_env: str, rules: Sequence[str], contract: Contract, environ: Mapping[str, str]
) -> tuple[Profile, Keyring]:
    """The profile that ``--base-url URL --key-env NAME --rule ID`` stand for; raises `UsageError`."""
    document = {
        "target": {"base_url": base_url},
        "credentials": {"full": {"key_env": key_env}},
        "rules": {"writable": list(rules)},
    }
    return _Reader(_COMMAND_LINE, Path(), contract, environ).read(document)


class _Reader:
    """Turns one document into a profile; ``source`` is what its errors name first."""

    def __init__(self, source: str, folder: Path, contract: Contract, environ: Mapping[str, str]) -> None:
        self._source = source
        self._folder = folder
        self._contract = contract
        self._environ = environ
        self._secrets: dict[str, str] = {}

    def read(self, raw: Mapping[str, Any]) -> tuple[Profile, Keyring]:
        document = convert(raw, Document, self._source)
        keys: dict[str, str] = {}
        credentials = self._credentials(document.credentials, keys)
        self._check_distinct(keys)
        profile = Profile(
            target=self._target(document.target),
            credentials=credentials,
            rules=self._rules(document.rules),
            accounts=accounts("accounts", document.accounts, self._contract, self._fail),
            other_org_accounts=accounts("other_org_accounts", document.other_org_accounts, self._contract, self._fail),
            hooks={name: self._hook(name, value) for name, value in document.hooks.items()},
            limits=document.limits,
            permissions=document.permissions,
            gate=document.gate,
            readings={id: self._reading(id, value) for id, value in document.readings.items()},
        )
        check_apart(profile, self._fail)
        check_suitable(profile, self._contract, self._fail)
        self._check_required(profile.gate.required)
        keyring = Keyring(keys, self._secrets, words=ordinary_words(self._contract.document, profile))
        self._check_no_key(profile, keyring)
        return profile, keyring

    def _target(self, table: TargetTable) -> Target:
        url = self._url("target.base_url", table.base_url)
        if url.query or url.fragment or "?" in table.base_url or "#" in table.base_url:
            self._fail(
                "target.base_url", "has a query or a fragment", "Stop after the path, as in https://host/api/v1."
            )
        if url.username is not None or url.password is not None:
            self._fail(
                "target.base_url", "holds a user name", "Name the key's variable under [credentials.full] instead."
            )
        proxy, proxy_login = self._proxy(table.proxy)
        return Target(
            name=table.name or url.netloc,
            base_url=table.base_url.rstrip("/"),
            headers=self._target_headers(table.headers),
            ca_bundle=self._ca_bundle(table.ca_bundle),
            proxy=proxy,
            proxy_login=proxy_login,
        )

    def _url(self, place: str, text: str) -> SplitResult:
        remedy = "Write an absolute URL such as https://host.example/api/v1."
        if not re.fullmatch(r"[!-~]+", text):
            self._fail(place, f"{text!r} is empty or has characters that no URL has", remedy)
        try:
            url = urlsplit(text)
            port = url.port
        except ValueError as error:
            self._fail(place, f"{text!r} is not a URL ({error})", remedy)
        if url.scheme not in ("http", "https") or not url.hostname or port == 0:
            self._fail(place, f"{text!r} is not an absolute http or https URL", remedy)
        return url

    def _ca_bundle(self, text: str | None) -> str | None:
        if text is None:
            return None
        path = self._folder.absolute() / text
        try:
            ssl.create_default_context(cafile=str(path))
        except OSError as error:
            remedy = "Name a PEM file; a relative path starts at the profile's folder."
            self._fail("target.ca_bundle", f"cannot read certificates from {path} ({error.strerror or error})", remedy)
        return str(path)

    def _proxy(self, text: str | None) -> tuple[str | None, SecretReference | None]:
        """The address of the proxy, and the login that stands in front of it."""
        if text is None:
            return None, None
        url = self._url("target.proxy", text)
        if url.scheme != "http" or url.path.strip("/") or url.query:
            self._fail("target.proxy", f"{text!r} is not the address of a proxy", "Write http://host:port.")
        login, separator, address = url.netloc.rpartition("@")
        if separator:
            return f"http://{address}", self._secret("proxy:login", login)
        return f"http://{address}", None

    def _target_headers(self, headers: Mapping[str, Any]) -> Headers:
        names = self._contract.names
        own = {
            *_OWN_HEADERS,
            *(name.lower() for name in (names.authorization, names.idempotency_key, names.request_id_header)),
        }
        for name in headers:
            if name.lower() in own:
                self._fail(f"target.headers.{name}", "is a header that the harness sets itself", "Leave it out.")
        return self._headers("target.headers", "", headers)

    def _headers(self, place: str, prefix: str, headers: Mapping[str, Any]) -> Headers:
        """Names and values, those that look like secrets by reference."""
        found: list[tuple[str, str | SecretReference]] = []
        for name, value in headers.items():
            text = convert(value, str, self._source, f"{place}.{name}")
            if not _HEADER_NAME.fullmatch(name):
                self._fail(f"{place}.{name}", "is not a header name", "Use letters, digits and hyphens.")
            if not _HEADER_VALUE.fullmatch(text):
                self._fail(f"{place}.{name}", "is not a header value", "Use visible Latin-1 characters on one line.")
            if _SECRET_NAME.search(name):
                if not text.isascii():
                    self._fail(f"{place}.{name}", "looks like a secret, but is not ASCII", "Use ASCII alone.")
                # A bar may stand in the name of a header, and separates in a mark.
                found.append((name, self._secret(f"header:{prefix}{name}".replace("|", "/"), text)))
            else:
                found.append((name, text))
        return tuple(found)

    def _secret(self, name: str, text: str) -> SecretReference:
        self._secrets[name] = text
        return SecretReference(name)

    def _credentials(self, table: Mapping[str, Any], keys: dict[str, str]) -> dict[str, Credential]:
        scopes = convert(table.get("scope", {}), dict[str, Any], self._source, "credentials.scope")
        known = {"credentials": ROLES, "credentials.scope": self._contract.names.scopes}
        entries = [("credentials", name, value) for name, value in table.items() if name != "scope"]
        entries += [("credentials.scope", name, value) for name, value in scopes.items()]
        if not entries:
            self._fail(
                "credentials", "holds no credential", 'Add [credentials.full] with key_env = "NAME_OF_A_VARIABLE".'
            )
        found = {}
        for place, role, value in entries:
            if role not in known[place]:
                self._fail(f"{place}.{role}", "is no credential that the harness knows", closest(role, known[place]))
            name = role if place == "credentials" else f"scope.{role}"
            key_env = convert(value, KeyTable, self._source, f"{place}.{role}").key_env
            keys[name] = self._key(f"{place}.{role}.key_env", key_env)
            found[name] = Credential(name, key_env)
        return found

    def _key(self, place: str, variable: str) -> str:
        key = self._environ.get(variable, "")
        if not key:
            state = "is empty" if variable in self._environ else "is not set"
            self._fail(
                place,
                f"the environment variable {variable!r} {state}",
                f"export {variable or 'NAME'}=<the key>, or remove it.",
            )
        if not _KEY.fullmatch(key):
            problem = f"the key in {variable!r} has white space or other characters that no key has"
            self._fail(place, problem, "Export it without quotation marks, spaces and line ends.")
        return key

    def _check_distinct(self, keys: Mapping[str, str]) -> None:
        roles: dict[str, str] = {}
        for name, key in keys.items():
            other = roles.setdefault(key, name)
            if other != name and _EXCLUSIVE & {name, other}:
                problem = f"has the same key as credentials.{other}"
                self._fail(f"credentials.{name}", problem, "Give each role a key of its own.")

    def _check_no_key(self, profile: Profile, keyring: Keyring) -> None:
        """Profiles are recorded and passed on; a key that is like a word may be one."""
        text = msgspec.json.encode(profile).decode()
        marks = Cleaner(keyring).clean_text(text)
        if marks != text:
            name = next(match[1] for match in MARK.finditer(marks))
            self._fail(f"credentials.{name}", "its key stands in the profile itself", "Keys never stand in a profile.")

    def _rules(self, rules: Rules) -> Rules:
        for rule in rules.all:
            if not _RULE_ID.fullmatch(rule) or set(rule) & set("/\\?#%"):
                self._fail("rules", f"{rule!r} is not a rule id", "Copy the id as the API shows it.")
        for rule in rules.all:
            if rules.all.count(rule) > 1:
                self._fail(
                    "rules", f"{rule!r} stands there twice", "Give writable, limited and other_org rules of their own."
                )
        return rules

    def _hook(self, name: str, value: Any) -> HttpHook | CommandHook:
        place = f"hooks.{name}"
        if name not in HOOKS:
            self._fail(place, "is no hook that the harness knows", closest(name, HOOKS))
        table = convert(value, HookTable, self._source, place)
        if bool(table.url) == bool(table.command):
            self._fail(place, "needs either a url or a command", 'Write { url = "…" } or { command = ["…"] }.')
        if table.command:
            return CommandHook(
                command=(self._program(place, table.command[0]), *table.command[1:]), timeout=table.timeout
            )
        url = table.url or ""
        self._url(f"{place}.url", _PLACEHOLDER.sub("0", url))
        for placeholder in _PLACEHOLDER.findall(url):
            if placeholder not in _PLACEHOLDERS:
                self._fail(
                    f"{place}.url",
                    f"has the unknown placeholder {{{placeholder}}}",
                    closest(placeholder, _PLACEHOLDERS),
                )
        if not _HEADER_NAME.fullmatch(table.method):
            self._fail(f"{place}.method", f"{table.method!r} is not a method", 'Write "POST".')
        headers = self._headers(f"{place}.headers", f"{name}.", table.headers)
        return HttpHook(url=url, method=table.method, json=table.json, headers=headers, timeout=table.timeout)

    def _program(self, place: str, name: str) -> str:
        path = str(self._folder.absolute() / name) if "/" in name else name
        found = shutil.which(path, path=self._environ.get("PATH"))
        if found is None:
            remedy = "Name a program that may be executed; a relative path starts at the profile's folder."
            self._fail(f"{place}.command", f"there is no program {path!r}", remedy)
        return found

    def _reading(self, id: str, value: Any) -> tuple[str, ...]:
        place = f'readings."{id}"'
        readings = self._contract.readings
        if id not in readings:
            self._fail(place, "is no reading of the contract", closest(id, readings))
        tokens = convert(value, tuple[str, ...], self._source, place)
        for token in tokens:
            if token not in readings[id].tokens:
                self._fail(
                    place, f"{token!r} is no answer to this reading", f"Choose among: {', '.join(readings[id].tokens)}."
                )
        if not tokens:
            self._fail(place, "accepts nothing", "List the accepted tokens, or remove it.")
        return tokens

    def _check_required(self, patterns: Iterable[str]) -> None:
        known = (*self._contract.requirements, *self._contract.readings)
        for pattern in patterns:
            if not fnmatch.filter(known, pattern):
                self._fail("gate.required", f"{pattern!r} matches no requirement", closest(pattern, known))

    def _fail(self, place: str, problem: str, remedy: str) -> NoReturn:
        if self._source == _COMMAND_LINE:
            place = _OPTIONS.get(place, place)
        raise UsageError(f"{self._source}: {place}: {problem}. {remedy}")
