"""The keys of a run, and what a reference to one becomes when a request leaves.

A key is in nothing that is recorded.  A request names it in its structure (`KeyReference`), a profile its other secrets
(`SecretReference`), and a `Keyring` puts the real ones in at the last moment; no text is ever searched for references.
`harness.target.cleaning` goes the other way.
"""

from __future__ import annotations

import base64
import random
import re
import string
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, NoReturn

import msgspec

from rules_harness.harness.target.profile import Profile, SecretReference
from rules_harness.strategies.keys import UNKNOWN, KeyForm, KeyReference

_ENOUGH_TO_REPLACE: Final = 12


def extension(key: str) -> str:
    """The character that makes an extended key of this one."""
    return "1" if key.endswith("0") else "0"


_FORMS: Final[Mapping[KeyForm, Callable[[str], str]]] = {
    "": str,
    "truncated": lambda key: key[:-1],
    "extended": lambda key: key + extension(key),
    "swapcase": str.swapcase,
    "basic": lambda key: base64.b64encode(f"{key}:".encode()).decode("ascii"),
}


class Keyring:
    """The keys of a run by credential, and the other secrets of the profile by name; all of them ASCII.

    ``words`` are the texts that stand in the ordinary traffic of this target, such as names of its API and ids: a
    secret that is one of them cannot be told from it.
    """

    def __init__(
        self,
        keys: Mapping[str, str],
        others: Mapping[str, str] | None = None,
        *,
        seed: int = 1,
        words: Collection[str] = frozenset(),
    ) -> None:
        self._keys = dict(keys)
        self._others = dict(others or {})
        self._made_up = _similar(next(iter(keys.values()), ""), seed)
        self.words = words

    @property
    def names(self) -> tuple[str, ...]:
        """The credentials that have a key."""
        return tuple(self._keys)

    def seeded(self, seed: int) -> Keyring:
        """The same keys with another made-up one."""
        return Keyring(self._keys, self._others, seed=seed, words=self.words)

    def secrets(self) -> dict[str, str]:
        """Every secret by its name, keys by that of their credential; for the cleaner alone."""
        return self._keys | self._others

    def applicable(self, reference: KeyReference) -> bool:
        """Whether there is such a key, and its form differs from it: digits have no other case."""
        if reference.key not in (UNKNOWN, *self._keys):
            return False
        key = self._key(reference.key)
        return not reference.form or _FORMS[reference.form](key) not in ("", key)

    def text(self, reference: KeyReference) -> str:
        """What stands at the place of a reference; raises `KeyError`, naming the credential, where there is no key."""
        return reference.before + _FORMS[reference.form](self._key(reference.key))

    def value(self, value: str | SecretReference) -> str:
        """A value of the profile; raises `KeyError` for a secret that there is not."""
        return value if isinstance(value, str) else self._others[value.secret]

    def _key(self, name: str) -> str:
        return self._made_up if name == UNKNOWN else self._keys[name]

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Keyring stays in the process that read it")


def ordinary_words(document: Mapping[str, Any], profile: Profile) -> frozenset[str]:
    """The words of a contract's document and of a profile, in lower case: they stand in a target's usual traffic."""
    texts = [text.lower() for text in _texts([document, msgspec.to_builtins(profile)])]
    return frozenset(word for text in texts for word in (text, *re.findall(r"[\w-]+", text)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


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
