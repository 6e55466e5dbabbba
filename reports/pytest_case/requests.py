"""Recorded requests as Python expressions: keys as calls of ``key``, Idempotency-Keys as calls of ``fresh``."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Final

from rules_harness.harness.exchange import Payload, Request
from rules_harness.openapi.contract import Contract
from rules_harness.reports.model import TargetView
from rules_harness.reports.references import UNKNOWN_KEY, Part, assembled, variable
from rules_harness.strategies.keys import UNKNOWN

WIDTH: Final = 88
_FORMS: Final = {
    "": "key({0})",
    "truncated": "key({0})[:-1]",
    "extended": "key({0}) + 'x'",
    "swapcase": "key({0}).swapcase()",
    "basic": "base64.b64encode((key({0}) + ':').encode()).decode()",
}


def request(recorded: Request, packed: bytes | None, target: TargetView, contract: Contract) -> str:
    """A request over several lines; ``packed`` is its body in gzip, where it is too long to stand there plainly."""
    whole = assembled(recorded)
    parts = [f"{recorded.method!a}", text(whole.target, target)]
    headers = []
    for name, value in (*whole.headers, *((name, (value,)) for name, value in target.headers)):
        is_key = name.lower() == contract.names.idempotency_key.lower()
        shown = f"fresh({text(value, target)})" if is_key else text(value, target)
        headers.append(f"        ({name!a}, {shown}),\n")
    parts.append("headers=[\n" + "".join(headers) + "    ]")
    if packed is not None:
        parts.append(f"content=gzip.decompress(base64.b64decode({_bytes(base64.b64encode(packed))}))")
    elif recorded.body is not None:
        parts.append(f"content={_content(recorded.body, whole.body or (), target)}")
    if recorded.raw:
        parts.append("raw=True")
    return "Request(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def text(recorded: Iterable[Part], target: TargetView) -> str:
    """A text, its secrets taken from the environment when the test is run."""
    return " + ".join(_literal(part, target) for part in recorded if part) or "''"


def _literal(part: Part, target: TargetView) -> str:
    if isinstance(part, str):
        return ascii(part)
    if part.name == UNKNOWN:
        return ascii(UNKNOWN_KEY)
    return _FORMS[part.form].format(ascii(variable(part.name, target.environment)))


def _content(payload: Payload, body: tuple[Part, ...], target: TargetView) -> str:
    if payload.text is not None and body != (payload.text,):
        return f"({text(body, target)}).encode()"
    return _bytes(payload.content)


def _bytes(content: bytes) -> str:
    """Bytes, long ones over several lines."""
    pieces = [content[start : start + WIDTH] for start in range(0, len(content), WIDTH)] or [b""]
    if len(pieces) == 1:
        return repr(pieces[0])
    return "(\n" + "\n".join(f"        {piece!r}" for piece in pieces) + "\n    )"
