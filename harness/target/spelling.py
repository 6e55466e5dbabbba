"""The ways in which a secret can stand in a text, and how each is named so that it can be written again.

A secret stands there as it is, backwards, in hexadecimal or in base64 (RFC 4648) at one of three alignments: its
*base*.  Each character of a base can be spelled in several ways: in the other case, percent-encoded (RFC 3986, section
2.1), as JSON escapes it (RFC 8259, section 7), or in the other alphabet of base64.
"""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Iterator, Mapping
from typing import Final

_PAIRS: Final = {"+": "-", "-": "+", "/": "_", "_": "/"}
"""The two alphabets of base64."""
_CODES: Final = string.digits + string.ascii_lowercase
FOLDS: Final = bytes.maketrans((string.ascii_uppercase + "-_").encode(), (string.ascii_lowercase + "+/").encode())
"""Makes characters equal that are spellings of each other."""
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})|\\u00([0-9a-fA-F]{2})|\\([/\"\\])")


def bases(secret: str) -> Mapping[str, str]:
    """What of a secret can stand in a text, by the name of its base; the secret itself is ``""``."""
    content = secret.encode()
    texts = {"": secret, "reversed": secret[::-1], "hex": content.hex()}
    for name, before, unknown in (("base64a", 0, 0), ("base64b", 1, 2), ("base64c", 2, 3)):
        # Characters that depend on what stands before and behind the secret are left out.
        known = (before + len(content)) * 8 // 6
        texts[name] = base64.b64encode(b"\0" * before + content)[unknown:known].decode("ascii")
    return texts


def folded(text: str) -> str:
    """The text with spellings of one character made equal; escapes are left as they are."""
    return text.encode("utf-8", "surrogatepass").translate(FOLDS).decode("utf-8", "surrogatepass")


def unescaped(text: str) -> str:
    """The text with the ASCII characters that it escapes as themselves."""
    return _ESCAPE.sub(_escaped, text) if "%" in text or "\\" in text else text


class Units:
    """A text as the ``characters`` that it spells, these also folded as ``plain``; ``raw`` is each as it stands."""

    def __init__(self, text: str) -> None:
        self.raw: list[str] = []
        position = 0
        for match in _ESCAPE.finditer(text):
            self.raw += text[position : match.start()]
            self.raw.append(match[0])
            position = match.end()
        self.raw += text[position:]
        self.characters = unescaped(text)
        self.plain = folded(self.characters)

    def stands_alone(self, start: int, end: int) -> bool:
        """Whether a part is a token of its own: no letter, digit, hyphen or underscore beside it."""
        beside = self.characters[max(start - 1, 0) : start] + self.characters[end : end + 1]
        return not any(character.isalnum() or character in "-_" for character in beside)


def codes(text: str, raw: Iterator[str]) -> str:
    """How each character of a text is spelled, one code for each; plain ones at the end are left out."""
    return "".join(
        _CODES[list(_ways(character)).index(spelled)] for character, spelled in zip(text, raw, strict=True)
    ).rstrip("0")


def written(text: str, codes: str) -> str:
    """The text as its codes say that it was spelled; raises `ValueError` for codes that are none of it."""
    if len(codes) > len(text):
        raise ValueError("more codes than characters")
    ways = [list(_ways(character)) for character in text[: len(codes)]]
    try:
        spelled = [way[_CODES.index(code)] for way, code in zip(ways, codes, strict=True)]
    except IndexError:
        raise ValueError("a code of no spelling") from None
    return "".join(spelled) + text[len(codes) :]


def _ways(character: str) -> Iterator[str]:
    for variant in dict.fromkeys((character, character.swapcase(), _PAIRS.get(character, character))):
        number = ord(variant)
        yield variant
        yield f"%{number:02x}"
        yield f"%{number:02X}"
        yield f"\\u00{number:02x}"
        yield f"\\u00{number:02X}"
        yield f"\\{variant}"


def _escaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code is None:
        return match[3]
    character = chr(int(code, 16))
    return character if character.isascii() else "\ufffd"
