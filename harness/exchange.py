"""Frozen records of what was sent and what came of it.

An *exchange* is one request and its outcome; an *episode* is the exchanges that are judged together, in order, with
the facts known before them.  A request names the key that it carries by reference (`KeyReference`); the client puts the
real one in when it sends.
"""

from __future__ import annotations

import base64
import functools
import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from rules_harness.harness.intent import Intent
from rules_harness.strategies.keys import KeyReference

Aftermath = Literal["", "again", "down", "gone"]
FaultKind = Literal["timeout", "connect", "proxy", "closed", "abandoned", "too-large", "malformed", "unsent"]

IN_PROGRESS: Final = 409
"""What a request may be answered whose key is that of one that is being executed."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_MOST_DIGITS: Final = sys.int_info.default_max_str_digits
_SMALL: Final = 16 * 1024
_MEDIUM: Final = 64 * 1024
"""Bytes. JSON takes up to thirty times its length once it is parsed, so few large values are remembered; of those in
between as many as the checks go over again and again in one episode."""


class Payload(msgspec.Struct, frozen=True, omit_defaults=True):
    """Bytes as a journal can hold them: text where they are UTF-8, base64 where they are not."""

    text: str | None = None
    base64: str | None = None

    @classmethod
    def of(cls, content: bytes) -> Payload:
        try:
            return cls(text=content.decode("utf-8"))
        except UnicodeDecodeError:
            return cls(base64=base64.b64encode(content).decode("ascii"))

    @property
    def content(self) -> bytes:
        if self.text is not None:
            return self.text.encode("utf-8")
        return base64.b64decode(self.base64 or "")


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """One HTTP request as it goes out.

    ``target`` is the request target below the profile's base URL, percent-encoded by the sender of the record and sent
    unchanged.  Header values are Latin-1 text.  ``raw`` asks for the bytes to go out untouched by an HTTP library,
    because it would normalise or refuse them.  ``key`` is the key that it carries, which stands in no other field; in
    a header or a cookie it goes out before ``headers``, in the query or the body behind what stands there.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: Payload | None = None
    raw: bool = False
    key: KeyReference | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header, its name compared without regard to case (RFC 9110 5.1)."""
        return _first(self.headers, name)


class Answer(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="answer"):
    """What the target answered.

    ``leaks`` names, in a record, the credentials whose key stood in the answer.  ``cut`` says that the body was longer
    than what is taken in of one; what is not there is not judged.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: Payload = Payload(text="")
    leaks: tuple[str, ...] = ()
    cut: bool = False

    def header(self, name: str) -> str | None:
        """The first value of a header, its name compared without regard to case (RFC 9110 5.1)."""
        return _first(self.headers, name)

    def header_values(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.headers if key.lower() == name.lower())

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_refusal(self) -> bool:
        return 400 <= self.status < 500

    @property
    def is_put_off(self) -> bool:
        """Whether this only says to come again later, and nothing of the request."""
        return self.status in (425, 429) or (self.status == 503 and self.header("retry-after") is not None)

    def json(self) -> Any:
        """The body as JSON, leniently; ``None`` where it is none (`envelope.well-formed` judges strictly).

        The value is shared by all who ask: nobody changes it.
        """
        return parsed(self.body)

    @property
    def is_too_deep(self) -> bool:
        """Whether the body may be JSON that nests deeper than can be read here: nobody can say what it holds."""
        try:
            json.loads(self.body.content)
        except RecursionError:
            return True
        except ValueError:
            return False
        return False

    def object(self) -> Mapping[str, Any]:
        """The body as a JSON object; empty where it is not one."""
        value = self.json()
        return value if isinstance(value, dict) else {}

    def part(self, name: str) -> dict[str, Any]:
        """The object under one name of the body, its `data` or its `error` by the contract's names; empty without one.

        Shared, as `json` is: nobody changes it.
        """
        value = self.object().get(name)
        return value if isinstance(value, dict) else {}

    def first_part(self, name: str) -> dict[str, Any]:
        """As `part`, and of a list of objects the first."""
        value = self.object().get(name)
        if isinstance(value, list):
            value = next(iter(value), None)
        return value if isinstance(value, dict) else {}


class TransportFault(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="fault"):
    """Nothing that could be judged came back: the connection, not the contract, is at fault, unless that shows twice.

    ``aftermath`` says what came after a request without an answer.  ``again``: others were answered, and it was not
    when it was sent once more.  ``down``: nor was anything else, for a while, and that twice.  ``gone``: nor was
    anything else until the run ended.
    """

    kind: FaultKind
    detail: str
    aftermath: Aftermath = ""

    @property
    def has_left(self) -> bool:
        """Whether the request was sent at all before the run ended."""
        return self.kind != "unsent"


class Exchange(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request and what came of it; times are seconds since the run began.

    ``resent`` says that it left more than once, and may have been executed before the outcome that is recorded: a
    proxy answered 502 or 504 in the target's place, or a connection ended.
    """

    request: Request
    outcome: Answer | TransportFault
    intent: Intent
    started: float
    ended: float
    resent: bool = False

    @property
    def answer(self) -> Answer | None:
        """The answer, if a whole one came: a part of one shows nothing but its status."""
        return self.outcome if isinstance(self.outcome, Answer) and not self.outcome.cut else None

    @property
    def may_replay_itself(self) -> bool:
        """Whether the answer may be that to a repeated key: the request's own, which had arrived before."""
        return self.resent and self.intent.key is not None

    @property
    def is_in_its_own_way(self) -> bool:
        """Whether it was refused since its key is in progress, which may be by its own first attempt."""
        return self.may_replay_itself and self.answer is not None and self.answer.status == IN_PROGRESS


def only(exchanges: tuple[Exchange, ...], positions: Iterable[int]) -> tuple[Exchange, ...] | None:
    """The exchanges at these positions alone, in their order; ``None`` where one repeats another that is left out."""
    numbers = {position: number for number, position in enumerate(sorted(set(positions)))}
    kept = []
    for position in numbers:
        exchange = exchanges[position]
        repeats = exchange.intent.repeats
        if repeats is not None and repeats not in numbers:
            return None
        intent = exchange.intent.but(repeats=None if repeats is None else numbers[repeats])
        kept.append(msgspec.structs.replace(exchange, intent=intent))
    return tuple(kept)


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was known before an episode began.

    ``before`` maps a rule's id to its state as last read (the `data` of the companion GET).
    """

    before: dict[str, Any] = {}
    accounts: tuple[str, ...] = ()
    """The ids of our accounts; none where they are not known."""
    readable: bool = True
    """The companion GET answers, so that states can be compared."""
    settle_seconds: float = 0.0


class Episode(msgspec.Struct, frozen=True, omit_defaults=True, dict=True):
    """The exchanges that are judged together, in order."""

    id: str
    family: str
    scenario: str
    exchanges: tuple[Exchange, ...]
    facts: Facts = Facts()
    about: tuple[str, ...] = ()
    """The requirements that it was made to judge."""
    confirms: str = ""
    """The id of the episode that this one repeats, to confirm its findings."""
    disturbed: str = ""
    """The rule that changed while nothing was sent to it, so that states in this episode cannot be trusted."""
    notes: tuple[str, ...] = ()
    """What the scenario could not cover, in words."""
    smallest: str = ""
    """The id of the finding that nothing smaller than this episode shows."""
    stability: str = ""
    """How often a smallest episode showed its finding when it was sent again, such as ``2 of 3``."""

    @functools.cached_property
    def answered(self) -> tuple[tuple[int, Exchange, Answer], ...]:
        """Every exchange that got an answer to its request, with its position. Kept, as nearly every check asks."""
        return tuple(
            (position, exchange, answer)
            for position, exchange in enumerate(self.exchanges)
            if (answer := exchange.answer) is not None and not answer.is_put_off and not exchange.is_in_its_own_way
        )


def parsed(payload: Payload) -> Any:
    """A payload as JSON, leniently; ``None`` where it is none. Shared: nobody changes it.

    A lone surrogate, which no UTF-8 can say, is spelt out, so that what holds one can be recorded and compared.  An
    integer of more digits than Python reads is its digits.
    """
    length = len(payload.text if payload.text is not None else payload.base64 or "")
    if length <= _SMALL:
        return _parsed_small(payload)
    return _parsed_medium(payload) if length <= _MEDIUM else _parsed_large(payload)


@functools.lru_cache(maxsize=256)
def _parsed_small(payload: Payload) -> Any:
    return _parsed(payload)


@functools.lru_cache(maxsize=64)
def _parsed_medium(payload: Payload) -> Any:
    return _parsed(payload)


@functools.lru_cache(maxsize=4)
def _parsed_large(payload: Payload) -> Any:
    return _parsed(payload)


def _parsed(payload: Payload) -> Any:
    content = payload.content
    # The hook is called for each integer: only where one can be as long.
    parse_int = _integer if len(content) > _MOST_DIGITS else int
    try:
        value = json.loads(content, parse_int=parse_int)
    except (ValueError, RecursionError):
        return None
    return _without_surrogates(value) if _SURROGATE_ESCAPE.search(content) else value


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", value)
    if isinstance(value, list):
        return [_without_surrogates(inner) for inner in value]
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(inner) for name, inner in value.items()}
    return value


def _first(headers: tuple[tuple[str, str], ...], name: str) -> str | None:
    wanted = name.lower()
    for key, value in headers:
        if key.lower() == wanted:
            return value
    return None
