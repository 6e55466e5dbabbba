"""How large a document from somebody else may be and how deep its values may lie, before anything walks through it.

A few bytes can stand for a thousand levels, or, where aliases repeat what repeats others, for billions of values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MOST_BYTES: Final = 4 * 1024 * 1024
MOST_DEPTH: Final = 100
MOST_VALUES: Final = 100_000
"""Names included, and each as often as aliases repeat it; the packaged contract has 3,700."""

_TOO_DEEP: Final = f"is nested more than {MOST_DEPTH} deep"
_TOO_MANY: Final = f"has more than {MOST_VALUES:,} values"


class Unbounded(ValueError):
    """A document is too large, too deep or endless; the message is the rest of a sentence that begins with its name."""


def read(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a file. Raises `Unbounded` where there are more than ``most``, and OSError."""
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise Unbounded(f"is larger than {most // 1024:,} KiB")
    return content


def check(value: Any) -> None:
    """Raises `Unbounded` for a value, as JSON has them, that is too deep or of too many values."""
    level, seen = [value], 0
    for _ in range(MOST_DEPTH + 1):
        seen += len(level)
        if seen > MOST_VALUES:
            raise Unbounded(_TOO_MANY)
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise Unbounded(_TOO_DEEP)


class _Node:
    """A collection of YAML that is still open: how many values it has so far, and how many levels."""

    def __init__(self, anchor: str | None) -> None:
        self.anchor = anchor
        self.values = 1
        self.levels = 1

    def add(self, values: int, levels: int) -> None:
        self.values += values
        self.levels = max(self.levels, levels + 1)


def check_yaml(text: bytes) -> None:
    """Raises `Unbounded` for YAML whose values, aliases followed, are too deep, too many or endless.

    Raises `yaml.YAMLError` where it is not YAML. Its events are looked at one by one, and no value is made.
    """
    open_nodes = [_Node(None)]
    anchored: dict[str, _Node] = {}
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append(_Node(event.anchor))
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = open_nodes.pop()
            open_nodes[-1].add(closed.values, closed.levels)
            if closed.anchor is not None:
                anchored[closed.anchor] = closed
        elif isinstance(event, yaml.AliasEvent):
            if any(node.anchor == event.anchor for node in open_nodes):
                raise Unbounded(f"leads back to itself by the alias *{event.anchor}")
            repeated = anchored.get(event.anchor or "")
            open_nodes[-1].add(repeated.values if repeated else 1, repeated.levels if repeated else 0)
        elif isinstance(event, yaml.ScalarEvent):
            open_nodes[-1].add(1, 0)
        if len(open_nodes) + open_nodes[-1].levels > MOST_DEPTH + 2:
            raise Unbounded(_TOO_DEEP)
        if open_nodes[-1].values > MOST_VALUES:
            raise Unbounded(_TOO_MANY)
