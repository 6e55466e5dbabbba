"""Keeps keys out of whatever is recorded, written or printed, and loses nothing by it.

What was sent and answered is recorded with a mark where a secret stood: ``{key:full}`` is the key of that credential,
``{key:full|hex}`` its hexadecimal text.  A mark says all that it takes to write the same text again, so that what is
recorded can be put back; equal texts have equal marks, so that whoever compares what was recorded sees what the run
saw.  Text that looks like the beginning of a mark is recorded as ``{key:|}``: a mark is never taken for text, nor text
for a mark.

`harness.target.sightings` says what counts as a secret in a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, AnyStr, TypeVar

import msgspec

from rules_harness.harness.exchange import Answer, Episode, Exchange, Payload, Request
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.target.sightings import MARK, OPENING, Care, Sought, marked
from rules_harness.harness.target.spelling import UNTOLD, bases, written

_FORM = re.compile(r"([a-z0-9]*)(?::(\d+)-(\d+))?(?:~([0-9a-zA-Z]+))?(?:!([0-9a-zA-Z.,?]+))?")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')

T = TypeVar("T")
_Message = TypeVar("_Message", Request, Answer)


class UnknownKey(Exception):
    """A record names a key that this process does not have."""


def named_in(recorded: Any) -> set[str]:
    """The names of the secrets that a recorded JSON value has marks for."""
    return {match[1] for match in MARK.finditer(json.dumps(recorded, ensure_ascii=False)) if match[1]}


class Cleaner:
    """Replaces the secrets of one keyring by marks, and marks by secrets; may be used by several threads."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._made: tuple[int, Sought] | None = None

    @property
    def cares(self) -> Mapping[str, Care]:
        """How each secret is looked for."""
        return self._sought.cares

    @property
    def _sought(self) -> Sought:
        """What is looked for, with the keys that there are now."""
        generation, made = self._keyring.generation, self._made
        if made is None or made[0] != generation:
            # Both at once: a thread that was slower must not put older keys under a newer number.
            self._made = made = (generation, Sought(self._keyring.secrets(), self._keyring.words))
        return made[1]

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
        leaked = {name.partition("#")[0] for name in leaks}
        named = tuple(name for name in self._keyring.names if name in leaked)
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
        if not self._stands_in(text):
            return text
        if isinstance(text, bytes):
            return self.clean_text(text.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        return marked(text, self._sought.certain, {})

    def _text(self, text: str, leaks: dict[str, None] | None = None) -> str:
        """The text with a mark for each secret, and with one for what looks like the beginning of a mark."""
        if not self._suspects(text):
            return text
        return marked(text, self._sought.wanted, {} if leaks is None else leaks, escape=True)

    def _recalled_text(self, text: str) -> str:
        return MARK.sub(self._recalled_mark, text)

    def _recalled_mark(self, match: re.Match[str]) -> str:
        name, form = match[1], match[2]
        if not name:
            return OPENING
        parts = _FORM.fullmatch(form or "")
        secrets = self._keyring.secrets()
        # A key that another run renewed has no number here: the present one takes its place.
        secret = secrets.get(name, secrets.get(name.partition("#")[0]))
        text = None if secret is None or parts is None else bases(secret).get(parts[1])
        if text is None or parts is None:
            raise UnknownKey(f"the record holds {match[0]}, and the profile has no such key")
        part = text[int(parts[2] or 0) : int(parts[3] or len(text))]
        try:
            return written(part, parts[4] or "", parts[5] or "")
        except ValueError:
            is_untold = UNTOLD in (parts[5] or "")
            why = (
                "this spelling is one that no record can say"
                if is_untold
                else "the key that the profile has is another"
            )
            raise UnknownKey(f"the record holds {match[0]}, and {why}") from None

    def _suspects(self, text: str) -> bool:
        """Whether a mark could be needed; never falsely no."""
        return _has_mark(text) or self._stands_in(text)

    def _stands_in(self, text: str | bytes) -> bool:
        return self._sought.stands_in(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)


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


def _has_mark(text: str) -> bool:
    return OPENING in text


def _text_of(payload: Payload) -> str:
    return payload.content.decode("latin-1") if payload.text is None else payload.text


def _rewritten(payload: Payload, change: Callable[[str], str]) -> Payload:
    """A payload with its text changed; in JSON within strings alone, so that JSON stays JSON, and a number a number."""
    if payload.text is None:
        return Payload.of(change(_text_of(payload)).encode("latin-1"))
    try:
        json.loads(payload.text, parse_int=str)
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
