"""What stands for a secret in a record, and where somebody who repeats a request takes it from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

import msgspec

from rules_harness.harness.exchange import Payload, Request
from rules_harness.harness.target.sightings import MARK, OPENING
from rules_harness.strategies.keys import KeyForm, KeyReference

UNKNOWN_KEY: Final = "unknown-key-0123456789"
"""In place of a key that is nobody's."""
_FORMS: Final = get_args(KeyForm)


class Secret(msgspec.Struct, frozen=True):
    """A secret in a text, by its name and the form in which it stands there."""

    name: str
    form: str = ""

    @property
    def is_usual(self) -> bool:
        """Whether a command or a test can make this form."""
        return self.form in _FORMS

    @property
    def shown(self) -> str:
        """What a person reads in its place."""
        return f"{{key:{self.name}{f'|{self.form}' if self.form else ''}}}"


Part = str | Secret
"""What texts of a request consist of."""


class Assembled(msgspec.Struct, frozen=True):
    """A recorded request in parts, its key at its place; ``body`` is its text, ``None`` where it has none."""

    target: tuple[Part, ...]
    headers: tuple[tuple[str, tuple[Part, ...]], ...]
    body: tuple[Part, ...] | None

    @property
    def is_usual(self) -> bool:
        """Whether a command or a test can say all that it consists of."""
        texts = (self.target, *(value for _, value in self.headers), self.body or ())
        return all(isinstance(part, str) or part.is_usual for text in texts for part in text)


def assembled(request: Request) -> Assembled:
    """The parts of a request as it was sent."""
    target, body = parts(request.target), None if request.body is None else _text(request.body)
    headers = tuple((name, parts(value)) for name, value in request.headers)
    key = request.key
    if key is not None:
        value = (key.before, Secret(key.key, key.form)) if key.before else (Secret(key.key, key.form),)
        match key.place:
            case "header":
                headers = ((key.name, value), *headers)
            case "cookie":
                headers = (("Cookie", (f"{key.name}=", *value)), *headers)
            case "query":
                before = f"{'&' if '?' in request.target else '?'}{key.name}={key.before.replace(' ', '%20')}"
                target = (*target, before, value[-1])
            case "field" if body is not None:
                body = _with_field(body, key, value)
    return Assembled(target, headers, body)


def shown(request: Request) -> Request:
    """The request as a person reads it, its key by reference as a text like any other."""
    if request.key is None:
        return request
    whole = assembled(request)
    body = request.body
    if request.key.place == "field" and whole.body is not None:
        body = Payload(text=_joined(whole.body))
    headers = tuple((name, _joined(value)) for name, value in whole.headers)
    return msgspec.structs.replace(request, target=_joined(whole.target), headers=headers, body=body, key=None)


def parts(text: str) -> tuple[Part, ...]:
    """The parts of a recorded text."""
    if OPENING not in text:
        return (text,) if text else ()
    pieces: list[Part] = []
    position = 0
    for match in MARK.finditer(text):
        pieces += [text[position : match.start()], Secret(match[1], match[2] or "") if match[1] else OPENING]
        position = match.end()
    return tuple(part for part in (*pieces, text[position:]) if part)


def part_of(value: Any) -> Part:
    """A value of a recorded profile, which is text or a reference to a secret."""
    return value if isinstance(value, str) else Secret(str(dict(value).get("secret")))


def variable(name: str, environment: Mapping[str, str]) -> str:
    """The environment variable that holds a secret: that of the profile for the key of a credential."""
    known = environment.get(name, "")
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", known):
        return known
    what = name if ":" in name else f"key_{name}"
    return "RULES_" + re.sub(r"[^A-Za-z0-9]", "_", what).upper()


def _text(payload: Payload) -> tuple[Part, ...]:
    return parts(payload.text) if payload.text is not None else ()


def _with_field(body: tuple[Part, ...], key: KeyReference, value: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts of a JSON object with one more property."""
    text, last = body[:-1], body[-1]
    assert isinstance(last, str), "an object ends with a brace"
    head = last.rstrip().removesuffix("}")
    comma = "" if not text and head.strip() == "{" else ","
    return (*text, f'{head}{comma}{json.dumps(key.name)}:"', *value, '"}')


def _joined(text: Iterable[Part]) -> str:
    return "".join(part if isinstance(part, str) else part.shown for part in text)
