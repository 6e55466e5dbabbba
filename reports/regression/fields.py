"""The fields of a JSON value as places, without anything that a value, an id or a time makes different in each run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

_DEPTH_LIMIT: Final = 24
_COUNT_LIMIT: Final = 2000
_GENERATED: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # a UUID
    r"|(?<![0-9A-Za-z])(?=[0-9A-Za-z]*\d)[0-9A-Z]{8,}(?![0-9A-Za-z])"  # an id such as a ULID, whatever prefix it has
    r"|(?<![0-9A-Za-z])(?=[0-9a-f]*\d)[0-9a-f]{8,}(?![0-9A-Za-z])"  # hexadecimal digits
    r"|\d{4,}",  # a time, a sum, a serial number
    re.ASCII,
)


def places(value: Any) -> frozenset[str]:
    """The places of all values inside a JSON value: ``/steps/*/actions``; of a huge one the first 2,000 visited."""
    pointers: set[str] = set()
    for place in _visited(value):
        pointers.add(place)
        if len(pointers) >= _COUNT_LIMIT:
            break
    return frozenset(pointers)


def _visited(value: Any) -> Iterator[str]:
    waiting = [("", 0, value)]
    while waiting:
        place, depth, current = waiting.pop()
        if place:
            yield place
        if depth >= _DEPTH_LIMIT:
            continue
        if isinstance(current, dict):
            waiting += [(f"{place}/{folded(name)}", depth + 1, inner) for name, inner in current.items()]
        elif isinstance(current, list):
            waiting += [(f"{place}/*", depth + 1, inner) for inner in current]


def folded(name: str) -> str:
    """A name with ``#`` for every part of it that looks made: ids, times, long numbers."""
    return _GENERATED.sub("#", name)


def parent(place: str) -> str:
    """The place of the object that a field belongs to."""
    return place.rpartition("/")[0]
