"""Bytes to a JSON value: strict JSON in UTF-8 and nothing else (RFC 8259)."""

import json
import re
from collections.abc import Callable
from typing import NoReturn

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Crashed, Incoming, Json
from rules_harness.harness.reference.switches import fault, variant

LARGEST_BODY = 1024 * 1024
"""Bytes of a body; more is 413."""

DEEPEST = 128
"""Levels of nesting; deeper is refused."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_TRAILING_COMMA = re.compile(r",(\s*[\]}])")


def check_media_type(request: Incoming) -> None:
    """Raise a 415 for anything but `application/json`, parameters aside."""
    media_type = (request.first(b"content-type") or b"").partition(b";")[0].strip().lower()
    if media_type == b"application/json" or fault("validation.media-type-ignored"):
        return
    if fault("validation.text-taken-for-json") and media_type.startswith(b"text/"):
        return
    if fault("envelope.not-acceptable-406"):
        raise errors.refusal(406, "not_acceptable", "The body must be sent as application/json.")
    if variant("media-type.400"):
        raise errors.invalid("The body must be sent as application/json.")
    raise errors.refusal(415, "unsupported_media_type", "The body must be sent as application/json.")


def check_size(body: bytes) -> None:
    """Raise a 413 for a body that is too large."""
    if fault("validation.large-crash") and len(body) > LARGEST_BODY // 2:
        raise Crashed
    if len(body) > (LARGEST_BODY // 16 if variant("size.small-limits") else LARGEST_BODY):
        raise errors.refusal(413, "payload_too_large", "The body is too large.")


def parse(body: bytes) -> Json:
    """The value that the body spells.

    Raises:
        Refused: it is not UTF-8, not JSON, nested too deeply, or holds a lone surrogate, NaN or a number without end.
    """
    text = _text(body)
    try:
        value = _value(text)
        if text.count("[") + text.count("{") > DEEPEST // 4:
            _check_depth(value)
    except RecursionError as error:
        if fault("validation.deep-crash"):
            raise Crashed from error
        raise errors.malformed("The body is nested too deeply.") from error
    except ValueError as error:
        raise errors.malformed("The body is not valid JSON.") from error
    return _without_lone_surrogates(value) if "\\u" in text else value


def _text(body: bytes) -> str:
    if variant("encoding.detected"):
        return _detected(body)
    if fault("validation.invalid-utf-8-ignored"):
        return body.decode("utf-8", "ignore")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        if fault("validation.invalid-utf-8-as-latin-1"):
            return body.decode("latin-1")
        raise errors.malformed("The body is not valid UTF-8.") from error


def _detected(body: bytes) -> str:
    try:
        return body.decode(json.detect_encoding(body))
    except UnicodeDecodeError as error:
        raise errors.malformed("The body is in no encoding of JSON.") from error


def _value(text: str) -> Json:
    if fault("validation.rest-ignored"):
        return json.JSONDecoder().raw_decode(text.lstrip())[0]
    if fault("validation.trailing-commas-allowed"):
        text = _TRAILING_COMMA.sub(r"\1", text)
    constant = _as_zero if fault("validation.nan-as-zero") else _no_constant
    return json.loads(text, parse_constant=constant, object_pairs_hook=_pairs_hook())


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _as_zero(name: str) -> int:
    return 0


def _pairs_hook() -> Callable[[list[tuple[str, Json]]], dict[str, Json]] | None:
    if variant("duplicate-names.refused"):
        return _no_duplicates
    if variant("duplicate-names.first"):
        return _first_of_duplicates
    return None


def _no_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name occurs twice")
    return value


def _first_of_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    return dict(reversed(pairs))


def _without_lone_surrogates(value: Json) -> Json:
    spelled = json.dumps(value, ensure_ascii=False)
    if _LONE_SURROGATE.search(spelled) is None:
        return value
    if fault("envelope.surrogate-crash"):
        raise Crashed
    if fault("validation.surrogates-replaced"):
        return json.loads(_LONE_SURROGATE.sub("?", spelled))
    raise errors.malformed("The body holds a lone surrogate.")


def _check_depth(value: Json) -> None:
    level, depth = [value], 0
    while level:
        if depth > (DEEPEST // 4 if variant("size.small-limits") else DEEPEST):
            raise RecursionError
        inner: list[Json] = []
        for item in level:
            if type(item) is dict:
                inner.extend(item.values())
            elif type(item) is list:
                inner.extend(item)
        level, depth = inner, depth + 1
