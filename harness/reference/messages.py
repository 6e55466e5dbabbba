"""What comes in and what goes out: plain records, no sockets."""

from collections.abc import Mapping
from typing import Any, Self

import msgspec

Json = Any
"""A parsed JSON value."""


class Incoming(msgspec.Struct, frozen=True):
    """One request as it came over the wire; header names in lower case, the path still percent-encoded."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def all(self, name: bytes) -> list[bytes]:
        """Every value sent under a header name (lower case), in order."""
        return [value for key, value in self.headers if key == name]

    def first(self, name: bytes) -> bytes | None:
        """The first value sent under a header name, or None."""
        return next((value for key, value in self.headers if key == name), None)


class Reply(msgspec.Struct, frozen=True):
    """One answer before it is written out: `data` for a success, `error` for a refusal."""

    status: int
    data: Json = None
    error: Mapping[str, Json] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    request_id: str | None = None
    """The id of the request that this answer was first made for, where it is a replay that keeps it."""
    instead: tuple[str, bytes] | None = None
    """Media type and bytes of a body that is not the envelope."""

    def having(self, **changes: Any) -> Self:
        """The same reply with other values."""
        return msgspec.structs.replace(self, **changes)


class Written(msgspec.Struct, frozen=True):
    """One answer as it goes over the wire."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Refused(Exception):
    """A request that is not carried out, with the reply that says so."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class Crashed(Exception):
    """The server's own code has failed."""
