"""Requests as bytes, with the keys put in; answers as values."""

from __future__ import annotations

import json
import re
import zlib
from typing import Final
from urllib.parse import quote

from rules_harness import __version__
from rules_harness.harness.exchange import Answer, Payload, Request
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.wire.connection import Fault, RawAnswer
from rules_harness.harness.wire.dialling import Route

_WITH_CONTENT: Final = frozenset({"PUT", "POST", "PATCH"})
_LINE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+")
_BREAK = re.compile(r"[\r\n\0]")


class Codec:
    """Writes and reads the messages of one target."""

    def __init__(self, profile: Profile, keyring: Keyring, route: Route) -> None:
        self._keyring = keyring
        self._route = route
        always = [(name, keyring.value(value)) for name, value in profile.target.headers]
        self._raw_headers = [("Host", route.host), *always, *route.headers]
        courtesies = [("Accept", "application/json"), ("User-Agent", f"rules-harness/{__version__}")]
        self._headers = [*self._raw_headers, *(pair for pair in courtesies if not _has(always, pair[0]))]

    def encode(self, request: Request) -> bytes:
        """The bytes of a request, with the key that it refers to; nothing else in it is taken for a reference.

        The target and the headers go out as they stand. Host, the profile's headers and a length are added where they
        are missing; Accept and User-Agent too, but not to a ``raw`` request, which says ``Connection: close`` instead.

        Raises `ValueError` where a request that is not ``raw`` would not be HTTP, `KeyError` for a key there is not.
        """
        request = with_key(request, self._keyring)
        content = b"" if request.body is None else request.body.content
        line = f"{request.method} {self._route.target_of(request.target)}"
        own = request.headers
        given = {name.lower() for name, _ in own}
        headers = [
            pair for pair in (self._raw_headers if request.raw else self._headers) if pair[0].lower() not in given
        ]
        headers += own
        if self._wants_length(request) and not given & {"content-length", "transfer-encoding"}:
            headers.append(("Content-Length", str(len(content))))
        if request.raw and "connection" not in given:
            headers.append(("Connection", "close"))
        if not request.raw and (not _LINE.fullmatch(line) or any(_BREAK.search(name + value) for name, value in own)):
            raise ValueError(f"{request.method} {request.target!r} is not an HTTP request; only a raw one may be odd")
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return f"{line} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + content

    def decode(self, raw: RawAnswer) -> Answer:
        """The answer as it came; raises `Fault` where it is a proxy's, or its body is not what its head says."""
        self._route.check(raw.status)
        body, cut = _decoded(raw)
        return Answer(
            status=raw.status,
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw.headers),
            body=Payload.of(body),
            cut=cut,
        )

    def _wants_length(self, request: Request) -> bool:
        return request.body is not None or (not request.raw and request.method in _WITH_CONTENT)


def with_key(request: Request, keyring: Keyring) -> Request:
    """The request with the key that it refers to; raises like `Codec.encode`."""
    key = request.key
    if key is None:
        return request
    text = keyring.text(key)
    target, headers, body = request.target, request.headers, request.body
    match key.place:
        case "header":
            headers = ((key.name, text), *headers)
        case "cookie":
            headers = (("Cookie", f"{key.name}={text}"), *headers)
        case "query":
            target += f"{'&' if '?' in target else '?'}{key.name}={quote(text, safe='')}"
        case "field":
            body = Payload.of(_with_field(b"" if body is None else body.content, key.name, text))
    return Request(request.method, target, headers, body, request.raw)


def _has(headers: list[tuple[str, str]], name: str) -> bool:
    return any(key.lower() == name.lower() for key, _ in headers)


def _with_field(content: bytes, name: str, value: str) -> bytes:
    """A JSON object with one more property; raises `ValueError` for anything else."""
    head, brace, tail = content.rstrip().rpartition(b"}")
    if not brace or tail or not isinstance(fields := json.loads(content), dict):
        raise ValueError("a key can stand in no body but a JSON object")
    comma = b"," if fields else b""
    return head + comma + f"{json.dumps(name)}:{json.dumps(value)}".encode() + b"}"


def _decoded(raw: RawAnswer) -> tuple[bytes, bool]:
    """The body without the content coding that nobody asked for, and whether it is cut (RFC 9110, section 8.4.1)."""
    codings = [value.strip().lower() for name, value in raw.headers if name.lower() == b"content-encoding"]
    if not raw.body or codings not in ([b"gzip"], [b"x-gzip"], [b"deflate"]):
        return raw.body, raw.cut
    # The zlib format or, as some servers have it, bare deflate; gzip is recognised by itself.
    for window in (47, -15):
        decoder = zlib.decompressobj(window)
        try:
            body = decoder.decompress(raw.body, raw.room.body)
        except zlib.error:
            continue
        return body, raw.cut or bool(decoder.unconsumed_tail) or not decoder.eof
    raise Fault("malformed", f"the body is not {codings[0].decode('latin-1')}, as its Content-Encoding says")
