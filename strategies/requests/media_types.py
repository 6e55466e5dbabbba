"""Bodies under another content type than JSON's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlencode

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.examples import inert
from rules_harness.strategies.requests.wire import JSON_MEDIA_TYPE, Expect, OddRequest, encoded
from rules_harness.strategies.world import World

_HEADER: Final = "Content-Type"
_BOUNDARY: Final = "harness-boundary"

_OTHERS: Final = (
    "text/plain",
    "text/plain; charset=utf-8",
    "text/html",
    "text/csv",
    "application/xml",
    "application/yaml",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    f"multipart/form-data; boundary={_BOUNDARY}",
    "application/x-ndjson",
    "application/cbor",
    "image/png",
)
"""Types that are not JSON's, nor a name under which JSON is known."""

_OPEN: Final = (
    f"{JSON_MEDIA_TYPE}; charset=utf-8",
    f"{JSON_MEDIA_TYPE}; charset=UTF-8",
    f"{JSON_MEDIA_TYPE};charset=utf-16",
    f"{JSON_MEDIA_TYPE}; charset=iso-8859-1",
    f"{JSON_MEDIA_TYPE}; charset=no-such-charset",
    f"{JSON_MEDIA_TYPE}; profile=harness",
    f"{JSON_MEDIA_TYPE};",
    "Application/JSON",
    "text/json",
    "application/x-json",
    "application/vnd.api+json",
    "application/problem+json",
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/*",
    "*/*",
    "application",
    "json",
    "",
)
"""Names of JSON, suffixed types and malformed values: the contract says nothing of them, so either answer conforms."""


def media_types(contract: Contract, world: World) -> tuple[OddRequest, ...]:
    """Content types beside `application/json` (`validation.media-type`).

    Under another type a body that would be accepted as JSON is refused, and so is one that is well-formed in that type.
    """
    text = encoded(inert(contract, world).value)
    return (
        *(_odd(f"json-as-{value}", value, text, "refused") for value in _OTHERS),
        *_in_their_own_syntax(contract, text),
        *(_odd(f"json-as-{value or 'empty'}", value, text, "success-or-4xx") for value in _OPEN),
        OddRequest(
            name="media-type:json-as-missing",
            requirement="validation.media-type",
            expect="success-or-4xx",
            detail="no content type",
            without=(_HEADER,),
            body=text.encode(),
            raw=True,
        ),
    )


def _in_their_own_syntax(contract: Contract, text: str) -> Iterator[OddRequest]:
    names = contract.names
    form = urlencode({names.marker: "harness", names.status: names.disabled, "body": text})
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="body"\r\nContent-Type: {JSON_MEDIA_TYPE}\r\n\r\n'
    xml = f"<body><{names.status}>{names.disabled}</{names.status}></body>"
    yield _odd("form", "application/x-www-form-urlencoded", form, "refused")
    yield _odd(
        "multipart", f"multipart/form-data; boundary={_BOUNDARY}", f"{head}{text}\r\n--{_BOUNDARY}--\r\n", "refused"
    )
    yield _odd("multipart-without-boundary", "multipart/form-data", text, "refused")
    yield _odd("xml", "application/xml", xml, "refused")
    yield _odd("text", "text/plain", "harness", "refused")


def _odd(name: str, value: str, text: str, expect: Expect) -> OddRequest:
    return OddRequest(
        name=f"media-type:{name}",
        requirement="validation.media-type",
        expect=expect,
        detail=f"content type {value!r}",
        headers=((_HEADER, value),),
        body=text.encode(),
    )
