"""What a document calls the thing that is updated, and the words of its own that stand in what is promised of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from rules_harness.openapi.document import Schema, follow, member
from rules_harness.openapi.errors import ContractError
from rules_harness.openapi.names import Names
from rules_harness.openapi.operations import Operation, operations, update_of

MARK: Final = "x-resource"
"""The extension that says what the thing is called, for a document whose path does not."""
_PLACE: Final = "/" + MARK
_WORD: Final = re.compile(r"\{([a-z][a-z -]*)\}")
_PLAIN: Final = re.compile(r"[^\W_][\w -]{0,59}")
"""What a noun may be: it stands in messages, and in the scripts that findings leave."""
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_ENDINGS: Final = (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("ss", "ss"), ("s", ""))
"""How a plural ends, and what stands there in the singular."""
_UNITS: Final = ((3_600, "hour"), (60, "minute"), (1, "second"))


class Noun(msgspec.Struct, frozen=True):
    """What people call the thing that is updated; as text, one of it."""

    singular: str
    plural: str

    def __str__(self) -> str:
        return self.singular

    @property
    def with_article(self) -> str:
        """One of them: ``a rule``, ``an account``."""
        return f"{'an' if self.singular[:1].lower() in set('aeiou') else 'a'} {self.singular}"


def noun_of(document: Mapping[str, Any]) -> Noun:
    """What the document says (`x-resource`), or else what the path of the update does. Raises ContractError."""
    if MARK in document:
        given = member(document, MARK, dict, "", remedy="name the resource: {singular: …, plural: …}")
        remedy = "write down what people call it"
        said = {name: member(given, name, str, _PLACE, remedy=remedy) for name in ("singular", "plural")}
        for name, word in said.items():
            if not _PLAIN.fullmatch(word):
                raise ContractError(f"{_PLACE}/{name}", "is not a word or a few", remedy)
        return Noun(**said)
    path = update_of(list(operations(document))).path
    segments = [segment for segment in path.rpartition("{")[0].split("/") if segment and "{" not in segment]
    plural = " ".join(part.lower() for part in _HUMP.split(segments[-1]) if part) if segments else "resources"
    singular = next((plural.removesuffix(end) + instead for end, instead in _ENDINGS if plural.endswith(end)), plural)
    return Noun(singular, plural)


def words_of(document: Mapping[str, Any], names: Names, noun: Noun, update: Operation, body: Schema) -> dict[str, str]:
    """What stands for a word in braces, by that word: the noun, every name by its role, and what the update has."""
    return {
        **dict(_named(names)),
        "resource": noun.singular,
        "resources": noun.plural,
        "a resource": noun.with_article,
        "path": update.path.rpartition("{")[0],
        "method": update.method,
        "scheme": names.auth_scheme,
        "window": _duration(names.key_window_seconds),
        "texts": ", ".join(names.texts),
        "required": ", ".join(follow(document, body).get("required", ())),
    }


def spoken(text: str, words: Mapping[str, str]) -> str:
    """A text with its words in braces replaced; what is none of them stays."""
    return _WORD.sub(lambda match: words.get(match[1], match[0]), text)


def _named(names: Names) -> Iterator[tuple[str, str]]:
    for field in names.__struct_fields__:
        value = getattr(names, field)
        if value is None:
            yield field.replace("_", "-"), field.replace("_", " ")
        elif isinstance(value, str):
            yield field.replace("_", "-"), value


def _duration(seconds: int) -> str:
    """In the largest unit of which it is a whole number: hours, minutes or seconds."""
    unit, name = next((unit, name) for unit, name in _UNITS if seconds % unit == 0)
    return f"{seconds // unit} {name}{'' if seconds == unit else 's'}"
