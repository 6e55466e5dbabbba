"""What is done at one place of a body, as data: the record, and what an edit may ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from rules_harness.strategies.places import Place
from rules_harness.strategies.world import World

Level = Literal["must", "should"]


class Scene(msgspec.Struct, frozen=True, eq=False):
    """What an edit may use beside the value that it replaces."""

    world: World
    sample: Callable[[Place], Any]
    """A plausible value of a place, the smallest at hand."""


Make = Callable[[Any, Scene], Any]
"""From the value at the place to what takes its place; `GONE` removes it, `msgspec.Raw` goes out byte for byte."""


class Edit(msgspec.Struct, frozen=True, eq=False):
    """One thing to do at a place.

    Attributes:
        keyword: The keyword of the schema that it is about; empty where it is about none.
        kind: The keyword and what was done, or a word of its own.
        detail: What was done, in words.
        make: Does it.
        requirement: The requirement that it exercises, if it is one.
        reading: The question that it asks, if it asks one.
        level: How firmly the contract says, for a documented place, that it is refused.
        claims: The result violates the schema.
        risky: An amount or a share beyond what the contract has, which a lax target might carry out.
        below: The property of the place that it is about, where the place is the object around it.
        on_null: It may be done where null stands.
    """

    keyword: str
    kind: str
    detail: str
    make: Make
    requirement: str | None = None
    reading: str | None = None
    level: Level = "must"
    claims: bool = True
    risky: bool = False
    below: str = ""
    on_null: bool = False


def put(value: Any) -> Make:
    """An edit's work that does not depend on what stood there."""
    return lambda _value, _scene: value
