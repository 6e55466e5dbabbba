"""Keeps keys out of whatever is recorded, written or printed, and loses nothing by it.

What was sent and answered is recorded with a mark where a secret stood: ``{key:full}`` is the key of that credential,
``{key:full|hex}`` its hexadecimal text.  A mark says all that it takes to write the same text again, so that what is
recorded can be put back; equal texts have equal marks, so that whoever compares what was recorded sees what the run
saw.  Text that looks like the beginning of a mark is recorded as ``{key:|}``: a mark is never taken for text, nor text
for a mark.

How closely a secret is looked for depends on what can be told from ordinary text: see `Care`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, AnyStr, Final, Literal, TypeVar

import msgspec

from rules_harness.harness.exchange import Answer, Episode, Exchange, Payload, Request
from rules_harness.harness.target.secrets import Keyring, extension
from rules_harness.harness.target.spelling import FOLDS, Units, bases, codes, folded, unescaped, written

Care = Literal["none", "token", "every-form"]
"""How a secret is looked for: not at all; where it stands as a token of its own, or whole in an encoding; or wherever
three quarters of it stand, in whatever form."""

STRONG: Final = 16
"""A key of fewer characters is looked for as a token only."""
SHORTEST: Final = 6
"""A key of fewer characters stands in ordinary text by chance, and is not looked for."""
_SHORTEST_ENCODED: Final = 8
_LEAST: Final = 12
"""Fewer characters of a secret are no part of it that anybody could make use of."""
_DRAWN_CHARACTERS: Final = 8
OPENING: Final = "{key:"
_LITERAL: Final = "{key:|}"
MARK: Final = re.compile(r"\{key:([^{}|]*)(?:\|([^{}|]*))?\}")
_FORM = re.compile(r"([a-z0-9]*)(?::(\d+)-(\d+))?(?:~([0-9a-z]+))?")
_ORDINARY = re.compile(r"[A-Z]?[a-z]{1,14}\d{0,4}|[A-Z]{1,14}\d{0,4}|\d{1,8}")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_REMEMBERED: Final = 20_000
_LONGEST_REMEMBERED: Final = 80

T = TypeVar("T")
_Message = TypeVar("_Message", Request, Answer)


class UnknownKey(Exception):
    """A record names a key that this process does not have."""


def care(secret: str, words: Iterable[str] = ()) -> Care:
    """How a secret is looked for, where ``words`` stand in the ordinary traffic of its target."""
    parts = re.findall(r"[A-Za-z0-9]+", secret)
    drawn = sum(len(part) for part in parts if not _ORDINARY.fullmatch(part))
    if len(secret) >= STRONG and drawn >= _DRAWN_CHARACTERS and not secret.isdecimal():
        return "every-form"
    return "none" if len(secret) < SHORTEST or secret.lower() in words else "token"


def named_in(recorded: Any) -> set[str]:
    """The names of the secrets that a recorded JSON value has marks for."""
    return {match[1] for match in MARK.finditer(json.dumps(recorded, ensure_ascii=False)) if match[1]}


class _Wanted(msgspec.Struct, frozen=True):
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
    def of(cls, name: str, base: str, text: str, least: int, *, is_token: bool) -> _Wanted:
        plain = folded(text)
        at = len(text) - least
        return cls(name, base, text, plain, least, is_token, at, plain[at:least])

    def found(self, units: Units) -> Iterator[_Found]:
        """Where the text stands in another."""
        plain, start = units.plain, 0
        while (start := plain.find(self.core, start)) >= 0:
            begin, end, first, last = start, start + len(self.core), self.at, self.least
            while first and begin and plain[begin - 1] == self.plain[first - 1]:
                begin, first = begin - 1, first - 1
            while last < len(self.plain) and end < len(plain) and plain[end] == self.plain[last]:
                end, last = end + 1, last + 1
            if last - first >= self.least and (not self.is_token or self._is_itself(units, begin, end, first, last)):
                yield _Found(begin, end, self, first, last)
            start += 1

    def _is_itself(self, units: Units, begin: int, end: int, first: int, last: int) -> bool:
        return units.characters[begin:end] == self.text[first:last] and units.stands_alone(begin, end)


class _Found(msgspec.Struct, frozen=True):
    """A part of a base, from ``first`` to ``last``, that stands in a text from ``begin`` to ``end``."""

    begin: int
    end: int
    wanted: _Wanted
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
        return not is_deformed and units.characters[self.end : self.end + 1] != extension(text)

    def behind(self, position: int) -> _Found:
        """The part of it that begins no earlier than there."""
        cut = max(0, position - self.begin)
        return msgspec.structs.replace(self, begin=self.begin + cut, first=self.first + cut)

    def mark(self, units: Units) -> str:
        wanted = self.wanted
        part = "" if self.is_whole else f":{self.first}-{self.last}"
        spelling = codes(wanted.text[self.first : self.last], iter(units.raw[self.begin : self.end]))
        form = wanted.base + part + (f"~{spelling}" if spelling else "")
        return f"{OPENING}{wanted.name}{f'|{form}' if form else ''}}}"


class Cleaner:
    """Replaces the secrets of one keyring by marks, and marks by secrets; may be used by several threads."""

    def __init__(self, keyring: Keyring) -> None:
        self._secrets = keyring.secrets()
        self._credentials = keyring.names
        self.cares = {name: care(secret, keyring.words) for name, secret in self._secrets.items()}
        """How each secret is looked for."""
        self._wanted = [
            wanted for name, secret in self._secrets.items() for wanted in _wanted(name, secret, self.cares[name])
        ]
        self._certain = [wanted for wanted in self._wanted if self.cares[wanted.name] == "every-form"]
        self._needles = [wanted.core.encode() for wanted in self._wanted]
        self._words = _word_pattern(self._needles)
        self._known: set[bytes] = set()

    def recorded(self, episode: Episode) -> Episode:
        """The episode as a record holds it."""
        facts = msgspec.structs.replace(episode.facts, before=self.recorded_value(episode.facts.before))
        exchanges = tuple(map(self.recorded_exchange, episode.exchanges))
        return msgspec.structs.replace(episode, exchanges=exchanges, facts=facts)

    def recorded_exchange(self, exchange: Exchange) -> Exchange:
        """The exchange as a record holds it, its answer with the credentials whose keys stand there."""
        request = _request(exchange.request, self._suspects, self._text)
        outcome = exchange.outcome
        if isinstance(outcome, Answer):
            outcome = self.recorded_answer(outcome)
        if request is exchange.request and outcome is exchange.outcome:
            return exchange
        return msgspec.structs.replace(exchange, request=request, outcome=outcome)

    def recorded_answer(self, answer: Answer) -> Answer:
        """The answer as a record holds it, with the credentials whose keys stand there."""
        leaks: dict[str, None] = {}
        recorded = _message(answer, self._suspects, lambda text: self._text(text, leaks))
        named = tuple(name for name in self._credentials if name in leaks)
        return msgspec.structs.replace(recorded, leaks=named) if named else recorded

    def recorded_value(self, value: T) -> T:
        """A JSON value as a record holds it."""
        text = json.dumps(value, ensure_ascii=False)
        return _with_strings(text, self._text) if self._suspects(text) else value

    def recalled(self, exchange: Exchange) -> Exchange:
        """The exchange as it was; raises `UnknownKey`."""
        outcome = exchange.outcome
        if isinstance(outcome, Answer):
            outcome = msgspec.structs.replace(_message(outcome, _has_mark, self._recalled_text), leaks=())
        return msgspec.structs.replace(exchange, request=self.recalled_request(exchange.request), outcome=outcome)

    def recalled_request(self, request: Request) -> Request:
        """The request as it was; raises `UnknownKey`."""
        return _request(request, _has_mark, self._recalled_text)

    def recalled_value(self, value: T) -> T:
        """A JSON value as it was; raises `UnknownKey`."""
        text = json.dumps(value, ensure_ascii=False)
        return _with_strings(text, self._recalled_text) if _has_mark(text) else value

    def clean_text(self, text: AnyStr) -> AnyStr:
        """Any text without those secrets that stand in no ordinary text; for what is no record of an exchange."""
        if isinstance(text, bytes):
            return self.clean_text(text.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        return _marked(text, self._certain, {}) if self._holds_needle(text) else text

    def _text(self, text: str, leaks: dict[str, None] | None = None) -> str:
        """The text with a mark for each secret, and with one for what looks like the beginning of a mark."""
        if not self._suspects(text):
            return text
        return _marked(text, self._wanted, {} if leaks is None else leaks, escape=True)

    def _recalled_text(self, text: str) -> str:
        return MARK.sub(self._recalled_mark, text)

    def _recalled_mark(self, match: re.Match[str]) -> str:
        name, form = match[1], match[2]
        if not name:
            return OPENING
        parts = _FORM.fullmatch(form or "")
        secret = self._secrets.get(name)
        text = None if secret is None or parts is None else bases(secret).get(parts[1])
        if text is None or parts is None:
            raise UnknownKey(f"the record holds {match[0]}, and the profile has no such key")
        part = text[int(parts[2] or 0) : int(parts[3] or len(text))]
        try:
            return written(part, parts[4] or "")
        except ValueError:
            raise UnknownKey(f"the record holds {match[0]}, and the key that the profile has is another") from None

    def _suspects(self, text: str) -> bool:
        """Whether a mark could be needed; never falsely no."""
        return _has_mark(text) or self._holds_needle(text)

    def _holds_needle(self, text: str) -> bool:
        if self._has_needle(text):
            return True
        if "%" not in text and "\\" not in text:
            return False
        once = unescaped(text)
        return self._has_needle(once) or self._has_needle(unescaped(once))

    def _has_needle(self, text: str) -> bool:
        """Text is mostly words that were seen before, so only new ones are looked at."""
        content = text.encode("utf-8", "surrogatepass").translate(FOLDS)
        words = set(self._words.findall(content)) - self._known
        if any(needle in word for word in words for needle in self._needles):
            return True
        if len(self._known) > _REMEMBERED:
            self._known = set()
        self._known.update(word for word in words if len(word) <= _LONGEST_REMEMBERED)
        return False


def _request(request: Request, concerned: Callable[[str], bool], change: Callable[[str], str]) -> Request:
    changed = _message(request, concerned, change)
    return msgspec.structs.replace(changed, target=change(request.target)) if concerned(request.target) else changed


def _message(message: _Message, concerned: Callable[[str], bool], change: Callable[[str], str]) -> _Message:
    """A message with its headers and its body changed, where they are concerned."""
    changes: dict[str, Any] = {}
    if concerned("\n".join(text for pair in message.headers for text in pair)):
        changes["headers"] = tuple((change(name), change(value)) for name, value in message.headers)
    body: Payload | None = message.body
    if body is not None and concerned(_text_of(body)):
        changes["body"] = _rewritten(body, change)
    return msgspec.structs.replace(message, **changes) if changes else message


def _wanted(name: str, secret: str, care: Care) -> Iterator[_Wanted]:
    if care == "none":
        return
    for base, text in bases(secret).items():
        if care == "every-form":
            yield _Wanted.of(name, base, text, max(_LEAST, -(-len(text) * 3 // 4)), is_token=False)
        elif base == "":
            least = len(text) - 1 if len(text) >= STRONG else len(text)
            yield _Wanted.of(name, base, text, least, is_token=True)
        elif len(secret) >= _SHORTEST_ENCODED:
            yield _Wanted.of(name, base, text, len(text), is_token=False)


def _marked(text: str, wanted: Iterable[_Wanted], leaks: dict[str, None], *, escape: bool = False) -> str:
    units = Units(text)
    found = [one for each in wanted for one in each.found(units)]
    leaks.update((one.wanted.name, None) for one in found if one.is_the_key(units))
    pieces: list[str] = []
    position = 0

    def add_text(end: int) -> None:
        between = "".join(units.raw[position:end])
        pieces.append(between.replace(OPENING, _LITERAL) if escape else between)

    for one in sorted(found, key=lambda one: (one.begin, -one.end)):
        if one.end > position:
            rest = one.behind(position)
            add_text(rest.begin)
            pieces.append(rest.mark(units))
            position = rest.end
    add_text(len(units.raw))
    return "".join(pieces)


def _has_mark(text: str) -> bool:
    return OPENING in text


def _text_of(payload: Payload) -> str:
    return payload.content.decode("latin-1") if payload.text is None else payload.text


def _rewritten(payload: Payload, change: Callable[[str], str]) -> Payload:
    """A payload with its text changed; in JSON within strings alone, so that JSON stays JSON, and a number a number."""
    if payload.text is None:
        return Payload.of(change(_text_of(payload)).encode("latin-1"))
    try:
        json.loads(payload.text)
    except (ValueError, RecursionError):
        return Payload(text=change(payload.text))
    return Payload(text=_STRING.sub(lambda match: _string(match[0], change), payload.text))


def _with_strings(text: str, change: Callable[[str], str]) -> Any:
    """The JSON value that a text is, with its strings changed; it may be nested as deeply as JSON can be read."""
    return json.loads(_STRING.sub(lambda match: _string(match[0], change), text))


def _string(literal: str, change: Callable[[str], str]) -> str:
    value = json.loads(literal, strict=False)
    changed = change(value)
    return literal if changed == value else json.dumps(changed)


def _word_pattern(needles: Iterable[bytes]) -> re.Pattern[bytes]:
    characters = sorted(set(b"".join(needles)))
    if not characters:
        return re.compile(rb"(?!)")
    allowed = b"".join(re.escape(bytes([character])) for character in characters)
    return re.compile(rb"[%s]{%d,}" % (allowed, min(map(len, needles))))
