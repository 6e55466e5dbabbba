"""Odd ids: path segments that are not the id of any rule, whatever a router makes of them.

A router may decode a segment once too often, resolve dot segments, trim, fold case, or stop at a character that means
something to it.  None of the segments here becomes another rule, an empty id or a path that leaves the rules by any of
that, so that sending an update to them is safe.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from hypothesis import strategies as st

from rules_harness.strategies.requests.wire import OddRequest, utf8_as_latin1

_STEM: Final = "no-such-one"
_STOPS: Final = re.compile(r"[\x00-\x20?#;,&\x7f\x85\xa0]")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._~-]+")
_DIGITS: Final = re.compile(r"[0-9]+")
_SEPARATORS: Final = re.compile(r"[/\\]+")
_SENT_AS_IS: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")

_SEGMENTS: Final = (
    ("length-300", f"{_STEM}-{'a' * 288}", "300 characters"),
    ("length-5000", f"{_STEM}-{'a' * 4988}", "5,000 characters"),
    ("encoded-letters", "%6e%6F-such-one", "letters that need no encoding, encoded"),
    ("encoded-twice", "no%252Dsuch%252Done", "an encoded percent sign before two digits"),
    ("encoded-slash", f"{_STEM}%2Fx", "an encoded slash"),
    ("encoded-slash-twice", f"{_STEM}%252Fx", "a slash, encoded twice"),
    ("encoded-backslash", f"{_STEM}%5Cx", "an encoded backslash"),
    ("traversal", f"x%2F..%2F{_STEM}", "a parent segment with encoded slashes"),
    ("traversal-encoded", f"x%2F%2e%2e%2F{_STEM}", "a parent segment, dots and slashes encoded"),
    ("traversal-twice", f"x%252F..%252F{_STEM}", "a parent segment, slashes encoded twice"),
    ("traversal-backslash", f"x%5C..%5C{_STEM}", "a parent segment with encoded backslashes"),
    ("traversal-overlong", f"x%C0%AF..%C0%AF{_STEM}", "a parent segment with overlong slashes (RFC 3629, section 10)"),
    ("dots-inside", "no..such..one", "dots inside"),
    ("dots-before", f"...{_STEM}", "dots before"),
    ("dots-after", f"{_STEM}..", "dots after"),
    ("extension", f"{_STEM}.json", "an extension"),
    ("unicode", quote("no-süch-öne"), "letters beyond ASCII, encoded"),
    ("unicode-raw", utf8_as_latin1("no-süch-öne"), "letters beyond ASCII, as bare UTF-8 bytes"),
    ("unicode-fullwidth", quote("ｎｏ-such-one"), "full-width letters"),
    ("unicode-homoglyph", quote("nо-suсh-оnе"), "Cyrillic letters that look Latin"),
    ("unicode-combining", quote("no-su\u0301ch-one"), "a combining accent"),
    ("unicode-right-to-left", quote("no-such-\u202eeno"), "an override of the writing direction"),
    ("unicode-zero-width", quote("no-such\u200b-one"), "a zero-width space"),
    ("unicode-noncharacter", quote("no-such-\uffff-one"), "a code point that is not a character"),
    ("emoji", quote("no-such-one-🙃"), "an emoji"),
    ("latin-1", "no-s%FCch-one", "a byte that is no UTF-8"),
    ("lone-surrogate", "no-such-%ED%A0%80-one", "a lone surrogate in UTF-8 (RFC 3629, section 3)"),
    ("percent-alone", f"{_STEM}-%", "a percent sign without digits"),
    ("percent-letters", f"{_STEM}-%zz", "a percent sign before letters"),
    ("percent-u", "no-such-%u006fne", "an escape of old browsers"),
    ("percent-sign", f"{_STEM}-%25", "an encoded percent sign"),
    ("nul-inside", "no-such%00-one", "NUL inside"),
    ("nul-after", f"{_STEM}%00", "NUL at the end"),
    ("nul-extension", f"{_STEM}%00.json", "NUL before an extension"),
    ("line-break", f"{_STEM}%0D%0AX-Harness:%20injected", "a line break and what looks like a header"),
    ("newline-after", f"{_STEM}%0A", "a newline at the end"),
    ("tab", "no-such%09one", "a tab"),
    ("escape", "no-such%1B%5B31mone", "an escape sequence of terminals"),
    ("space-inside", "no%20such%20one", "spaces inside"),
    ("space-around", f"%20{_STEM}%20", "spaces at the ends"),
    ("plus", "no+such+one", "plus signs"),
    ("semicolon", f"{_STEM};v=1", "a path parameter"),
    ("semicolon-session", f"{_STEM};jsessionid=0", "a session as a path parameter"),
    ("comma", "no,such,one", "commas"),
    ("colon", f"{_STEM}:x", "a colon"),
    ("at", f"{_STEM}@x", "an at sign"),
    ("question-mark", f"{_STEM}%3Fx=1", "an encoded question mark"),
    ("hash", f"{_STEM}%23x", "an encoded hash"),
    ("ampersand", f"{_STEM}&x=1", "an ampersand"),
    ("star", f"{_STEM}-*", "a star"),
    ("sql-quote", f"{_STEM}'", "a single quote"),
    ("sql-double-quote", f"{_STEM}%22", "a double quote"),
    ("sql-condition", f"{_STEM}'%20AND%20'1'%3D'2", "SQL with a condition that never holds"),
    ("sql-comment", f"{_STEM}'--", "SQL with a comment"),
    ("sql-parenthesis", f"{_STEM}')", "SQL that closes a parenthesis"),
    ("nosql-operator", f"%7B%22%24eq%22%3A%22{_STEM}%22%7D", "a query operator as JSON"),
    ("format-c", f"{_STEM}%25s%25n", "a C format string"),
    ("format-braces", f"{_STEM}-%7B0%7D", "a format string with braces"),
    ("template", "{id}", "the path's own template"),
    ("template-encoded", "%7Bid%7D", "the path's own template, encoded"),
    ("template-expression", f"{_STEM}-%24%7B7*7%7D", "a template expression"),
    ("markup", "%3Cb%3Eno-such-one%3C%2Fb%3E", "markup"),
    ("quotes-and-angles", f'{_STEM}"<>', "characters that no path may hold (RFC 3986, section 3.3)"),
    ("null", "null", "null"),
    ("undefined", "undefined", "undefined"),
    ("true", "true", "true"),
    ("not-a-number", "NaN", "NaN"),
    ("zero", "0", "zero"),
    ("negative", "-1", "a negative number"),
    ("huge-number", "9" * 30, "a number beyond 64 bits"),
    ("nil-uuid", "00000000-0000-0000-0000-000000000000", "the nil UUID"),
    ("python-dunder", "__class__", "the name of an attribute"),
    ("prototype", "__proto__", "the name of a prototype"),
)


def odd_ids(known: Iterable[str]) -> tuple[OddRequest, ...]:
    """The odd ids that no lenient reading takes for one of the rules in `known`."""
    return _odd_ids(frozenset(known))


@functools.lru_cache(maxsize=16)
def _odd_ids(known: frozenset[str]) -> tuple[OddRequest, ...]:
    return tuple(_odd_id(name, segment, detail) for name, segment, detail in _SEGMENTS if is_safe(segment, known))


def odd_id_requests(known: Iterable[str]) -> st.SearchStrategy[OddRequest]:
    """Drawn odd ids: any text behind a stem that no rule has, and one of the listed ones."""
    rules = frozenset(known)
    drawn = (
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
        .map(lambda text: f"{_STEM}-{quote(text, safe='')}")
        .filter(lambda segment: is_safe(segment, rules) and _keeps_stem(segment))
        .map(lambda segment: _odd_id(f"drawn {segment}", segment, "drawn text behind a stem"))
    )
    return st.one_of(st.sampled_from(odd_ids(rules)), drawn)


def is_safe(segment: str, known: Iterable[str]) -> bool:
    """Whether no lenient reading of a path segment is empty, leaves the rules, or is one of the `known` ids."""
    taken = {_folded(rule) for rule in known} | {"", ".."}
    return taken.isdisjoint(_readings(segment))


def _keeps_stem(segment: str) -> bool:
    """Whether every path that a segment may be read as still begins with the stem, so that no rule can have it."""
    return all(_resolved(_folded(_trimmed(text))).startswith(_STEM) for text in _decodings(segment))


def _odd_id(name: str, segment: str, detail: str) -> OddRequest:
    return OddRequest(
        name=f"id:{name}",
        requirement="not-found.odd-ids",
        expect="4xx-or-redirect",
        detail=detail,
        segment=segment,
        raw=_SENT_AS_IS.fullmatch(segment) is None,
    )


def _readings(segment: str) -> Iterator[str]:
    """What lenient routers and stores may take a segment for, case folded.

    Each decoding is read as it is, up to where a character may end it, and as what remains of it as a path.
    """
    for text in _decodings(segment):
        trimmed = _trimmed(text)
        yield _folded(trimmed)
        yield _folded(trimmed.strip("."))
        yield _folded(_trimmed(text.replace("+", " ")))
        yield _folded(_STOPS.split(text.strip(" /\\"), maxsplit=1)[0])
        yield from (_folded(match.group()) for match in (_PLAIN.match(trimmed), _DIGITS.match(trimmed)) if match)
        yield _resolved(_folded(trimmed))
        yield from (_folded(part) for part in _SEPARATORS.split(trimmed) if part.strip("."))


def _decodings(segment: str) -> Iterator[str]:
    """The segment as it is, percent-decoded once and twice, its bytes read as UTF-8 and as Latin-1."""
    content = segment.encode("latin-1")
    for _ in range(3):
        yield content.decode("utf-8", "replace")
        yield content.decode("utf-8", "ignore")
        yield content.decode("latin-1")
        content = unquote_to_bytes(content)


def _trimmed(text: str) -> str:
    return "".join(character for character in text if character.isprintable() or character == "\x00").strip(" /\\\x00")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _resolved(text: str) -> str:
    """The path with its dot segments removed (RFC 3986, section 5.2.4); ``..`` where it leaves the rules."""
    kept: list[str] = []
    for part in _SEPARATORS.split(text):
        if part == ".." and not kept:
            return ".."
        if part == "..":
            kept.pop()
        elif part != ".":
            kept.append(part)
    return "/".join(kept)
