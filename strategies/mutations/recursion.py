"""Places that stand inside themselves, and how to write them any number of levels deep."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.mutations.pools import pool_of
from rules_harness.strategies.mutations.routes import Key, edited, reached, routes
from rules_harness.strategies.world import World


class Recursion(msgspec.Struct, frozen=True, eq=False):
    """A place that stands inside itself, in a plausible body.

    Attributes:
        name: What lies between the place and itself, as a pointer (``any/0``).
        before: The JSON text that opens one level.
        after: The JSON text that closes it.
        leaf: A plausible value of the place.
        listed: One level holds any number of the next.
    """

    name: str
    before: str
    after: str
    leaf: Any
    listed: bool
    _body: Any
    _keys: tuple[Key, ...]

    def body_with(self, value: Any) -> Any:
        """The body with `value` at the outermost of the places."""
        return edited(self._body, self._keys, lambda _outermost: value)

    def around(self, *inner: Any) -> Any:
        """One level with these values in it; of several a place that is no list takes the first."""
        members = inner if self.listed else inner[:1]
        text = self.before + ",".join(json.dumps(member) for member in members) + self.after
        return json.loads(text)


@functools.lru_cache(maxsize=16)
def recursions(contract: Contract, world: World) -> tuple[Recursion, ...]:
    """Every way in which a place of the contract's body stands inside itself."""
    return tuple(_recursions(contract, world))


def _recursions(contract: Contract, world: World) -> Iterator[Recursion]:
    pool = pool_of(contract, world)
    for route in routes(contract):
        if not route.recursive:
            continue
        body, keys = pool.donor(route, to_null=False)
        outermost = next(index for index, step in enumerate(route.steps) if step.place.path == route.place.path)
        names = [step.name for step in route.steps[outermost + 1 :]]
        yield Recursion(
            name="/".join("0" if name is None else name for name in names),
            before="".join("[" if name is None else f"{{{msgspec.json.encode(name).decode()}:" for name in names),
            after="".join("]" if name is None else "}" for name in reversed(names)),
            leaf=reached(body, keys),
            listed=names[-1] is None,
            _body=body,
            _keys=keys[:outermost],
        )
