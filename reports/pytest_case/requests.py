"""Recorded requests as Python expressions: keys as calls of ``key``, Idempotency-Keys as calls of ``fresh``."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Final

from rules_harness.harness.exchange import Payload, Request
from rules_harness.openapi.contract import Contract
from rules_harness.reports.model import TargetView
from rules_harness.reports.references import REFERENCE, UNKNOWN, UNKNOWN_KEY, variable

WIDTH: Final = 88
_FORMS: Final = {
    None: "key({0})",
    "truncated": "key({0})[:-1]",
    "extended": "key({0}) + 'x'",
    "swapcase": "key({0}).swapcase()",
    "basic": "base64.b64encode((key({0}) + ':').encode()).decode()",
}


def request(recorded: Request, packed: bytes | None, target: TargetView, contract: Contract) -> str:
    """A request over several lines; ``packed`` is its body in gzip, where it is too long to stand there plainly."""
    parts = [f"{recorded.method!a}", text(recorded.target, target)]
    headers = []
    for name, value in (*recorded.headers, *target.headers):
        is_key = name.lower() == contract.names.idempotency_key.lower()
        shown = f"fresh({value!a})" if is_key else text(value, target)
        headers.append(f"        ({name!a}, {shown}),\n")
    parts.append("headers=[\n" + "".join(headers) + "    ]")
    if packed is not None:
        parts.append(f"content=gzip.decompress(base64.b64decode({_bytes(base64.b64encode(packed))}))")
    elif recorded.body is not None:
        parts.append(f"content={_content(recorded.body, target)}")
    if recorded.raw:
        parts.append("raw=True")
    return "Request(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def text(recorded: str, target: TargetView) -> str:
    """A text with its references to keys resolved when the test is run."""
    return " + ".join(_parts(recorded, target)) or "''"


def _parts(recorded: str, target: TargetView) -> Iterator[str]:
    position = 0
    for match in REFERENCE.finditer(recorded):
        if match.start() > position:
            yield ascii(recorded[position : match.start()])
        what, name, form = match.groups()
        if name == UNKNOWN:
            yield ascii(UNKNOWN_KEY)
        else:
            yield _FORMS.get(form, _FORMS[None]).format(ascii(variable(what, name, target.environment)))
        position = match.end()
    if position < len(recorded):
        yield ascii(recorded[position:])


def _content(payload: Payload, target: TargetView) -> str:
    if payload.text is not None and REFERENCE.search(payload.text):
        return f"({text(payload.text, target)}).encode()"
    return _bytes(payload.content)


def _bytes(content: bytes) -> str:
    """Bytes, long ones over several lines."""
    pieces = [content[start : start + WIDTH] for start in range(0, len(content), WIDTH)] or [b""]
    if len(pieces) == 1:
        return repr(pieces[0])
    return "(\n" + "\n".join(f"        {piece!r}" for piece in pieces) + "\n    )"
