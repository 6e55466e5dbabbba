"""Where a key stands in a request that somebody composes: by reference, so that no key is ever part of a text."""

from __future__ import annotations

from typing import Literal

import msgspec

KeyForm = Literal["", "truncated", "extended", "swapcase", "basic"]
"""How the key is deformed; ``basic`` is the user of basic authentication (RFC 7617)."""
KeyPlace = Literal["header", "query", "cookie", "field"]
"""``field`` is a property at the top level of a JSON body."""
UNKNOWN = "unknown"
"""In place of a credential: a key of the same form that is nobody's."""


class KeyReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """The key of a credential at one place of a request.

    ``name`` is what the header, query parameter, cookie or field is called, ``before`` the text in front of the key.
    """

    key: str
    name: str
    before: str = ""
    form: KeyForm = ""
    place: KeyPlace = "header"
