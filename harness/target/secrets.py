"""Keys by reference: the text that stands for them, and how a real one that comes back is turned into it again.

A key is in nothing that is recorded.  A request names it by a reference, ``{key:full}``, and `Keyring.resolve` puts the
real one in when the request leaves.  Any credential of the profile may stand there, or ``unknown``, a made-up key of
the same form; how it is deformed may follow: ``{key:full|truncated}``.  `harness.target.cleaning` goes the other way.
"""

from __future__ import annotations

import base64
import random
import re
import string
from collections.abc import Callable, Mapping
from typing import Final, NoReturn
from urllib.parse import quote

UNKNOWN: Final = "unknown"
_REFERENCE = re.compile(r"\{key:([^{}|]+)(?:\|([a-z]+))?\}")
_CREDENTIAL = re.compile(r"\{key:([^{}|]+)\}")
_ENOUGH_TO_REPLACE: Final = 12


def extension(key: str) -> str:
    """The character that makes an extended key of this one."""
    return "1" if key.endswith("0") else "0"


_FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "truncated": lambda key: key[:-1],
    "extended": lambda key: key + extension(key),
    "swapcase": str.swapcase,
    "basic": lambda key: base64.b64encode(f"{key}:".encode()).decode("ascii"),
}
FORMS: Final = tuple(_FORMS)


class Keyring:
    """The keys of a run by credential, and the other secrets of the profile by reference; all of them ASCII."""

    def __init__(self, keys: Mapping[str, str], others: Mapping[str, str] | None = None, *, seed: int = 1) -> None:
        self._keys = dict(keys)
        self._others = dict(others or {})
        self._made_up = _similar(next(iter(keys.values()), ""), seed)

    @property
    def names(self) -> tuple[str, ...]:
        """The credentials that have a key."""
        return tuple(self._keys)

    def seeded(self, seed: int) -> Keyring:
        """The same keys with another made-up one."""
        return Keyring(self._keys, self._others, seed=seed)

    def secrets(self) -> dict[str, str]:
        """Every secret by the reference that stands for it; for the cleaner alone."""
        return {f"{{key:{name}}}": key for name, key in self._keys.items()} | self._others

    def applicable(self, text: str) -> bool:
        """Whether every reference in the text has a key, and a form that differs from it: digits have no other case."""
        return all(self._differs(match[1], match[2]) for match in _REFERENCE.finditer(text))

    def _differs(self, name: str, form: str | None) -> bool:
        if name not in (UNKNOWN, *self._keys) or form not in (None, *_FORMS):
            return False
        key = self._key(name)
        return form is None or _FORMS[form](key) not in ("", key)

    def resolve(self, text: str, *, escape: Callable[[str], str] = str) -> str:
        """The text with every reference replaced by what ``escape`` makes of its secret.

        Raises `KeyError`, naming the credential or the form, where there is none.
        """
        if "{" not in text:
            return text
        for reference, secret in self._others.items():
            text = text.replace(reference, escape(secret))
        return _REFERENCE.sub(lambda match: escape(self._replacement(match)), text)

    def resolve_target(self, text: str) -> str:
        """A request target with its references replaced, percent-encoded (RFC 3986, section 2.1)."""
        return self.resolve(text, escape=lambda secret: quote(secret, safe=""))

    def resolve_body(self, body: bytes) -> bytes:
        """A body with its references replaced; keys hold nothing that JSON would have to escape."""
        if b"{key:" not in body:
            return body
        return self.resolve(body.decode("latin-1")).encode("latin-1")

    def _replacement(self, match: re.Match[str]) -> str:
        key = self._key(match[1])
        return key if match[2] is None else _FORMS[match[2]](key)

    def _key(self, name: str) -> str:
        return self._made_up if name == UNKNOWN else self._keys[name]

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Keyring stays in the process that read it")


def credential_of(reference: str) -> str | None:
    """The credential whose key this reference stands for; ``None`` for another secret."""
    match = _CREDENTIAL.fullmatch(reference)
    return match[1] if match else None


def _similar(key: str, seed: int) -> str:
    """A key of the same form that is nobody's: what follows the prefix of its kind is drawn anew."""
    drawn = random.Random(f"{seed}")
    prefix, separator, rest = key.rpartition("_")
    if sum(map(str.isalnum, rest)) < _ENOUGH_TO_REPLACE:
        prefix, separator, rest = "", "", key + "a0" * _ENOUGH_TO_REPLACE

    def other(character: str) -> str:
        for alphabet in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
            if character in alphabet:
                return drawn.choice(alphabet)
        return character

    return prefix + separator + "".join(map(other, rest))
