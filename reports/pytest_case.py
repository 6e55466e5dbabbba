"""A finding as a standalone pytest file that asserts the contract: it fails while the defect is there, and only then.

The file needs httpx and pytest, takes base URL and keys from the environment, and is plain ASCII whatever the target
or the request holds.
"""

from __future__ import annotations

import base64
import pprint
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from harness.exchange import Exchange, Payload, Request
from openapi.contract import Contract
from reports.curl import UNKNOWN_KEY, variable
from reports.expected import EXPECTATIONS, Case
from reports.model import FindingView, Target
from reports.pytest_helpers import HELPERS

_REFERENCE: Final = re.compile(r"\{key:([^{}|]+)(?:\|([a-z]+))?\}")
_FORMS: Final = {
    None: "key({0})",
    "truncated": "key({0})[:-1]",
    "extended": "key({0}) + 'x'",
    "swapcase": "key({0}).swapcase()",
    "basic": "base64.b64encode((key({0}) + ':').encode()).decode()",
}
_WIDTH: Final = 88
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


def file_name(view: FindingView) -> str:
    """What the file is called, so that pytest collects it."""
    return f"test_{_identifier(view.requirement.id)}_{view.id}.py"


def render(view: FindingView, target: Target, contract: Contract) -> str | None:
    """The file; ``None`` where the requests are not in the journal, too long to copy, or no requests of an episode."""
    exchanges = _renumbered(view)
    expectation = EXPECTATIONS.get(view.finding.requirement)
    if not exchanges or expectation is None or any(shown.too_long for shown in view.needed):
        return None
    case = Case(contract, exchanges, [i for i, shown in enumerate(view.needed) if shown.is_proof])
    test = [
        f"def test_{_identifier(view.requirement.id)}():",
        *_indented(_given(view, target, contract)),
        *_indented(_requests(view, target, contract)),
        *_indented(expectation.before(case)),
        *_indented(_sending(view)),
        *_indented(expectation.after(case)),
    ]
    body = "\n".join(test)
    parts = [_title(view, target), *_constants(body, exchanges, target, contract), *_helpers(body), body]
    return _with_imports("\n\n\n".join(parts)) + "\n"


def _renumbered(view: FindingView) -> list[Exchange]:
    """The exchanges that must be sent; what one repeats is given by its position among them."""
    numbers = {shown.position: number for number, shown in enumerate(view.needed)}
    exchanges = []
    for shown in view.needed:
        intent = shown.exchange.intent
        repeats = None if intent.repeats is None else numbers.get(intent.repeats)
        exchanges.append(
            msgspec.structs.replace(shown.exchange, intent=msgspec.structs.replace(intent, repeats=repeats))
        )
    return exchanges


def _title(view: FindingView, target: Target) -> str:
    row = view.requirement
    told = [
        f"{row.id}: {row.sentence}",
        "",
        f"Expected: {view.expected}",
        f"Seen on {target.name}: {view.actual}",
        "",
        "Needs httpx and pytest; takes the base URL from RULES_BASE_URL and each key from the environment.",
    ]
    return '"""' + "\n".join(_harmless(line) for line in told) + '\n"""'


def _harmless(text: str) -> str:
    """The text as it may stand in a docstring."""
    plain = text.encode("ascii", "backslashreplace").decode("ascii")
    return plain.replace("\\", "\\\\").replace('"""', "'''")


def _identifier(id: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", id.lower())


def _indented(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        for row in line.split("\n"):
            yield f"    {row}" if row else ""


def _given(view: FindingView, target: Target, contract: Contract) -> Iterator[str]:
    for step in view.steps:
        if step.given is not None:
            yield "given = " + _request(step.given, None, target, contract)
            yield "assert send(given).status_code == 200"


def _requests(view: FindingView, target: Target, contract: Contract) -> Iterator[str]:
    yield "requests = ["
    for shown in view.needed:
        yield from _indented([_request(shown.exchange.request, shown.packed, target, contract) + ","])
    yield "]"


def _request(request: Request, packed: bytes | None, target: Target, contract: Contract) -> str:
    """A request as a Python expression of several lines."""
    parts = [f"{request.method!a}", _expression(request.target, target)]
    headers = []
    for name, value in request.headers:
        is_key = name.lower() == contract.names.idempotency_key.lower()
        shown = f"fresh({value!a})" if is_key else _expression(value, target)
        headers.append(f"        ({name!a}, {shown}),\n")
    parts.append("headers=[\n" + "".join(headers) + "    ]")
    if packed is not None:
        parts.append(f"content=gzip.decompress(base64.b64decode({_pieces(base64.b64encode(packed))}))")
    elif request.body is not None:
        parts.append(f"content={_content(request.body, target)}")
    if request.raw:
        parts.append("raw=True")
    return "Request(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def _expression(text: str, target: Target) -> str:
    """A text as a Python expression, references to keys as calls of ``key``."""
    parts = []
    position = 0
    for match in _REFERENCE.finditer(text):
        if match.start() > position:
            parts.append(ascii(text[position : match.start()]))
        name, form = match.groups()
        if name == "unknown":
            parts.append(ascii(UNKNOWN_KEY))
        else:
            parts.append(_FORMS.get(form, _FORMS[None]).format(ascii(variable(name, target.environment))))
        position = match.end()
    if position < len(text) or not parts:
        parts.append(ascii(text[position:]))
    return " + ".join(parts)


def _content(payload: Payload, target: Target) -> str:
    """A body as bytes; references to keys in it as calls of ``key``."""
    if payload.text is not None and _REFERENCE.search(payload.text):
        return f"({_expression(payload.text, target)}).encode()"
    return _pieces(payload.content)


def _pieces(content: bytes) -> str:
    """Bytes as an expression, long ones over several lines."""
    pieces = [content[start : start + _WIDTH] for start in range(0, len(content), _WIDTH)] or [b""]
    if len(pieces) == 1:
        return repr(pieces[0])
    return "(\n" + "\n".join(f"        {piece!r}" for piece in pieces) + "\n    )"


def _sending(view: FindingView) -> Iterator[str]:
    """The lines that send the requests: in order, those of one group together, enabling rules as their owner did."""
    yield "answers = []"
    sent = 0
    for step in view.steps:
        if step.enable:
            yield f"enable({step.enable!a})"
        elif len(step.positions) == 1:
            yield f"answers.append(send(requests[{sent}]))"
        elif step.positions:
            yield f"answers += together(requests[{sent}:{sent + len(step.positions)}])"
        sent += len(step.positions)


def _constants(body: str, exchanges: Sequence[Exchange], target: Target, contract: Contract) -> Iterator[str]:
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
        f"KEYS = {tuple(sorted(name for name in target.environment.values() if name))!a}",
        f"SERVER_FILLED = {tuple(sorted(fields.server_filled))!a}",
        f"FIELDS = {_literal(tuple(sorted(fields.names)))}",
        f"DEFAULTS = {fields.defaults!a}",
    ]
    used = body + "".join(HELPERS[name] for name in _needed(body))
    yield "\n".join(line for line in lines if _uses(used, line.split(" = ")[0]))
    if "RULE_SCHEMA" in body:
        yield f"RULE_SCHEMA = {_literal(contract.standalone(contract.rule_schema))}"


def _uses(text: str, constants: str) -> bool:
    return any(re.search(rf"\b{name}\b", text) for name in constants.split(", "))


def _literal(value: Any) -> str:
    return ascii(value) if len(ascii(value)) < _WIDTH else _ascii_only(pprint.pformat(value, width=_WIDTH + 24))


def _ascii_only(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")


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


def _needed(body: str) -> list[str]:
    """The helpers that a test uses, and those that they use."""
    found: set[str] = set()
    texts = [body]
    while texts:
        text = texts.pop()
        for name, source in HELPERS.items():
            if name not in found and re.search(rf"\b{name}\b", text):
                found.add(name)
                texts.append(source)
    return [name for name in HELPERS if name in found]


def _helpers(body: str) -> list[str]:
    return [HELPERS[name].strip("\n") for name in _needed(body)]


def _with_imports(text: str) -> str:
    title, _, rest = text.partition('\n"""')
    used = [name for name in _IMPORTS if re.search(rf"(?<![\w.\"']){re.escape(name)}\.", rest)]
    lines = [f"import {name}" for name in used]
    lines += [
        f"from {module} import {name}"
        for module, name in (
            ("concurrent.futures", "ThreadPoolExecutor"),
            ("datetime", "datetime"),
            ("typing", "NamedTuple"),
        )
        if re.search(rf"\b{name}\b", rest)
    ]
    third_party = "import httpx\nimport pytest"
    return f'{title}\n"""\n\n' + "\n".join(lines) + f"\n\n{third_party}\n" + rest
