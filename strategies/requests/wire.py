"""Whole requests that are odd on purpose, as what differs from a valid update.

An odd request says everything that goes out and nothing that happens: which bytes or headers take the place of the
valid ones, and what the contract lets a target answer.  Keys stand here by reference only (`KeyReference`); whoever
sends puts the real ones in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from rules_harness.strategies.keys import KeyReference

Expect = Literal["accepted", "success-or-4xx", "refused-or-unaltered", "refused", "4xx-or-redirect", "unauthenticated"]
"""What conforms: ``accepted`` is a success, ``refused`` a 4xx, ``unauthenticated`` a 401; ``refused-or-unaltered`` is a
4xx or a success that stores exactly what was sent, ``success-or-4xx`` either."""

JSON_MEDIA_TYPE = "application/json"

_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*")(?P<name>(?=\s*:))?|(?P<number>-?\d[\d.eE+-]*)|(?P<literal>true|false|null)|(?P<mark>[{}\[\]:,])'
)
_MARKS = {
    "{": "open-brace",
    "}": "close-brace",
    "[": "open-bracket",
    "]": "close-bracket",
    ":": "colon",
    ",": "comma",
}


class OddRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What makes a request odd, relative to a valid update of a rule by an allowed caller.

    Attributes:
        name: Stable and unique among all odd requests, ``sort:what``.
        requirement: The requirement that the oddity exercises.
        expect: What a conforming target answers.
        detail: What is odd, in words.
        headers: Take the place of the headers of the same name, compared without regard to case; Latin-1 text, so
            that bytes beyond ASCII stand here one character each.
        without: Names of headers that are left out.
        segment: Takes the place of the rule's id in the path, as it goes out; Latin-1 text.
        body: Takes the place of the body's bytes.
        key: A key where none should stand, or a deformed one where it should; takes the place of the valid one.
        raw: An HTTP library would normalise or refuse this: the bytes must go out untouched.
        exposes_key: A key stands where the target's logs would keep it.
    """

    name: str
    requirement: str
    expect: Expect
    detail: str
    headers: tuple[tuple[str, str], ...] = ()
    without: tuple[str, ...] = ()
    segment: str | None = None
    body: bytes | None = None
    key: KeyReference | None = None
    raw: bool = False
    exposes_key: bool = False


class Token(msgspec.Struct, frozen=True):
    """One token of a JSON text; `kind` is name, string, number, literal or what the mark is called."""

    kind: str
    start: int
    end: int


def encoded(value: Any) -> str:
    """The compact JSON text of a value, names in the order of the value and characters as themselves."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a well-formed JSON text, in order."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind == "mark":
            kind = _MARKS[match.group()]
        yield Token(kind=kind, start=match.start(), end=match.end())


def is_json(content: bytes) -> bool:
    """Whether bytes are one JSON text by RFC 8259: UTF-8, without a byte order mark, without NaN and Infinity.

    What is nested too deeply, or a number too long, for Python to read counts as none.
    """
    try:
        json.loads(content.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def utf8_as_latin1(text: str) -> str:
    """Text whose Latin-1 bytes are the UTF-8 bytes of `text`: how a header or path carries bytes beyond ASCII."""
    return text.encode("utf-8").decode("latin-1")


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
