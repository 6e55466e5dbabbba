"""Where a secret stands in a text, in whatever form, and the mark that a record has in its place.

How closely a secret is looked for depends on what can be told from ordinary text: see `Care`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

import msgspec
from ahocorasick_rs import BytesAhoCorasick

from rules_harness.harness.target.escapes import FOLDS, GAPS, LAYERS, Units, folded, unescaped
from rules_harness.harness.target.secrets import extension
from rules_harness.harness.target.spelling import bases, codes

Care = Literal["none", "token", "every-form"]
"""How a secret is looked for: not at all; where it stands as a token of its own, or whole in an encoding; or wherever
three quarters of it stand, in whatever form."""

STRONG: Final = 16
"""A key of fewer characters is looked for as a token only."""
SHORTEST: Final = 6
"""A key of fewer characters stands in ordinary text by chance, and is not looked for."""
_SHORTEST_ENCODED: Final = 8
_LEAST: Final = 12
"""Of fewer characters of a secret nobody could make use."""
_DRAWN_CHARACTERS: Final = 8
OPENING: Final = "{key:"
_LITERAL: Final = "{key:|}"
MARK: Final = re.compile(r"\{key:([^{}|]*)(?:\|([^{}|]*))?\}")
_ORDINARY = re.compile(r"[A-Z]?[a-z]{1,14}\d{0,4}|[A-Z]{1,14}\d{0,4}|\d{1,8}")
_SIGNS: Final = (b"%", b"\\", b"&")
"""How each escape begins."""


def care(secret: str, words: Iterable[str] = ()) -> Care:
    """How a secret is looked for, where ``words`` stand in the ordinary traffic of its target."""
    parts = re.findall(r"[A-Za-z0-9]+", secret)
    drawn = sum(len(part) for part in parts if not _ORDINARY.fullmatch(part))
    if len(secret) >= STRONG and drawn >= _DRAWN_CHARACTERS and not secret.isdecimal():
        return "every-form"
    return "none" if len(secret) < SHORTEST or secret.lower() in words else "token"


class Wanted(msgspec.Struct, frozen=True):
    """One base of a secret, and how much of it must stand in a text to be found.

    Every part that is long enough holds the ``core``, which begins at ``at``.
    """

    name: str
    base: str
    text: str
    plain: str
    least: int
    is_token: bool
    at: int
    core: str

    @classmethod
    def of(cls, name: str, base: str, text: str, least: int, *, is_token: bool) -> Wanted:
        plain = folded(text)
        at = len(text) - least
        return cls(name, base, text, plain, least, is_token, at, plain[at:least])

    def found(self, units: Units) -> Iterator[Sighting]:
        """Where the text stands in another."""
        plain, start = units.plain, 0
        while (start := plain.find(self.core, start)) >= 0:
            begin, end, first, last = start, start + len(self.core), self.at, self.least
            while first and begin and plain[begin - 1] == self.plain[first - 1]:
                begin, first = begin - 1, first - 1
            while last < len(self.plain) and end < len(plain) and plain[end] == self.plain[last]:
                end, last = end + 1, last + 1
            if last - first >= self.least and (not self.is_token or self._is_itself(units, begin, end, first, last)):
                yield Sighting(begin, end, self, first, last)
            start += 1

    def _is_itself(self, units: Units, begin: int, end: int, first: int, last: int) -> bool:
        return units.characters[begin:end] == self.text[first:last] and units.stands_alone(begin, end)


class Sighting(msgspec.Struct, frozen=True):
    """A part of a base, from ``first`` to ``last``, that stands in a text from ``begin`` to ``end``."""

    begin: int
    end: int
    wanted: Wanted
    first: int
    last: int

    @property
    def is_whole(self) -> bool:
        return self.last - self.first == len(self.wanted.text)

    def is_the_key(self, units: Units) -> bool:
        """Whether whoever reads it has the key; what the harness makes of one to be refused is nobody's."""
        if not self.is_whole or self.wanted.base:
            return self.is_whole
        text = self.wanted.text
        is_deformed = units.characters[self.begin : self.end] == text.swapcase() != text
        return not is_deformed and units.behind(self.end) != extension(text)

    def behind(self, position: int) -> Sighting:
        """The part of it that begins no earlier than there."""
        cut = max(0, position - self.begin)
        return msgspec.structs.replace(self, begin=self.begin + cut, first=self.first + cut)

    def mark(self, units: Units) -> str:
        """The marks for it: mostly one; where it is spelled in more ways than one can list, another for the rest."""
        wanted, characters = self.wanted, units.characters[self.begin : self.end]
        gaps = ["", *units.gaps[self.begin + 1 : self.end]]
        spelling, shapes = codes(
            wanted.text[self.first : self.last], characters, gaps, units.raw[self.begin : self.end]
        )
        last = self.first + len(spelling)
        spelling = spelling.rstrip("0")
        part = "" if last - self.first == len(wanted.text) else f":{self.first}-{last}"
        form = wanted.base + part + (f"~{spelling}" if spelling else "") + (f"!{shapes}" if shapes else "")
        mark = f"{OPENING}{wanted.name}{f'|{form}' if form else ''}}}"
        if last == self.last:
            return mark
        position = self.begin + last - self.first
        return mark + units.gap(position) + self.behind(position).mark(units)


class Sought:
    """What is looked for in texts, of some secrets; may be used by several threads."""

    def __init__(self, secrets: Mapping[str, str], words: Iterable[str]) -> None:
        self.cares = {name: care(secret, words) for name, secret in secrets.items()}
        self.wanted = [wanted for name, secret in secrets.items() for wanted in _wanted(name, secret, self.cares[name])]
        self.certain = [wanted for wanted in self.wanted if self.cares[wanted.name] == "every-form"]
        """What stands in no ordinary text."""
        needles = [wanted.core.encode().translate(None, GAPS) for wanted in self.wanted]
        self._needles = BytesAhoCorasick([needle for needle in needles if needle])
        self._is_everywhere = not all(needles)
        self._has_quotes = any(mark in needle for needle in needles for mark in (b'"', b"\\"))

    def stands_in(self, text: bytes) -> bool:
        """Whether a secret may stand in a text; never falsely no."""
        if self._has_needle(text):
            return True
        for _ in range(LAYERS):
            if not self._has_quotes:
                text = text.replace(b'\\"', b'"')  # most escapes of a record, and in no secret here
            if not any(sign in text for sign in _SIGNS):
                return False
            read = unescaped(text)
            if read is None:
                return False
            if self._has_needle(read):
                return True
            text = read
        return False

    def _has_needle(self, text: bytes) -> bool:
        return self._is_everywhere or bool(self._needles.find_matches_as_indexes(text.translate(FOLDS, GAPS)))


def _wanted(name: str, secret: str, care: Care) -> Iterator[Wanted]:
    if care == "none":
        return
    for base, text in bases(secret).items():
        if care == "every-form":
            yield Wanted.of(name, base, text, max(_LEAST, -(-len(text) * 3 // 4)), is_token=False)
        elif base in ("", "read"):
            least = len(text) - 1 if len(text) >= STRONG else len(text)
            yield Wanted.of(name, base, text, least, is_token=True)
        elif len(secret) >= _SHORTEST_ENCODED:
            yield Wanted.of(name, base, text, len(text), is_token=False)


def marked(text: str, wanted: Iterable[Wanted], leaks: dict[str, None], *, escape: bool = False) -> str:
    """The text with a mark for each secret in it; with ``escape``, also for what looks like the beginning of a mark.

    The names of secrets that whoever reads the text has whole are added to ``leaks``.
    """
    units = Units(text)
    sightings = [sighting for each in wanted for sighting in each.found(units)]
    leaks.update((sighting.wanted.name, None) for sighting in sightings if sighting.is_the_key(units))
    pieces: list[str] = []
    position = 0

    def add_text(end: int) -> None:
        between = units.text(position, end) + units.gap(end)
        pieces.append(between.replace(OPENING, _LITERAL) if escape else between)

    for sighting in sorted(sightings, key=lambda sighting: (sighting.begin, -sighting.end)):
        if sighting.end > position:
            rest = sighting.behind(position)
            add_text(rest.begin)
            pieces.append(rest.mark(units))
            position = rest.end
    add_text(len(units.raw))
    return "".join(pieces)
