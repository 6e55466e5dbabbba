"""The text of a document as values: YAML as OpenAPI means it, or JSON, bounded and in one pass.

Large documents are ordinary here, and PyYAML's own way, by nodes and constructors, takes seconds for them.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any, Final, Never

import msgspec
import yaml

from rules_harness.openapi.bounds import MOST_DEPTH, MOST_VALUES, TOO_DEEP, TOO_MANY, Unbounded, check
from rules_harness.openapi.errors import ContractError

Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The faster one is missing from a PyYAML that was built without libyaml."""

_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}
_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")
"""What is not text without quotes: YAML 1.2's JSON schema, as OpenAPI recommends; `~` and nothing at all are null."""

_TAG: Final = "tag:yaml.org,2002:"
_DEFINE: Final = "define it before it is used, or write the value out"


def values(text: bytes) -> Any:
    """What a text says, in what JSON has: names are texts, and no name stands twice in one mapping.

    Raises `Unbounded` where it is too deep, too much or endless, `ContractError` where it says what JSON cannot, and
    `yaml.YAMLError` or ValueError where it is not YAML.
    """
    if text.lstrip().startswith(b"{"):
        try:
            value = _json(text)
        except (ValueError, RecursionError):
            pass  # read as YAML it is said in which line
        else:
            check(value)
            return value
    return _Builder().read(text)


def _json(text: bytes) -> Any:
    """The value of a JSON text. Raises ValueError, of a name that stands twice too, and RecursionError."""
    msgspec.json.decode(text)  # stricter than what follows: UTF-8, no NaN, no half of a surrogate pair
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError("a name stands twice")
    return mapping


class _Open:
    """A collection whose end has not been read: what it has so far, with aliases followed, and how deep that is."""

    def __init__(self, value: Any, anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.values = 1
        self.levels = 1
        self.name: str | None = None
        """Of a mapping, the name whose value is next."""


class _Builder:
    """Puts a value together from the events of a parser."""

    def __init__(self) -> None:
        self._open = [_Open([], None)]
        self._anchored: dict[str, _Open] = {}

    def read(self, text: bytes) -> Any:
        documents = 0
        for event in yaml.parse(text, Loader=Loader):
            match event:
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._begin(event)
                case yaml.CollectionEndEvent():
                    self._end(event)
                case yaml.AliasEvent():
                    self._repeat(event)
                case yaml.DocumentStartEvent():
                    documents += 1
            if documents > 1:
                _refuse(event, "a second document begins", "keep one of them")
        return self._open[0].value[0] if self._open[0].value else None

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        outer = self._open[-1]
        if isinstance(outer.value, dict) and outer.name is None:
            if event.value in outer.value:
                _refuse(event, f"the name {event.value!r} stands here a second time", "keep one of the two")
            outer.name = event.value
            outer.values += 1
            return
        value = _scalar(event)
        if event.anchor is not None:
            self._anchored[event.anchor] = anchored = _Open(value, event.anchor)
            anchored.levels = 0
        self._add(value, 1, 0)

    def _begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        outer = self._open[-1]
        if isinstance(outer.value, dict) and outer.name is None:
            _refuse(event, "a name that is not text", "give the entry a plain name")
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        if event.tag not in (None, "!", _TAG + kind):
            _refuse(event, f"the tag {event.tag} means nothing in OpenAPI", "leave the tag out")
        if len(self._open) > MOST_DEPTH:
            raise Unbounded(TOO_DEEP)
        self._open.append(_Open({} if kind == "map" else [], event.anchor))

    def _end(self, event: yaml.Event) -> None:
        closed = self._open.pop()
        if closed.anchor is not None:
            self._anchored[closed.anchor] = closed
        self._add(closed.value, closed.values, closed.levels)

    def _repeat(self, event: yaml.AliasEvent) -> None:
        outer = self._open[-1]
        if any(node.anchor == event.anchor for node in self._open):
            raise Unbounded(f"leads back to itself by the alias *{event.anchor}")
        repeated = self._anchored.get(event.anchor or "")
        if repeated is None:
            _refuse(event, f"the alias *{event.anchor} stands for nothing", _DEFINE)
        if isinstance(outer.value, dict) and outer.name is None:
            _refuse(event, "a name that is an alias", "give the entry a plain name")
        self._check(repeated.values, repeated.levels)
        self._add(copy.deepcopy(repeated.value), repeated.values, repeated.levels)  # whoever edits one, edits one

    def _add(self, value: Any, values: int, levels: int) -> None:
        outer = self._open[-1]
        if isinstance(outer.value, dict):
            outer.value[outer.name] = value
            outer.name = None
        else:
            outer.value.append(value)
        self._check(values, levels)
        outer.values += values
        outer.levels = max(outer.levels, levels + 1)

    def _check(self, values: int, levels: int) -> None:
        if len(self._open) + levels > MOST_DEPTH + 1:
            raise Unbounded(TOO_DEEP)
        if self._open[-1].values + values > MOST_VALUES:
            raise Unbounded(TOO_MANY)


def _scalar(event: yaml.ScalarEvent) -> Any:
    text: str = event.value
    if event.tag not in (None, "!"):
        if event.tag != _TAG + "str":
            _refuse(event, f"the tag {event.tag} means nothing in OpenAPI", "leave the tag out")
        return text
    if not event.implicit[0]:  # between quotes, or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-0123456789":
        if _WHOLE.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            return float(text)
    return text


def _refuse(event: yaml.Event, problem: str, remedy: str) -> Never:
    place = f"line {event.start_mark.line + 1}" if event.start_mark else ""
    raise ContractError(place, problem, remedy)
