"""Odd values of the two optional headers, and odd sets of headers."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st
from msgspec import structs

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.requests.wire import JSON_MEDIA_TYPE, OddRequest, utf8_as_latin1

VISIBLE: Final = "".join(map(chr, range(0x21, 0x7F)))
"""Every visible ASCII character, the space not among them."""

KEY_LENGTH: Final = 255
"""The longest Idempotency-Key of visible ASCII that must be accepted, in characters."""

REQUEST_ID_LENGTH: Final = 64
"""The longest X-Request-ID of visible ASCII that must be echoed, in characters."""

_LONG_NAME: Final = 256
"""Characters of a header's name beyond which some servers do not parse a request."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def odd_keys(contract: Contract, unique: str) -> tuple[OddRequest, ...]:
    """Odd values of Idempotency-Key (`idempotency.odd-keys`).

    `unique` is visible ASCII of 16 to 40 characters that no other run has: it makes each value that has room for it
    one that no earlier request carried.  A letter after it tells them apart from each other, also for a target that
    takes off what is odd: spaces, quotes, control characters, what comes after a comma or is too long.  `expect` says
    ``accepted`` for those of them with up to 255 visible ASCII characters, and either for the rest: what another run
    sent under one character is nobody's to know.
    """
    if not 16 <= len(unique) <= 40 or not _is_visible(unique):
        raise ValueError(f"unique: 16 to 40 visible ASCII characters are needed, not {unique!r}")
    header = contract.names.idempotency_key
    keys = (
        _valued("key", "idempotency.odd-keys", header, KEY_LENGTH, name, make(unique + letter), detail)
        for letter, (name, make, detail) in zip(string.ascii_lowercase, _KEYS, strict=False)
    )
    return tuple(
        key if len(key.headers[0][1]) >= len(unique) else structs.replace(key, expect="success-or-4xx") for key in keys
    )


def _filled(length: int) -> Callable[[str], tuple[str]]:
    return lambda own: (own + "k" * (length - len(own)),)


_KEYS: Final[tuple[tuple[str, Callable[[str], tuple[str, ...]], str], ...]] = (
    ("empty", lambda own: ("",), "an empty value"),
    ("length-1", lambda own: ("k",), "one character"),
    ("length-255", _filled(255), "255 characters"),
    ("length-256", _filled(256), "256 characters"),
    ("length-1000", _filled(1000), "1,000 characters"),
    ("length-5000", _filled(5000), "5,000 characters"),
    ("visible-ascii", lambda own: (own + VISIBLE,), "every visible ASCII character"),
    ("digits", lambda own: ("".join(str(ord(character)) for character in own),), "digits only"),
    ("quoted", lambda own: (f'"{own}"',), "between double quotes, as a structured field (RFC 9651, section 3.3.3)"),
    ("json", lambda own: (f'{{"key":"{own}"}}',), "a JSON object"),
    ("markup", lambda own: (f"<b>{own}</b>",), "markup"),
    ("sql", lambda own: (f"{own}'--",), "SQL"),
    ("format", lambda own: (f"{own}%s%n{{0}}",), "a format string"),
    ("percent-encoded", lambda own: (f"{own}%0D%0A%00",), "percent-encoded control characters"),
    ("path", lambda own: (f"../{own}/../x",), "a path"),
    ("comma", lambda own: (f"{own},{own}x",), "two keys in one value"),
    ("space-inside", lambda own: (f"{own} key",), "a space inside"),
    ("space-around", lambda own: (f" {own} ",), "spaces at the ends"),
    ("tab-inside", lambda own: (f"{own}\tkey",), "a tab inside"),
    ("latin-1", lambda own: (f"{own}-é",), "a character of Latin-1"),
    ("utf-8", lambda own: (utf8_as_latin1(f"{own}-é🙃"),), "characters in UTF-8"),
    ("control", lambda own: (f"{own}\x01",), "a control character"),
    ("twice-same", lambda own: (f"{own}-2", f"{own}-2"), "the header twice, with one value"),
    ("twice-different", lambda own: (f"{own}-a", f"{own}-b"), "the header twice, with two values"),
)
"""Each value by its name, made of what is its own."""


def odd_request_ids(contract: Contract) -> tuple[OddRequest, ...]:
    """Values of X-Request-ID: what must be echoed (`request-id.echo-header`), and hostile ones (`request-id.hostile`).

    What is visible ASCII of up to 64 characters must be echoed, whatever it looks like.
    """
    plain: tuple[tuple[str, tuple[str, ...], str], ...] = (
        ("length-1", ("0",), "one character, which is false in some languages"),
        ("length-64", ("harness-" + "r" * 56,), "64 characters"),
        ("visible-ascii-1", (VISIBLE[:47],), "the first half of the visible ASCII characters"),
        ("visible-ascii-2", (VISIBLE[47:],), "the second half of the visible ASCII characters"),
        ("uuid", ("6f1c2f3e-8a1d-4c5b-9e7f-0a1b2c3d4e5f",), "a UUID"),
        ("upper-case", ("6F1C2F3E-8A1D-4C5B-9E7F-0A1B2C3D4E5F",), "a UUID in upper case"),
        ("digits", ("00012345678901234567",), "digits, with leading zeros"),
        ("word", ("null",), "a word that programs write for nothing"),
        ("json", ('{"id":"harness"}',), "a JSON object"),
        ("markup", ("<b>harness</b>",), "markup"),
        ("sql", ("harness'--",), "SQL"),
        ("format", ("harness%s%n{0}",), "a format string"),
        ("percent-encoded", ("harness%0D%0AX-Harness:injected",), "a percent-encoded line break"),
        ("expression", ("harness-${7*7}",), "a template expression"),
        ("backslash", ("harness\\r\\n\\u0000",), "escape sequences"),
        ("comma", ("harness-1,harness-2",), "two ids in one value"),
        ("path", ("../harness",), "a path"),
    )
    hostile: tuple[tuple[str, tuple[str, ...], str], ...] = (
        ("empty", ("",), "an empty value"),
        ("length-65", ("harness-" + "r" * 57,), "65 characters"),
        ("length-200", ("harness-" + "r" * 192,), "200 characters"),
        ("length-5000", ("harness-" + "r" * 4992,), "5,000 characters"),
        ("space-inside", ("harness request",), "a space inside"),
        ("space-around", (" harness-request ",), "spaces at the ends"),
        ("spaces-alone", ("   ",), "nothing but spaces"),
        ("tab-inside", ("harness\trequest",), "a tab inside"),
        ("latin-1", ("harness-é",), "a character of Latin-1"),
        ("utf-8", (utf8_as_latin1("harness-é🙃"),), "characters in UTF-8"),
        ("invalid-utf-8", ("harness-\xff\xfe",), "bytes that are no UTF-8"),
        ("control", ("harness-\x01",), "a control character"),
        ("twice-same", ("harness-same", "harness-same"), "the header twice, with one value"),
        ("twice-different", ("harness-first", "harness-second"), "the header twice, with two values"),
    )
    name = contract.names.request_id_header
    return (
        *(_valued("request-id", "request-id.echo-header", name, REQUEST_ID_LENGTH, *value) for value in plain),
        *(_valued("request-id", "request-id.hostile", name, REQUEST_ID_LENGTH, *value) for value in hostile),
    )


def odd_header_sets() -> tuple[OddRequest, ...]:
    """Sets of headers that change nothing (`http.headers`): unknown, repeated and oversized ones.

    Headers that ask for something are left out: conditions, other representations, overrides of the method or path,
    forwarding, encodings of the body, and destroying or expecting anything.
    """
    sets: tuple[tuple[str, tuple[tuple[str, str], ...], str], ...] = (
        ("unknown", (("X-Harness-Unknown", "1"),), "a header that nobody knows"),
        ("unknown-empty", (("X-Harness-Unknown", ""),), "an unknown header without a value"),
        ("unknown-100", tuple((f"X-Harness-{number}", "1") for number in range(100)), "100 unknown headers"),
        (
            "unknown-marks",
            (("X-Harness!#$%&'*+-.^_`|~", "1"),),
            "a name of every mark that a name may hold (RFC 9110, 5.6.2)",
        ),
        ("unknown-underscore", (("X_Harness_Unknown", "1"),), "an underscore in a name"),
        ("unknown-latin-1", (("X-Harness-Unknown", "é\xff"),), "bytes beyond ASCII in an unknown header"),
        ("folded", (("X-Harness-Unknown", "1\r\n 2"),), "a value over two lines (RFC 9112, section 5.2)"),
        ("large-8-kib", (("X-Harness-Unknown", "x" * 8 * 1024),), "a header of 8 KiB"),
        ("large-64-kib", (("X-Harness-Unknown", "x" * 64 * 1024),), "a header of 64 KiB"),
        ("long-name", (("X-Harness-" + "n" * 990, "1"),), "a name of 1,000 characters"),
        ("content-type-twice", (("Content-Type", JSON_MEDIA_TYPE),) * 2, "Content-Type twice, with one value"),
        ("accept-twice", (("Accept", JSON_MEDIA_TYPE), ("Accept", "*/*")), "Accept twice"),
        ("accept-weights", (("Accept", f"{JSON_MEDIA_TYPE};q=0.5, */*;q=0.1"),), "Accept with weights"),
        ("accept-language", (("Accept-Language", "x-harness"),), "a language that nobody speaks"),
        ("range", (("Range", "bytes=0-0"),), "a range, which only GET has (RFC 9110, section 14.2)"),
        ("cookie", (("Cookie", "harness=1; ; =; harness"),), "malformed cookies"),
        ("referer", (("Referer", "about:blank"),), "a referring page"),
        ("date", (("Date", "Thu, 01 Jan 1970 00:00:00 GMT"),), "a date long past"),
    )
    return tuple(_header_set(*each) for each in sets)


def odd_request_id_requests(contract: Contract) -> st.SearchStrategy[OddRequest]:
    """Drawn values of X-Request-ID, plain and hostile, beside the listed ones."""
    name = contract.names.request_id_header
    plain = st.text(VISIBLE, min_size=1, max_size=REQUEST_ID_LENGTH)
    hostile = st.text(st.characters(max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=300)
    drawn = st.one_of(plain, hostile).map(
        lambda value: _valued(
            "request-id",
            _request_id_requirement(value),
            name,
            REQUEST_ID_LENGTH,
            f"drawn {value}",
            (value,),
            "drawn text",
        )
    )
    return st.one_of(st.sampled_from(odd_request_ids(contract)), drawn)


def _valued(
    sort: str, requirement: str, header: str, length: int, name: str, values: tuple[str, ...], detail: str
) -> OddRequest:
    plain = len(values) == 1 and len(values[0]) <= length and _is_visible(values[0])
    return OddRequest(
        name=f"{sort}:{name}",
        requirement=requirement,
        expect="accepted" if plain else "success-or-4xx",
        detail=detail,
        headers=tuple((header, value) for value in values),
        raw=any(_needs_raw(value) for value in values),
    )


def _header_set(name: str, headers: tuple[tuple[str, str], ...], detail: str) -> OddRequest:
    return OddRequest(
        name=f"headers:{name}",
        requirement="http.headers",
        expect="success-or-4xx",
        detail=detail,
        headers=headers,
        raw=any(_needs_raw(value) or len(header) > _LONG_NAME for header, value in headers),
    )


def _request_id_requirement(value: str) -> str:
    return "request-id.echo-header" if len(value) <= REQUEST_ID_LENGTH and _is_visible(value) else "request-id.hostile"


def _is_visible(value: str) -> bool:
    return bool(value) and set(value) <= set(VISIBLE)


def _needs_raw(value: str) -> bool:
    """Whether a library would strip, re-encode or refuse the value (RFC 9110, section 5.5)."""
    return value != value.strip(string.whitespace) or not value.isascii() or _CONTROL.search(value) is not None
