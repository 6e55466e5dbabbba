"""The tables of a profile as they stand in TOML, and their errors: syntax, unknown keys, wrong types, missing keys."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from rules_harness.harness import toml
from rules_harness.harness.errors import UsageError
from rules_harness.harness.target.profile import GateTable, Limits, Permissions, Rules, Seconds
from rules_harness.openapi.bounds import Unbounded

T = TypeVar("T")

_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_PLACE = re.compile(r" - at `\$(.*)`$")
_WORDS: Final = {
    "object": "table",
    "array": "list",
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
}


class TargetTable(msgspec.Struct, forbid_unknown_fields=True):
    """``[target]``."""

    base_url: str
    name: str = ""
    headers: dict[str, Any] = {}
    ca_bundle: str | None = None
    proxy: str | None = None
    client_cert: str | None = None
    client_key: str | None = None


class KeyTable(msgspec.Struct, forbid_unknown_fields=True):
    """``[credentials.ROLE]``: where its key comes from."""

    key_env: str | None = None
    key_file: str | None = None
    key_command: tuple[str, ...] | None = None


class HookTable(msgspec.Struct, forbid_unknown_fields=True):
    """One of ``[hooks]``: with a url or with a command."""

    url: str | None = None
    method: str = "POST"
    json: Any = None
    headers: dict[str, Any] = {}
    command: tuple[str, ...] = ()
    timeout: Seconds = 10


class AccountTable(msgspec.Struct, forbid_unknown_fields=True):
    """One of ``[[accounts]]``."""

    id: str
    type: str
    liability: bool = False


class Document(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file; tables whose keys are not fixed are left to the reader."""

    target: TargetTable
    credentials: dict[str, Any]
    rules: Rules = Rules()
    accounts: tuple[AccountTable, ...] = ()
    other_org_accounts: tuple[AccountTable, ...] = ()
    hooks: dict[str, Any] = {}
    limits: Limits = Limits()
    permissions: Permissions = Permissions()
    gate: GateTable = GateTable()
    readings: dict[str, Any] = {}


_TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    name: table.__struct_fields__
    for name, table in {
        "target": TargetTable,
        "rules": Rules,
        "limits": Limits,
        "permissions": Permissions,
        "gate": GateTable,
        "accounts": AccountTable,
        "": Document,
    }.items()
}


def parse(path: Path) -> dict[str, Any]:
    """The document in a TOML file; raises `UsageError` where there is none or it is malformed."""
    try:
        return toml.load(path)
    except FileNotFoundError:
        raise UsageError(
            f"{path}: there is no such file. `rules-harness init` writes a profile to start from."
        ) from None
    except IsADirectoryError:
        raise UsageError(f"{path}: is a folder. Name the profile inside it.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 at byte {error.start}. Save it as UTF-8 text.") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}). Check its permissions.") from None
    except Unbounded as error:
        raise UsageError(
            f"{path}: {error}. A profile is a few tables; `rules-harness init` shows their form."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: is not TOML: {error}. Mend that line.") from None


def convert(value: Any, type: type[T], source: str, place: str = "") -> T:
    """The value as ``type``; raises `UsageError` that names the source, the key and the remedy."""
    try:
        return msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        message = str(error)
    match = _PLACE.search(message)
    place = (place + (match[1] if match else "")).lstrip(".")
    problem = _PLACE.sub("", message)
    if unknown := _UNKNOWN.fullmatch(problem):
        key = ".".join(filter(None, (place, unknown[1])))
        fields = getattr(type, "__struct_fields__", ()) if not match else ()
        raise UsageError(f"{source}: {key}: is not a key of a profile. {_other_key(unknown[1], place, fields)}")
    if missing := _MISSING.fullmatch(problem):
        key = ".".join(filter(None, (place, missing[1])))
        raise UsageError(f"{source}: {key}: is missing. Add it; `rules-harness init` shows its form.")
    words = re.sub(r"`([^`]*)`", lambda match: _in_words(match[1]), problem)
    raise UsageError(f"{source}: {place}: {words[0].lower()}{words[1:]}. `rules-harness init` shows its form.")


def closest(name: str, known: Iterable[str]) -> str:
    """The remedy for a name that is none of the known ones."""
    names = list(known)
    likely = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean {likely[0]}?" if likely else f"Known are: {', '.join(names)}."


def _other_key(name: str, place: str, fields: tuple[str, ...]) -> str:
    table = re.sub(r"\[\d+\]", "", place)
    here = fields or _TABLES.get(table, ())
    if difflib.get_close_matches(name, here, n=1):
        return closest(name, here)
    for other, keys in _TABLES.items():
        if name in keys:
            return f"It belongs under [{other}]." if other else "It belongs at the top, before any table."
    return closest(name, here)


def _in_words(types: str) -> str:
    return " or ".join(_WORDS.get(type, type) for type in types.split(" | ") if type != "null")
