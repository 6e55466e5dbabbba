"""Keeps keys out of whatever is recorded, written or printed.

Two measures.  An answer is searched for whole keys, in any letter case, base64 at any alignment, percent-encoded or
escaped as JSON allows; each gives way to its reference, and is reported.  Whatever is written is searched for fragments
as well: every run of `FRAGMENT` characters of a key is masked.

Text is mostly words that were seen before, so it is cut into words first and only new ones are looked at: at every
fourth place, whether five characters of a key stand there (a fragment cannot hide from that), then more closely.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from typing import AnyStr, Final

from rules_harness.harness.target.secrets import FORMS, Keyring, credential_of, extension

FRAGMENT: Final = 8
"""The longest run of a key's characters that may be written is one shorter than this."""
_SHORTEST: Final = 6
"""Shorter secrets are not searched for: they stand in ordinary text by chance."""
_GRAM: Final = 5
_STRIDE: Final = FRAGMENT - _GRAM + 1
_REMEMBERED: Final = 20_000
_LONGEST_REMEMBERED: Final = 80

_ESCAPE = re.compile(rb"%([0-9a-fA-F]{2})|\\u00([0-9a-fA-F]{2})|\\([/\"\\])")


class Cleaner:
    """Removes the secrets of one keyring; may be used by several threads."""

    def __init__(self, keyring: Keyring) -> None:
        secrets = {name: secret for name, secret in keyring.secrets().items() if len(secret) >= _SHORTEST}
        self._secrets = dict(sorted(secrets.items(), key=lambda item: -len(item[1])))
        plain = {secret.encode().lower() for secret in secrets.values()}
        needles = plain | {form.lower() for secret in secrets.values() for form in _base64_forms(secret.encode())}
        self._short = [needle for needle in needles if len(needle) < FRAGMENT]
        self._grams = frozenset(part for needle in needles for part in _parts(needle, _GRAM))
        self._windows = frozenset(part for needle in needles for part in _parts(needle, FRAGMENT))
        self._fragments = frozenset(part for secret in plain for part in _parts(secret, FRAGMENT))
        self._words = _word_pattern(needles)
        self._patterns: dict[str, re.Pattern[bytes]] = {}
        self._known: set[bytes] = set()
        self._references = _reference_pattern(keyring)
        self._mask = self._filler(b"*#~")
        self._digit = self._filler(b"123456789")

    def clean_answer(self, content: bytes) -> tuple[bytes, tuple[str, ...]]:
        """The content with whole keys replaced by their references, and the credentials whose keys stood there.

        A deformed key is replaced as well, but it is nobody's, and so not reported.
        """
        if not self._suspects(content):
            return content, ()
        leaks: list[str] = []
        for reference, secret in self._secrets.items():
            content, leaked = self._without(content, reference, secret)
            credential = credential_of(reference)
            if leaked and credential is not None:
                leaks.append(credential)
        return content, tuple(leaks)

    def clean_text(self, text: AnyStr) -> AnyStr:
        """The text with whole keys replaced by their references, and each fragment by as many asterisks.

        A fragment of digits alone becomes other digits, so that JSON stays JSON.
        """
        if isinstance(text, str):
            return self._cleaned(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
        return self._cleaned(text)

    def _cleaned(self, content: bytes) -> bytes:
        if not self._suspects(content):
            return content
        content, _ = self.clean_answer(content)
        parts = self._references.split(content)
        parts[::2] = map(self._masked, parts[::2])
        return b"".join(parts)

    def _suspects(self, content: bytes) -> bool:
        """Whether a fragment of a needle may stand in the content; never falsely no."""
        lowered = content.lower()
        if self._has_fragment(lowered):
            return True
        if b"%" not in lowered and b"\\u" not in lowered and b"\\/" not in lowered:
            return False
        return self._has_fragment(_ESCAPE.sub(_unescaped, lowered).lower())

    def _has_fragment(self, lowered: bytes) -> bool:
        if any(needle in lowered for needle in self._short):
            return True
        words = set(self._words.findall(lowered)) - self._known
        if any(map(self._is_suspect, words)):
            return True
        if len(self._known) > _REMEMBERED:
            self._known = set()
        self._known.update(word for word in words if len(word) <= _LONGEST_REMEMBERED)
        return False

    def _is_suspect(self, word: bytes) -> bool:
        grams = self._grams
        for place in range(0, len(word) - _GRAM + 1, _STRIDE):
            if word[place : place + _GRAM] in grams:
                around = range(max(0, place - _STRIDE + 1), place + 1)
                if any(word[start : start + FRAGMENT] in self._windows for start in around):
                    return True
        return False

    def _without(self, content: bytes, reference: str, secret: str) -> tuple[bytes, bool]:
        pattern = self._patterns.get(reference)
        if pattern is None:
            pattern = self._patterns[reference] = _pattern(secret)
        leaked = False

        def replacement(match: re.Match[bytes]) -> bytes:
            nonlocal leaked
            form = _form(match, secret)
            leaked = leaked or not form
            return f"{reference[:-1]}{form}}}".encode()

        return pattern.sub(replacement, content), leaked

    def _masked(self, content: bytes) -> bytes:
        lowered = content.lower()
        masked = bytearray(content)
        for word in self._words.finditer(lowered):
            text = word[0]
            if text in self._known:
                continue
            for start, end in _runs(text, self._fragments):
                filler = self._digit if text[start:end].isdigit() else self._mask
                masked[word.start() + start : word.start() + end] = filler * (end - start)
        return bytes(masked)

    def _filler(self, characters: bytes) -> bytes:
        """The first of these that is not itself a fragment when repeated."""
        fillers = (bytes([character]) for character in characters)
        return next(filler for filler in fillers if filler * FRAGMENT not in self._fragments)


def _parts(needle: bytes, length: int) -> Iterator[bytes]:
    return (needle[start : start + length] for start in range(len(needle) - length + 1))


def _runs(text: bytes, fragments: frozenset[bytes]) -> Iterator[tuple[int, int]]:
    """Where fragments stand in the text, those that overlap or touch as one."""
    first, last = 0, 0
    for start in range(len(text) - FRAGMENT + 1):
        if text[start : start + FRAGMENT] in fragments:
            if start > last:
                if last:
                    yield first, last
                first = start
            last = start + FRAGMENT
    if last:
        yield first, last


def _word_pattern(needles: Iterable[bytes]) -> re.Pattern[bytes]:
    characters = sorted(set(b"".join(needles)))
    if not characters:
        return re.compile(rb"(?!)")
    allowed = b"".join(re.escape(bytes([character])) for character in characters)
    return re.compile(rb"[%s]{%d,}" % (allowed, FRAGMENT))


def _reference_pattern(keyring: Keyring) -> re.Pattern[bytes]:
    names = "|".join(map(re.escape, ("unknown", *keyring.names)))
    others = [re.escape(reference) for reference in keyring.secrets() if credential_of(reference) is None]
    keys = rf"\{{key:(?:{names})(?:\|(?:{'|'.join(FORMS)}))?\}}"
    return re.compile(f"({'|'.join([keys, *others])})".encode())


def _base64_forms(secret: bytes) -> Iterator[bytes]:
    """What of the secret's base64 does not depend on what stands before and after it, at each alignment (RFC 4648)."""
    for before, unknown in ((0, 0), (1, 2), (2, 3)):
        known = (before + len(secret)) * 8 // 6
        form = base64.b64encode(b"\0" * before + secret)[unknown:known]
        yield form
        yield form.translate(bytes.maketrans(b"+/", b"-_"))


def _pattern(secret: str) -> re.Pattern[bytes]:
    """Every spelling of a whole secret; ``more`` is the character that makes an extended key of it."""
    plain = b"".join(_spelled(character, any_case=True) for character in secret.encode())
    more = re.escape(extension(secret).encode())
    encoded = {
        b"".join(_spelled(character, any_case=False) for character in form) for form in _base64_forms(secret.encode())
    }
    return re.compile(rb"(?P<plain>%s)(?P<more>%s)?|%s" % (plain, more, b"|".join(sorted(encoded))))


def _spelled(character: int, *, any_case: bool) -> bytes:
    itself = bytes([character])
    cases = {itself.lower(), itself.upper()} if any_case else {itself}
    ways = []
    for case in sorted(cases):
        ways += [re.escape(case), b"(?i:%%%02x)" % case[0], rb"(?i:\\u00%02x)" % case[0]]
        if case in b'/"\\':
            ways.append(rb"\\" + re.escape(case))
    return b"(?:%s)" % b"|".join(ways)


def _form(match: re.Match[bytes], secret: str) -> str:
    """How the key that was found is deformed, as a reference says it; empty when it is not."""
    plain = match["plain"]
    if plain is None:
        return ""
    if match["more"]:
        return "|extended"
    text = _ESCAPE.sub(_unescaped, plain).decode()
    return "|swapcase" if text == secret.swapcase() != secret else ""


def _unescaped(match: re.Match[bytes]) -> bytes:
    if match[3]:
        return match[3]
    return bytes([int(match[1] or match[2], 16)])
