"""Bytes to a JSON value: strict JSON in UTF-8 and nothing else (RFC 8259)."""

import json
import re
from typing import NamedTuple, NoReturn

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Incoming, Json
from rules_harness.harness.reference.steps import step

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Bounds(NamedTuple):
    """How large a body may be."""

    size: int = 1024 * 1024
    """In bytes; more is 413."""
    depth: int = 128
    """Levels of nesting; deeper is refused."""


@step
def bounds() -> Bounds:
    """The server's own bounds: the page names none."""
    return Bounds()


@step
def check_media_type(request: Incoming) -> None:
    """'Request Body', 'application/json': raise a 415 for anything else, parameters aside."""
    if media_type_of(request) != b"application/json":
        raise errors.unsupported_media_type()


def media_type_of(request: Incoming) -> bytes:
    """The media type in lower case, without parameters."""
    return (request.first(b"content-type") or b"").partition(b";")[0].strip().lower()


@step
def check_size(body: bytes) -> None:
    """Raise a 413 for a body that is too large."""
    if len(body) > bounds().size:
        raise errors.refusal(413, "payload_too_large", "The body is too large.")


@step
def parse(body: bytes) -> Json:
    """The value that the body spells.

    Raises:
        Refused: it is not UTF-8, not JSON, nested too deeply, or holds a lone surrogate, NaN or a number without end.
    """
    text = text_of(body)
    try:
        value = value_of(text)
        _check_depth(text, value)
    except RecursionError as error:
        raise errors.too_deep() from error
    except ValueError as error:
        raise errors.malformed("The body is not valid JSON.") from error
    return without_lone_surrogates(value) if "\\u" in text else value


@step
def text_of(body: bytes) -> str:
    """The body's text, in UTF-8 and without a byte order mark (RFC 8259 8.1)."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise errors.malformed("The body is not valid UTF-8.") from error


@step
def value_of(text: str) -> Json:
    """The value; of two under one name the last counts. ValueError where the text is not JSON."""
    return json.loads(text, parse_constant=no_constant)


def no_constant(name: str) -> NoReturn:
    """Refuse what Python alone takes for a number."""
    raise ValueError(f"{name} is not JSON")


@step
def without_lone_surrogates(value: Json) -> Json:
    """The value, which must be text that can be encoded."""
    if LONE_SURROGATE.search(json.dumps(value, ensure_ascii=False)) is not None:
        raise errors.malformed("The body holds a lone surrogate.")
    return value


def _check_depth(text: str, value: Json) -> None:
    deepest = bounds().depth
    if text.count("[") + text.count("{") <= deepest:
        return
    level = [value]
    for _ in range(deepest + 1):
        held = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list))
        level = [item for items in held for item in items]
    if level:
        raise RecursionError
