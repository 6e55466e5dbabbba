"""Text that is safe to show: nothing invisible, nothing that turns the line round, nothing endless.

What a target answers ends up in terminals, browsers and pull requests.  Here its control, formatting and direction
characters become visible escapes; each format then adds the escaping of its own syntax.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Final

import msgspec

from rules_harness.harness.exchange import Payload

LINE_LIMIT: Final = 400
_MARKS_IN_A_ROW: Final = 3
_DEPTH_LIMIT: Final = 60
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_NOT_PLAIN: Final = re.compile(r"[^ -~]+")
_NOT_PLAIN_IN_BLOCK: Final = re.compile(r"[^ -~\n\t]+")
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\{\s*\}|\[\s*\]|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


class Excerpt(msgspec.Struct, frozen=True):
    """A body as it is shown; ``size`` is that of the whole body, in bytes."""

    text: str
    size: int
    whole: bool


def visible(text: str, *, block: bool = False) -> str:
    """The text with every character that cannot be seen as a visible escape: ``␀``, ``\\u202e``.

    A *block* keeps its line breaks and tabs.  Of combining marks, three in a row stay as they are.
    """
    return (_NOT_PLAIN_IN_BLOCK if block else _NOT_PLAIN).sub(_visible_run, text)


def _visible_run(run: re.Match[str]) -> str:
    characters = []
    marks = 0
    for character in run.group():
        marks = marks + 1 if unicodedata.combining(character) else 0
        characters.append(_visible_character(character, too_many=marks > _MARKS_IN_A_ROW))
    return "".join(characters)


def _visible_character(character: str, *, too_many: bool) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if too_many or unicodedata.category(character) in _HIDDEN:
        return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
    return character


def line(text: str, limit: int = LINE_LIMIT) -> str:
    """Any text as one line that is safe to show; of a long one the beginning, with a note of what is left out."""
    if len(text) <= limit:
        return visible(text)
    return f"{visible(text[:limit])}{_more(len(text) - limit)}"


def excerpt(payload: Payload, limit: int) -> Excerpt:
    """A body as a person reads it: JSON indented, its tokens as they were sent; about ``limit`` characters of it."""
    size = len(payload.content)
    if payload.text is None:
        text = f"({size:,} bytes that are not UTF-8, in base64)\n{payload.base64 or ''}"
    else:
        text = (indented(payload.text) if size <= 8 * limit else None) or payload.text
    rows = text.split("\n")
    visible_rows = visible("\n".join(_shortened(row) for row in rows), block=True)
    if len(visible_rows) > limit:
        return Excerpt(
            f"{visible_rows[:limit]}\n… (cut: the whole body has {counted(size, 'byte')})", size, whole=False
        )
    return Excerpt(visible_rows, size, whole=all(len(row) <= LINE_LIMIT for row in rows))


def _shortened(row: str) -> str:
    return row if len(row) <= LINE_LIMIT else f"{row[:LINE_LIMIT]}{_more(len(row) - LINE_LIMIT)}"


def _more(count: int) -> str:
    return f"… ({counted(count, 'more character')})"


def indented(text: str) -> str | None:
    """A JSON text indented, every token just as it stands there, duplicate names included.

    ``None`` where it is not JSON, or nested too deeply for indenting to help.
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    parts: list[str] = []
    depth = 0
    for token in _TOKEN.findall(text):
        if token in ("{", "["):
            depth += 1
            parts.append(token + "\n" + "  " * depth)
        elif token in ("}", "]"):
            depth -= 1
            parts.append("\n" + "  " * depth + token)
        elif token == ",":
            parts.append(",\n" + "  " * depth)
        else:
            parts.append(": " if token == ":" else token)
        if depth > _DEPTH_LIMIT:
            return None
    return "".join(parts)


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun: ``1 finding``, ``1,204 findings``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def duration(seconds: float) -> str:
    """A time as a person says it: ``830 µs``, ``12 ms``, ``6.2 s``, ``4 min 10 s``."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
