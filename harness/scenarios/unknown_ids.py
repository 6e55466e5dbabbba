"""Ids that look like a target's own and are not rules there."""

from __future__ import annotations

import random
import re
import string
import uuid

LONG_ENOUGH = 10
"""Random characters after which nobody meets an id that exists."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def similar_id(like: str, chance: random.Random) -> str:
    """A random id of the form of ``like``: a UUID for a UUID, digits for digits, the same prefix and alphabet else.

    A target that checks the form of an id before it looks it up must find nothing wrong with this one.
    """
    if _UUID.fullmatch(like):
        made = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        return made.upper() if like.upper() == like else made
    if like.isdecimal():
        return "9" + "".join(chance.choice(string.digits) for _ in range(max(len(like), LONG_ENOUGH) - 1))
    prefix, separator, tail = _split(like)
    if len(tail) < LONG_ENOUGH:
        return prefix + separator + "".join(chance.choice(_CROCKFORD) for _ in range(16))
    return prefix + separator + "".join(chance.choice(_alphabet(tail)) for _ in tail)


def _split(like: str) -> tuple[str, str, str]:
    cut = max(like.rfind("_"), like.rfind("-"), like.rfind("."), like.rfind(":"))
    return like[:cut] if cut >= 0 else "", like[cut : cut + 1] if cut >= 0 else "", like[cut + 1 :]


def _alphabet(tail: str) -> str:
    """The characters that an id is made of, as far as one example shows."""
    if re.fullmatch(r"[0-9a-f]+", tail):
        return string.hexdigits[:16]
    if re.fullmatch(r"[0-9A-Z]+", tail):
        return _CROCKFORD
    if re.fullmatch(r"[0-9a-z]+", tail):
        return string.digits + string.ascii_lowercase
    return string.digits + string.ascii_letters
