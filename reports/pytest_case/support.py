"""What stands before a standalone test: the imports, constants and functions that it uses, and no others."""

from __future__ import annotations

import pprint
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from rules_harness.harness.exchange import Exchange
from rules_harness.openapi.contract import Contract
from rules_harness.reports.model import TargetView
from rules_harness.reports.pytest_case import requests
from rules_harness.reports.pytest_case.helpers import HELPERS, RAW_HELPERS
from rules_harness.reports.references import variable

_IMPORTS: Final = (
    "base64",
    "gzip",
    "http.client",
    "json",
    "os",
    "random",
    "re",
    "socket",
    "ssl",
    "string",
    "time",
    "uuid",
)
_NAMES: Final = (("concurrent.futures", "ThreadPoolExecutor"), ("datetime", "datetime"), ("typing", "NamedTuple"))


def before(test: str, exchanges: Sequence[Exchange], target: TargetView, contract: Contract) -> str:
    """Everything that a test, given as its source text, needs before it."""
    is_raw = any(exchange.request.raw for exchange in exchanges)
    sources = {"always": _always(target), **HELPERS, **(RAW_HELPERS if is_raw else {})}
    functions = _used(test, sources)
    constants = "\n".join(_constants("\n".join([test, *functions]), exchanges, target, contract))
    text = "\n\n\n".join([constants, *functions])
    return f"{_imports(text + test)}\n\n{text}"


def _used(test: str, sources: dict[str, str]) -> list[str]:
    """The functions that a test uses, and those that they use."""
    found: set[str] = set()
    texts = [test]
    while texts:
        text = texts.pop()
        for name, source in sources.items():
            if name not in found and _mentions(text, name):
                found.add(name)
                texts.append(source)
    return [source.strip("\n") for name, source in sources.items() if name in found]


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None


def _always(target: TargetView) -> str:
    headers = ", ".join(f"{name!a}: {requests.text((value,), target)}" for name, value in target.headers)
    return f'def always():\n    """The headers that go with every request."""\n    return {{{headers}}}'


def _imports(text: str) -> str:
    modules = [name for name in _IMPORTS if re.search(rf"(?<![\w.\"']){re.escape(name)}\.", text)]
    lines = [f"import {name}" for name in modules]
    lines += [f"from {module} import {name}" for module, name in _NAMES if _mentions(text, name)]
    return "\n".join([*lines, "", "import httpx", "import pytest"])


def _constants(text: str, exchanges: Sequence[Exchange], target: TargetView, contract: Contract) -> Iterator[str]:
    """The constants that a text mentions."""
    names = contract.names
    path = contract.read.path if contract.read is not None else contract.update.path
    reader = next((e.intent.caller for e in exchanges if e.intent.operation == "read"), "full")
    fields = _fields(contract)
    lines = [
        f"BASE_URL = os.environ.get('RULES_BASE_URL', {target.base_url!a}).rstrip('/')",
        f"RULE_PATH = {re.sub(r'{[^}]*}', '{id}', path)!a}",
        f"DATA, ERROR, CODE, MESSAGE = {names.data!a}, {names.error!a}, {names.code!a}, {names.message!a}",
        f"STATUS, ENABLED = {names.status!a}, {names.enabled!a}",
        f"REQUEST_ID = {names.request_id!a}",
        f"READER = {variable(reader, target.environment)!a}",
        f"AUTHORIZATION, SCHEME = {names.authorization!a}, {names.auth_scheme!a}",
        f"HOOK = {_literal(target.enable_hook)}",
        f"KEYS = {_literal(tuple(sorted(name for name in target.environment.values() if name)))}",
        f"SERVER_FILLED = {tuple(sorted(fields.server_filled))!a}",
        f"FIELDS = {_literal(tuple(sorted(fields.names)))}",
        f"DEFAULTS = {fields.defaults!a}",
        f"RULE_SCHEMA = {_literal(contract.standalone(contract.rule_schema))}",
    ]
    for line in lines:
        if any(_mentions(text, name) for name in line.split(" = ")[0].split(", ")):
            yield line


def _literal(value: Any) -> str:
    """A value as Python, long ones over several lines."""
    if len(ascii(value)) < requests.WIDTH:
        return ascii(value)
    return pprint.pformat(value, width=requests.WIDTH + 24).encode("ascii", "backslashreplace").decode("ascii")


class _Fields(msgspec.Struct):
    """The properties that an update may carry, wherever they stand in it."""

    names: set[str]
    server_filled: set[str]
    defaults: dict[str, Any]


def _fields(contract: Contract) -> _Fields:
    found = _Fields(set(), set(), {})

    def walk(node: Any) -> None:
        properties = node.get("properties") if isinstance(node, dict) else None
        for name, schema in properties.items() if isinstance(properties, dict) else ():
            found.names.add(name)
            if isinstance(schema, dict) and schema.get("x-server-filled"):
                found.server_filled.add(name)
            if isinstance(schema, dict) and "default" in schema:
                found.defaults[name] = schema["default"]
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            walk(child)

    walk(contract.standalone(contract.body_schema))
    return found
