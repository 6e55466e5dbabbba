"""Reads a profile: TOML, or the options that stand in for it.  Errors name the place, the problem and the remedy."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from rules_harness.harness.target.accounts import accounts, check_apart, check_suitable
from rules_harness.harness.target.address import COMMAND_LINE, TargetReader
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.harness.target.credentials import NoKey, read_key, sources
from rules_harness.harness.target.form import HEADER_NAME
from rules_harness.harness.target.profile import (
    HOOKS,
    ROLES,
    CommandHook,
    Credential,
    HttpHook,
    Profile,
    Rules,
)
from rules_harness.harness.target.secrets import Keyring, ordinary_words
from rules_harness.harness.target.sightings import MARK
from rules_harness.harness.target.tables import (
    Document,
    HookTable,
    KeyTable,
    closest,
    convert,
    parse,
)
from rules_harness.openapi.contract import Contract

_RULE_ID = re.compile(r"(?!\.+$)[!-~]+")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS: Final = frozenset({"rule_id", "seconds"})
_EXCLUSIVE: Final = frozenset({"full", "limited", "other_org", "revoked"})
"""Roles whose key can serve no other role: what is expected of it would contradict itself."""


def load(path: Path, *, contract: Contract, environ: Mapping[str, str]) -> tuple[Profile, Keyring]:
    """The profile in a TOML file, and its keys out of the environment; raises `UsageError`."""
    return _Reader(str(path), path.parent, contract, environ).read(parse(path))


def from_document(
    document: Mapping[str, Any], source: str, *, contract: Contract, environ: Mapping[str, str]
) -> tuple[Profile, Keyring]:
    """The profile that a document in memory holds, and its keys; ``source`` is what errors call it."""
    return _Reader(source, Path(), contract, environ).read(document)


def from_options(
    *,
    base_url: str,
    key_env: str,
    rules: Sequence[str],
    contract: Contract,
    environ: Mapping[str, str],
    target: Mapping[str, Any] = {},
    limits: Mapping[str, Any] = {},
) -> tuple[Profile, Keyring]:
    """The profile that ``--base-url URL --key-env NAME --rule ID`` stand for; raises `UsageError`.

    ``target`` and ``limits`` are further entries of these tables, where they are not ``None``.
    """
    document = {
        "target": {"base_url": base_url, **_given(target)},
        "credentials": {"full": {"key_env": key_env}},
        "rules": {"writable": list(rules)},
        "limits": _given(limits),
    }
    return from_document(document, COMMAND_LINE, contract=contract, environ=environ)


def _given(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if value is not None}


class _Reader(TargetReader):
    """Turns one document into a profile."""

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
        keyring = Keyring(
            keys,
            self._secrets,
            words=ordinary_words(self._contract.document, profile),
            sources=sources(credentials.values(), self._environ),
        )
        self._check_no_key(profile, keyring)
        return profile, keyring

    def _credentials(self, table: Mapping[str, Any], keys: dict[str, str]) -> dict[str, Credential]:
        scopes = convert(table.get("scope", {}), dict[str, Any], self._source, "credentials.scope")
        known = {"credentials": ROLES, "credentials.scope": self._contract.names.scopes}
        entries = [("credentials", name, value) for name, value in table.items() if name != "scope"]
        entries += [("credentials.scope", name, value) for name, value in scopes.items()]
        if not entries:
            self._fail(
                "credentials", "holds no credential", 'Add [credentials.full] with key_env = "NAME_OF_A_VARIABLE".'
            )
        credentials = {}
        for place, role, value in entries:
            if role not in known[place]:
                self._fail(f"{place}.{role}", "is not a credential that the harness knows", closest(role, known[place]))
            name = role if place == "credentials" else f"scope.{role}"
            credentials[name] = self._credential(f"{place}.{role}", name, value)
            try:
                keys[name] = read_key(credentials[name], self._environ)
            except NoKey as error:
                self._fail(f"{place}.{role}.{credentials[name].way}", error.problem, error.remedy)
        return credentials

    def _credential(self, place: str, name: str, value: Any) -> Credential:
        table = convert(value, KeyTable, self._source, place)
        if [table.key_env, table.key_file, table.key_command].count(None) != 2:
            self._fail(
                place, "needs one of key_env, key_file and key_command", 'Write key_env = "NAME_OF_A_VARIABLE", say.'
            )
        if table.key_command is not None:
            if not table.key_command:
                self._fail(f"{place}.key_command", "is empty", 'Write ["program", "argument"].')
            program = self._program(f"{place}.key_command", table.key_command[0])
            return Credential(name, key_command=(program, *table.key_command[1:]))
        if table.key_file is not None:
            return Credential(name, key_file=str(self._folder.absolute() / table.key_file))
        return Credential(name, key_env=table.key_env or "")

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
                self._fail(
                    "rules",
                    f"{rule!r} is not {self._contract.noun.with_article} id",
                    "Copy the id as the API shows it.",
                )
        for rule in rules.all:
            if rules.all.count(rule) > 1:
                self._fail(
                    "rules",
                    f"{rule!r} stands there twice",
                    f"Give writable, limited and other_org {self._contract.noun.plural} of their own.",
                )
        return rules

    def _hook(self, name: str, value: Any) -> HttpHook | CommandHook:
        place = f"hooks.{name}"
        if name not in HOOKS:
            self._fail(place, "is not a hook that the harness knows", closest(name, HOOKS))
        table = convert(value, HookTable, self._source, place)
        if bool(table.url) == bool(table.command):
            self._fail(place, "needs either a url or a command", 'Write { url = "…" } or { command = ["…"] }.')
        if table.command:
            return CommandHook(
                command=(self._program(f"{place}.command", table.command[0]), *table.command[1:]), timeout=table.timeout
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
        if not HEADER_NAME.fullmatch(table.method):
            self._fail(f"{place}.method", f"{table.method!r} is not a method", 'Write "POST".')
        headers = self._headers(f"{place}.headers", f"{name}.", table.headers)
        url, login, query = self._apart(name, url)
        return HttpHook(
            url=url,
            method=table.method,
            json=table.json,
            headers=headers,
            timeout=table.timeout,
            login=login,
            query=query,
        )

    def _reading(self, id: str, value: Any) -> tuple[str, ...]:
        place = f'readings."{id}"'
        readings = self._contract.readings
        if id not in readings:
            self._fail(place, "is not a reading of the contract", closest(id, readings))
        tokens = convert(value, tuple[str, ...], self._source, place)
        for token in tokens:
            if token not in readings[id].tokens:
                self._fail(
                    place,
                    f"{token!r} is not an answer to this reading",
                    f"Choose among: {', '.join(readings[id].tokens)}.",
                )
        if not tokens:
            self._fail(place, "accepts nothing", "List the accepted tokens, or remove it.")
        return tokens

    def _check_required(self, patterns: Iterable[str]) -> None:
        known = (*self._contract.requirements, *self._contract.readings)
        for pattern in patterns:
            if not fnmatch.filter(known, pattern):
                self._fail("gate.required", f"{pattern!r} matches no requirement", closest(pattern, known))
