"""The keys of a run, and what a reference to one becomes when a request leaves.

A key is in nothing that is recorded.  A request names it in its structure (`KeyReference`), a profile its other secrets
(`SecretReference`), and a `Keyring` puts the real ones in at the last moment; no text is ever searched for references.
`harness.target.cleaning` goes the other way.
"""

from __future__ import annotations

import base64
import functools
import random
import re
import string
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, NoReturn

import msgspec

from rules_harness.harness.target.credentials import NoKey
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


class _Ring:
    """The keys of a process as they are now, and every secret that there was."""

    def __init__(
        self, keys: Mapping[str, str], others: Mapping[str, str], sources: Mapping[str, Callable[[], str]]
    ) -> None:
        self.keys = dict(keys)
        self.known = {**keys, **others}
        self.pattern = next(iter(keys.values()), "")
        self._sources = sources
        self._lock = threading.Lock()

    def renew(self, name: str, refused: str) -> bool:
        """See `Keyring.renew`; of several who ask at one time, one reads."""
        if name not in self._sources:
            return False
        with self._lock:
            if self.keys[name] == refused:
                try:
                    self._put(name, self._sources[name]())
                except NoKey:
                    return False
            return self.keys[name] != refused

    def _put(self, name: str, key: str) -> None:
        if key not in self.known.values():
            number = sum(known.partition("#")[0] == name for known in self.known)
            # Whoever reads `known` meanwhile sees the old one whole.
            self.known = {**self.known, f"{name}#{number + 1}": key}
        self.keys[name] = key


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
        sources: Mapping[str, Callable[[], str]] | None = None,
    ) -> None:
        """``sources`` read a credential's key anew, and raise `NoKey`."""
        self._ring = _Ring(keys, others or {}, sources or {})
        self._seed = seed
        self.words = words

    @property
    def names(self) -> tuple[str, ...]:
        """The credentials that have a key."""
        return tuple(self._ring.keys)

    @property
    def generation(self) -> int:
        """Another number whenever there are other secrets."""
        return len(self._ring.known)

    def seeded(self, seed: int) -> Keyring:
        """The same keys, a new one included, with another made-up one."""
        seeded = Keyring({}, seed=seed, words=self.words)
        seeded._ring = self._ring
        return seeded

    def secrets(self) -> dict[str, str]:
        """Every secret that the run has had, by its name; for the cleaner alone.

        The first key of a credential has the credential's name, the next is called ``full#2``.
        """
        return dict(self._ring.known)

    def renew(self, name: str, refused: str) -> bool:
        """Whether a credential has another key than the one that was refused, which is found out at its source."""
        return self._ring.renew(name, refused)

    def applicable(self, reference: KeyReference) -> bool:
        """Whether there is such a key, and its form differs from it: digits have no other case."""
        if reference.key not in (UNKNOWN, *self._ring.keys):
            return False
        key = self._key(reference.key)
        return not reference.form or _FORMS[reference.form](key) not in ("", key)

    def text(self, reference: KeyReference) -> str:
        """What stands at the place of a reference; raises `KeyError`, naming the credential, where there is no key."""
        return reference.before + _FORMS[reference.form](self._key(reference.key))

    def value(self, value: str | SecretReference) -> str:
        """A value of the profile; raises `KeyError` for a secret that there is not."""
        return value if isinstance(value, str) else self._ring.known[value.secret]

    @functools.cached_property
    def _made_up(self) -> str:
        return _similar(self._ring.pattern, self._seed)

    def _key(self, name: str) -> str:
        return self._made_up if name == UNKNOWN else self._ring.keys[name]

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._ring.keys)})"

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
