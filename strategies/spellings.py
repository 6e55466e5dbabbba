"""Other legal spellings of one JSON text: what they mean is the same (RFC 8259)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from rules_harness.strategies.requests.wire import tokens

_FRACTION: Final = re.compile(r"^(-?)(\d+)\.(\d*[1-9])$")
_FIRST_LETTER: Final = re.compile(r'^"([A-Za-z])')


def spelt(content: bytes, spelling: str) -> bytes:
    """The same JSON value in another spelling, one of `factors.SPELLING`; what is no JSON object stays as it is.

    Nothing but white space, escapes, how a fraction is written and the order of the outermost names changes.
    """
    change = _SPELLINGS[spelling]
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content
    return change(text).encode() if text.startswith("{") else content


def _as_it_is(text: str) -> str:
    return text


def _spaced(text: str) -> str:
    return "\r\n\t ".join(text[token.start : token.end] for token in tokens(text)) + "\n"


def _escaped(text: str) -> str:
    """The first letter of each text as an escape, and fractions with an exponent."""
    parts = []
    for token in tokens(text):
        part = text[token.start : token.end]
        if token.kind in ("name", "string"):
            part = _FIRST_LETTER.sub(lambda match: f'"\\u{ord(match[1]):04x}', part)
        elif token.kind == "number":
            part = _FRACTION.sub(_with_exponent, part)
        parts.append(part)
    return "".join(parts)


def _with_exponent(fraction: re.Match[str]) -> str:
    sign, whole, rest = fraction.groups()
    return f"{sign}{(whole + rest).lstrip('0')}e-{len(rest)}"


def _reversed(text: str) -> str:
    """The outermost names in the opposite order."""
    members, depth, start = [], 0, 1
    for token in tokens(text):
        depth += (token.kind in ("open-brace", "open-bracket")) - (token.kind in ("close-brace", "close-bracket"))
        if depth == 1 and token.kind == "comma":
            members.append(text[start : token.start])
            start = token.end
    return "{" + ",".join([text[start:-1], *reversed(members)]) + "}"


_SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "compact": _as_it_is,
    "spaced": _spaced,
    "escaped": _escaped,
    "reversed": _reversed,
}
