"""Bodies in an encoding that JSON does not have, or with text that no UTF-8 can say."""

from __future__ import annotations

from typing import Any, Final

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.examples import inert
from rules_harness.strategies.requests.wire import OddRequest, encoded
from rules_harness.strategies.world import World

_MARK: Final = "harness-marked-text"

_BYTES: Final = (
    ("invalid-byte", b"\xff", "a byte that never occurs in UTF-8"),
    ("continuation-alone", b"\x80", "a continuation byte alone"),
    ("sequence-cut", b"\xe2\x82", "a sequence without its last byte"),
    ("sequence-cut-4", b"\xf0\x9f\x99", "a sequence of four bytes without its last"),
    ("latin-1", b"caf\xe9", "a letter in Latin-1"),
    ("overlong-slash", b"\xc0\xaf", "a slash in two bytes"),
    ("overlong-nul", b"\xc0\x80", "NUL in two bytes"),
    ("overlong-quote", b"\xc0\xa2", "a double quote in two bytes"),
    ("surrogate", b"\xed\xa0\x80", "a surrogate in UTF-8"),
    ("surrogate-pair", b"\xed\xa0\xbd\xed\xb9\x83", "a pair of surrogates in UTF-8 (CESU-8)"),
    ("beyond-unicode", b"\xf4\x90\x80\x80", "a code point beyond U+10FFFF"),
    ("five-bytes", b"\xf8\x88\x80\x80\x80", "a sequence of five bytes"),
)
_ESCAPES: Final = (
    ("high", b"\\ud83d", "a high surrogate alone, escaped"),
    ("low", b"\\ude43", "a low surrogate alone, escaped"),
    ("reversed", b"\\ude43\\ud83d", "a pair of surrogates in the wrong order, escaped"),
    ("high-before-text", b"\\ud83dx", "a high surrogate before a letter, escaped"),
    ("high-before-pair", b"\\ud83d\\ud83d\\ude43", "a high surrogate before a pair, escaped"),
)
_ENCODINGS: Final = (
    ("utf-8-bom", "utf-8-sig", "UTF-8 behind a byte order mark"),
    ("utf-16-le-bom", "utf-16", "UTF-16, little-endian, behind a byte order mark"),
    ("utf-16-le", "utf-16-le", "UTF-16, little-endian"),
    ("utf-16-be", "utf-16-be", "UTF-16, big-endian"),
    ("utf-32-be", "utf-32-be", "UTF-32, big-endian"),
    ("ebcdic", "cp500", "EBCDIC"),
)


def encoding_bodies(contract: Contract, world: World) -> tuple[OddRequest, ...]:
    """Every odd encoding of one inert body (`validation.encoding`), refused or stored unaltered.

    A body of bytes that are no UTF-8 spells no text that could be stored: only its refusal conforms.
    """
    value = inert(contract, world).value
    return (
        *_marked(contract, value, "utf-8", _BYTES),
        *_marked(contract, value, "escape", _ESCAPES),
        *_marked(contract, value, f"{contract.names.texts[-1]}-escape", _ESCAPES[:1], contract.names.texts[-1]),
        *_marked(contract, value, f"{contract.names.texts[-1]}-utf-8", _BYTES[:1], contract.names.texts[-1]),
        *(_odd(name, detail, encoded(value).encode(codec)) for name, codec, detail in _ENCODINGS),
    )


def _marked(
    contract: Contract, value: dict[str, Any], sort: str, table: tuple[tuple[str, bytes, str], ...], field: str = ""
) -> tuple[OddRequest, ...]:
    """The body with odd bytes inside the text of an optional field, by default the first."""
    text = encoded({**value, field or contract.names.marker: _MARK}).encode()
    return tuple(
        _odd(f"{sort}-{name}", detail, text.replace(_MARK.encode(), b"a" + content + b"b"))
        for name, content, detail in table
    )


def _odd(name: str, detail: str, content: bytes) -> OddRequest:
    return OddRequest(
        name=f"encoding:{name}",
        requirement="validation.encoding",
        expect="refused-or-unaltered",
        detail=detail,
        body=content,
    )
