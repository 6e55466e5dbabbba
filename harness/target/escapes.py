"""How characters of a text may be escaped, and a text as the characters that it stands for.

Percent-encoding (RFC 3986, section 2.1; ``%u00`` is an older way), the escapes of JSON (RFC 8259, section 7) and of
programming languages, and the character references of HTML; one within another too, as JSON within JSON or a URL
within HTML.  A text may also be folded, as base64 and headers are, or be UTF-16: line breaks and NULs in front of a
character are a *gap*.
"""

from __future__ import annotations

import re
import string
from collections import defaultdict
from collections.abc import Mapping
from html.entities import html5
from typing import Final

FOLDS: Final = bytes.maketrans((string.ascii_uppercase + "-_").encode(), (string.ascii_lowercase + "+/").encode())
"""Makes characters equal that are spellings of each other."""
GAPS: Final = b"\0\r\n\t "
"""What a gap consists of."""
LAYERS: Final = 4
"""So often is a text read that is itself what an escaped one stands for."""


def _names() -> Mapping[str, tuple[str, ...]]:
    names = defaultdict(list)
    for name, character in sorted(html5.items()):
        if character.isascii() and character.isprintable() and len(character) == 1:
            names[character].append(name)
    return {character: tuple(known) for character, known in names.items()}


NAMES: Final = _names()
"""What HTML calls an ASCII character."""
_NAMED: Final = {name: character for character, names in NAMES.items() for name in names}
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}

_HEX = "([0-9a-fA-F]{2})"
_ASCII = "(0[09aAdD]|[2-7][0-9a-fA-F])"
"""What of it may be a part of a secret or of a gap."""
_ESCAPES = (
    rf"%(?:u00)?{_HEX}",
    rf"\\(?:x|u00|U000000){_HEX}",
    rf"\\u\{{0{{0,6}}{_HEX}\}}",
    rf"&#[xX]0{{0,6}}{_HEX}(?:;|(?![0-9a-fA-F;]))",
    r"&#0{0,6}([0-9]{2,3})(?:;|(?![0-9;]))",
    r"\\([01][0-7]{2})",
    # The longer name first: a few may stand without their semicolon.
    "&(" + "|".join(sorted(_NAMED, key=len, reverse=True)) + ")",
    r"\\([/\"\\nrt0])",
)
# Only where each alternative begins with a character of its own does `re` skip whatever lies between.
_GAP = tuple(first + r"[\0\r\n\t ]{0,16}(?=[!-~])" for first in (r"\0", r"\r", r"\n"))
_READ = re.compile("|".join((*_ESCAPES, *_GAP)))
# Of many backslashes each layer takes some: in bytes all are taken at once, since more may be read than is there.
_QUICK = re.compile("|".join(escape.replace(r"\\", r"\\\\*", 1) for escape in _ESCAPES).replace(_HEX, _ASCII).encode())
_HEXADECIMAL: Final = range(1, 5)
_DECIMAL, _OCTAL, _NAME = 5, 6, 7


def folded(text: str) -> str:
    """The text with spellings of one character made equal; escapes are left as they are."""
    return text.encode("utf-8", "surrogatepass").translate(FOLDS).decode("utf-8", "surrogatepass")


class Units:
    """A text as the ``characters`` that it stands for, these also folded as ``plain``.

    ``raw`` is each character as it stands in the text, and ``gaps`` what is folded away in front of it.
    """

    def __init__(self, text: str) -> None:
        self.characters = text
        self.raw = list(text)
        self.gaps = [""] * len(text)
        for _ in range(LAYERS):
            if not self._read():
                break
        self.plain = folded(self.characters)

    def text(self, start: int, end: int) -> str:
        """What stands from one character to another, the gap in front of it included."""
        return "".join(part for pair in zip(self.gaps[start:end], self.raw[start:end], strict=True) for part in pair)

    def stands_alone(self, start: int, end: int) -> bool:
        """Whether a part is a token of its own: not folded, and no letter, digit, hyphen or underscore beside it."""
        before = "" if self.gap(start) else self.characters[max(start - 1, 0) : start]
        beside = before + self.behind(end)
        is_whole = not any(self.gaps[start + 1 : end])
        return is_whole and not any(character.isalnum() or character in "-_" for character in beside)

    def gap(self, position: int) -> str:
        """The gap at a position, which may be the end."""
        return "".join(self.gaps[position : position + 1])

    def behind(self, position: int) -> str:
        """The character at a position, if it is there and no gap is in front of it."""
        return "" if self.gap(position) else self.characters[position : position + 1]

    def _read(self) -> bool:
        """Read one layer of escapes; returns whether there were any."""
        raw: list[str] = []
        gaps: list[str] = []
        characters: list[str] = []
        position = 0
        for match in _READ.finditer(self.characters):
            start, end = match.span()
            raw += self.raw[position:start]
            gaps += self.gaps[position:start]
            characters.append(self.characters[position:start])
            if match.lastindex is None:
                self.gaps[end] = self.text(start, end) + self.gaps[end]
            else:
                gaps.append(self.gaps[start])
                raw.append(self.text(start, end).removeprefix(self.gaps[start]))
                characters.append(_read_as(match.lastindex, match[match.lastindex]))
            position = end
        if not position:
            return False
        self.raw = raw + self.raw[position:]
        self.gaps = gaps + self.gaps[position:]
        self.characters = "".join(characters) + self.characters[position:]
        return True


def unescaped(text: bytes) -> bytes | None:
    """A text with one layer of escapes read and without gaps; ``None`` where it has none.

    It is quicker than `Units`, and may read too much.
    """
    read, times = _QUICK.subn(_quickly, text.translate(None, GAPS))
    return read if times else None


def _quickly(match: re.Match[bytes]) -> bytes:
    kind = match.lastindex or 0
    return _TABLES[kind][match[kind]]


def _read_as(kind: int, text: str) -> str:
    """The character that an escape stands for; not ASCII, it is part of no secret."""
    if kind in _HEXADECIMAL:
        number = int(text, 16)
    elif kind in (_DECIMAL, _OCTAL):
        number = int(text, 10 if kind == _DECIMAL else 8)
    else:
        return _NAMED[text] if kind == _NAME else _LETTERS.get(text, text)
    return chr(number) if number < 128 else "\ufffd"


def _table(kind: int) -> Mapping[bytes, bytes]:
    """All that an escape of a kind may hold, and what it stands for: a body may have a million of them."""
    if kind in _HEXADECIMAL:
        texts = [high + low for high in string.hexdigits for low in string.hexdigits]
    elif kind in (_DECIMAL, _OCTAL):
        texts = [f"{number:0{width}}" for width in (2, 3) for number in range(1000)]
        texts = [text for text in texts if kind == _DECIMAL or re.fullmatch("[01][0-7]{2}", text)]
    else:
        texts = [*_NAMED] if kind == _NAME else [*_LETTERS, "/", '"', "\\"]
    return {text.encode(): _read_as(kind, text).encode() for text in texts}


_TABLES: Final = [{}, *map(_table, range(1, _READ.groups + 1))]
