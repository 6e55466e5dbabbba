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
    """The names of each object in the opposite order.

    Values may be nested deeper than functions can call each other.
    """
    members: list[list[str]] = [[""]]
    end = 0
    for token in tokens(text):
        members[-1][-1] += text[end : token.start]
        written, end = text[token.start : token.end], token.end
        if token.kind in ("open-brace", "open-bracket"):
            members.append([""])
        elif token.kind in ("close-brace", "close-bracket"):
            inner = members.pop()
            around, ordered = ("{}", reversed(inner)) if token.kind == "close-brace" else ("[]", iter(inner))
            members[-1][-1] += around[0] + ",".join(ordered) + around[1]
        elif token.kind == "comma":
            members[-1].append("")
        else:
            members[-1][-1] += written
    return members[0][0] + text[end:]


_SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "compact": _as_it_is,
    "spaced": _spaced,
    "escaped": _escaped,
    "reversed": _reversed,
}
