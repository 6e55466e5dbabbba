"""In which line of its text a place of a document stands."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from rules_harness.openapi.document import pointer
from rules_harness.openapi.parsing import Loader


def lines_of(text: bytes, places: Iterable[str]) -> dict[str, int]:
    """For each JSON pointer its line, from 1; for what is not there, that of the nearest outer place that is.

    The text is one that `reading.values` takes.
    """
    starts = _starts(text)
    return {place: _nearest(starts, place) for place in places}


def _nearest(starts: dict[str, int], place: str) -> int:
    while place not in starts and place:
        place = place.rpartition("/")[0]
    return starts.get(place, 1)


def _starts(text: bytes) -> dict[str, int]:
    """The line in which each value, or its name, begins."""
    starts: dict[str, int] = {}
    path: list[list[str | int]] = [[""]]
    """Of each open collection its place, and the name or the number of what is next in it."""
    for event in yaml.parse(text, Loader=Loader):
        if not isinstance(event, yaml.ScalarEvent | yaml.AliasEvent | yaml.CollectionStartEvent):
            if isinstance(event, yaml.CollectionEndEvent):
                path.pop()
                _advance(path[-1])
            continue
        line = event.start_mark.line + 1 if event.start_mark else 1
        outer = path[-1]
        if len(outer) == 2 and outer[1] == "" and isinstance(event, yaml.ScalarEvent):
            outer[1] = place = f"{outer[0]}{pointer(event.value)}"
            starts[place] = line
            continue
        place = _place(outer)
        starts.setdefault(place, line)
        if isinstance(event, yaml.CollectionStartEvent):
            path.append([place, "" if isinstance(event, yaml.MappingStartEvent) else 0])
        else:
            _advance(outer)
    return starts


def _place(outer: list[str | int]) -> str:
    if len(outer) == 1:
        return ""
    return f"{outer[0]}/{outer[1]}" if isinstance(outer[1], int) else str(outer[1])


def _advance(outer: list[str | int]) -> None:
    if len(outer) == 2:
        outer[1] = outer[1] + 1 if isinstance(outer[1], int) else ""
