"""Requests as bytes, with the keys put in; answers as records, with the keys taken out."""

from __future__ import annotations

import re
import zlib
from typing import Final

from rules_harness import __version__
from rules_harness.harness.exchange import Answer, Payload, Request
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.wire.connection import Fault, RawAnswer
from rules_harness.harness.wire.dialling import Route

_WITH_CONTENT: Final = frozenset({"PUT", "POST", "PATCH"})
_LINE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+")
_BREAK = re.compile(r"[\r\n\0]")


class Codec:
    """Writes and reads the messages of one target."""

    def __init__(self, profile: Profile, keyring: Keyring, route: Route, cleaner: Cleaner) -> None:
        self._keyring = keyring
        self._route = route
        self._cleaner = cleaner
        always = [(name, keyring.resolve(value)) for name, value in profile.target.headers]
        self._raw_headers = [("Host", route.host), *always, *route.headers]
        courtesies = [("Accept", "application/json"), ("User-Agent", f"rules-harness/{__version__}")]
        self._headers = [*self._raw_headers, *(pair for pair in courtesies if not _has(always, pair[0]))]

    def encode(self, request: Request) -> bytes:
        """The bytes of a request, its references resolved.

        The target and the headers go out as they stand. Host, the profile's headers and a length are added where they
        are missing; Accept and User-Agent too, but not to a ``raw`` request, which says ``Connection: close`` instead.

        Raises `ValueError` where a request that is not ``raw`` would not be HTTP, `KeyError` for a key there is not.
        """
        content = b"" if request.body is None else self._keyring.resolve_body(request.body.content)
        line = f"{request.method} {self._route.target_of(self._keyring.resolve_target(request.target))}"
        own = [(name, self._keyring.resolve(value)) for name, value in request.headers]
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
        """The answer without keys; raises `Fault` where its body is not what Content-Encoding says."""
        body, cut = _decoded(raw)
        body, leaks = self._cleaner.clean_answer(body)
        payload = Payload.of(body)
        if payload.text is None:
            payload = Payload.of(self._cleaner.clean_text(body))
        headers = raw.headers
        _, leaks_of_headers = self._cleaner.clean_answer(b"\n".join(b": ".join(pair) for pair in headers))
        clean = self._cleaner.clean_answer
        if leaks_of_headers:
            headers = tuple((clean(name)[0], clean(value)[0]) for name, value in headers)
        return Answer(
            status=raw.status,
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers),
            body=payload,
            leaks=tuple(dict.fromkeys(leaks + leaks_of_headers)),
            cut=cut,
        )

    def _wants_length(self, request: Request) -> bool:
        return request.body is not None or (not request.raw and request.method in _WITH_CONTENT)


def _has(headers: list[tuple[str, str]], name: str) -> bool:
    return any(key.lower() == name.lower() for key, _ in headers)


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
