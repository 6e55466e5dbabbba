"""What a document says that a back end wants beyond its schemas (`x-plausible`), checked word by word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rules_harness.openapi.document import nodes, pointer
from rules_harness.openapi.errors import ContractError

PLAUSIBLE: Final = "x-plausible"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_span(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_whole, value)) and 0 <= value[0] <= value[1]


_WORDS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "minimum": (_is_number, "a number"),
    "maximum": (_is_number, "a number"),
    "multipleOf": (lambda value: _is_number(value) and value > 0, "a number above 0"),
    "account": (lambda value: value in ("source", "destination", "any"), "source, destination or any"),
    "days-ahead": (_is_span, "the first and the last number of days, such as [20, 3650]"),
    "most-in-a-part": (lambda value: _is_whole(value) and value > 0, "a whole number above 0"),
    "one-of": (lambda value: isinstance(value, str), "a word that the other fields have too"),
    "present": (lambda value: isinstance(value, bool), "true or false"),
}
"""Each word with what may stand there."""


def check_plausible(document: Mapping[str, Any]) -> None:
    """Raises ContractError where a document says what nobody understands."""
    for place, node in nodes(document):
        wanted = node.get(PLAUSIBLE, {})
        where = place + pointer(PLAUSIBLE)
        if not isinstance(wanted, dict):
            raise ContractError(where, f"{wanted!r} is not a mapping", f"use {', '.join(_WORDS)}")
        for word, value in wanted.items():
            fits, meant = _WORDS.get(word, (None, ""))
            if fits is None:
                raise ContractError(where, f"{word!r} means nothing there", f"use {', '.join(_WORDS)}")
            if not fits(value):
                raise ContractError(where + pointer(word), f"{value!r} cannot stand there", f"write {meant}")
