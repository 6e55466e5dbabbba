"""The ways in which a secret can stand in a text, and how each is named so that it can be written again.

A secret stands there as it is, backwards, in hexadecimal or in base64 (RFC 4648) at one of three alignments: its
*base*.  Each character of a base can be spelled in several ways: in the other case or the other alphabet of base64,
and escaped (`harness.target.escapes`).  The usual ways have a code each.  Any other is described by its *shape*: what
stands around the character's number or name.
"""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from rules_harness.harness.target.escapes import NAMES, Units

_PAIRS: Final = {"+": "-", "-": "+", "/": "_", "_": "/"}
"""The two alphabets of base64."""
_CODES: Final = (string.digits + string.ascii_lowercase)[:18]
"""As many as there are usual ways."""
_SHAPES: Final = string.ascii_lowercase[8:] + string.ascii_uppercase
"""Codes for the shapes that a mark lists, in their order."""
_SHAPE = re.compile(r"(\d)([a-zA-Z])(\d)([0-9a-f]*)\.([0-9a-f]*)")
_DIGITS: Final[tuple[Callable[[str], str], ...]] = (
    str,
    lambda text: "".join(f"%{ord(digit):02x}" for digit in text),
    lambda text: "".join(f"\\u{ord(digit):04x}" for digit in text),
    lambda text: "".join(f"\\x{ord(digit):02x}" for digit in text),
    lambda text: "".join(f"&#x{ord(digit):x};" for digit in text),
    lambda text: "".join(f"&#{ord(digit)};" for digit in text),
    "\0".join,
)
"""How the digits of a number may be spelled in their turn."""
_BEFORE = re.compile(r"%(?:u00)?|\\*(?:[xu]0*|U0*|u\{0*)?|&(?:#[xX]?0*)?")
_BEHIND = re.compile(r"[;}]?")
"""What of an escape says nothing of its character."""
UNTOLD: Final = "?"
"""The shape of what cannot be described without giving away which character it is."""


def bases(secret: str) -> Mapping[str, str]:
    """What of a secret can stand in a text, by the name of its base; the secret itself is ``""``."""
    content = secret.encode()
    texts = {"": secret, "reversed": secret[::-1], "hex": content.hex()}
    for name, before, unknown in (("base64a", 0, 0), ("base64b", 1, 2), ("base64c", 2, 3)):
        # Characters that depend on what stands before and behind the secret are left out.
        known = (before + len(content)) * 8 // 6
        texts[name] = base64.b64encode(b"\0" * before + content)[unknown:known].decode("ascii")
    read = Units(secret).characters
    return texts if read == secret else {**texts, "read": read}


def codes(text: str, characters: str, gaps: Sequence[str], raw: Sequence[str]) -> tuple[str, str]:
    """How the characters of a text are spelled: one code for each, and the shapes.

    ``characters`` is what they are read as, ``gaps`` what is in front of each and ``raw`` how it stands there.  Where a
    mark cannot list so many shapes, the codes end before the text.
    """
    chosen = ""
    shapes: list[str] = []
    for wanted, character, gap, spelled in zip(text, characters, gaps, raw, strict=True):
        usual = list(_ways(wanted))
        if not gap and spelled in usual:
            chosen += _CODES[usual.index(spelled)]
            continue
        shape = _shape(wanted, character, gap, spelled)
        if shape not in shapes:
            if len(shapes) == len(_SHAPES):
                return chosen, ",".join(shapes)
            shapes.append(shape)
        chosen += _SHAPES[shapes.index(shape)]
    return chosen, ",".join(shapes)


def written(text: str, codes: str, shapes: str = "") -> str:
    """The text as its codes say that it was spelled; raises `ValueError` for codes that are none of it."""
    if len(codes) > len(text):
        raise ValueError("more codes than characters")
    listed = shapes.split(",")
    try:
        spelled = [_spelled(character, code, listed) for character, code in zip(text, codes, strict=False)]
    except (IndexError, KeyError):
        raise ValueError("a code of no spelling") from None
    return "".join(spelled) + text[len(codes) :]


def _spelled(character: str, code: str, shapes: Sequence[str]) -> str:
    if code in _CODES:
        return list(_ways(character))[_CODES.index(code)]
    match = _SHAPE.fullmatch(shapes[_SHAPES.index(code)])
    if match is None:
        raise ValueError("a shape of no spelling")
    before, behind = (bytes.fromhex(match[group]).decode() for group in (4, 5))
    variant = _variants(character)[int(match[1])]
    return before + dict(_numbers(variant))[match[2] + match[3]] + behind


def _shape(wanted: str, character: str, gap: str, spelled: str) -> str:
    """What stands around the number or the name of a character, with the kind of the one or the other."""
    variants = _variants(wanted)
    if character in variants:
        for kind, text in _numbers(character):
            before, found, behind = spelled.rpartition(text)
            if found and _says_nothing(_BEFORE, before) and _says_nothing(_BEHIND, behind):
                return f"{variants.index(character)}{kind}{(gap + before).encode().hex()}.{behind.encode().hex()}"
    return UNTOLD


def _says_nothing(syntax: re.Pattern[str], text: str) -> bool:
    readings = (text, Units(text).characters.rstrip("\0"))
    return any(syntax.fullmatch(reading) for reading in readings)


def _numbers(character: str) -> Iterator[tuple[str, str]]:
    """The number and the names of a character by kind, and last itself."""
    number = ord(character)
    texts = [("x", f"{number:02x}"), ("X", f"{number:02X}"), ("d", str(number)), ("o", f"{number:03o}")]
    for kind, text in (*texts, *zip("npqr", NAMES.get(character, ()), strict=False)):
        for how, spelled in enumerate(_DIGITS):
            yield f"{kind}{how}", spelled(text)
    yield "c0", character


def _variants(character: str) -> list[str]:
    return list(dict.fromkeys((character, character.swapcase(), _PAIRS.get(character, character))))


def _ways(character: str) -> Iterator[str]:
    for variant in _variants(character):
        number = ord(variant)
        yield variant
        yield f"%{number:02x}"
        yield f"%{number:02X}"
        yield f"\\u00{number:02x}"
        yield f"\\u00{number:02X}"
        yield f"\\{variant}"
