"""Whether the bytes of a request are one request for what it says, whoever composed it.

A line break in a head begins a request of its own, a length that is not the body's leaves its rest for another, and
there are servers that take a header or a parameter for the method.  None of that is ever meant, so none of it leaves.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

from rules_harness.harness.exchange import Request

SENT_METHODS: Final = frozenset({"GET", "PUT", "POST", "PATCH"})
_TARGET: Final = re.compile(r"/[^\x00-\x20\x7f]*")
HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of HTTP (RFC 9110, section 5.6.2); a method is one too."""
_FOLD: Final = re.compile(r"\r\n[ \t]")
"""A value that goes on in the next line (RFC 9112, section 5.2) is still one value."""
_BREAKS_LINES: Final = re.compile(r"[\r\n\0]")
_FRAMING: Final = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect"}
)
"""What says where a message goes and where it ends: the client alone writes that."""
_OVERRIDES: Final = frozenset(
    {
        "_method",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-method",
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-host",
    }
)
"""Headers and parameters by which some servers let a request say another method, path or host than its own."""
_METHODS: Final = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})
"""Those of them, as headers, that may name a method which may be sent anyway: the rule stays the one of the path."""


def problem_of(request: Request) -> str | None:
    """Why these bytes must not leave, or ``None``."""
    if request.method not in SENT_METHODS:
        return f"{request.method} could destroy and is never sent"
    if not _TARGET.fullmatch(request.target):
        return f"{request.target!r} is not a path: it could begin a header or a request of its own"
    for name, value in _lines(request):
        if not HEADER_NAME.fullmatch(name) or _BREAKS_LINES.search(_FOLD.sub("", value)):
            return f"the header {name!r} would begin a header or a request of its own"
        if name.lower() in _FRAMING:
            return f"the header {name!r} says where a request goes or ends, which is not for whoever composes it"
    named = [(name.lower(), value) for name, value in request.headers]
    asked = [name for name, value in named if not (name in _METHODS and value in SENT_METHODS)]
    if overrides := {*asked, *(name.lower() for name, _ in _parameters(request))} & _OVERRIDES:
        return f"{min(overrides)!r} asks for another request than the one that it stands in"
    return None


def _lines(request: Request) -> list[tuple[str, str]]:
    """The headers, and the one that a key makes."""
    key = request.key
    return [*request.headers] if key is None else [*request.headers, (key.name, key.before)]


def _parameters(request: Request) -> list[tuple[str, str]]:
    """What stands in the query, and in a body that is a form."""
    texts = [request.target.partition("?")[2]]
    if request.body is not None and "form" in (request.header("content-type") or "").lower():
        texts.append(request.body.content.decode("latin-1"))
    return [pair for text in texts for pair in parse_qsl(text, keep_blank_values=True)]
