"""Where in a body a mutation is done: in the first member of its lists or behind rightful ones, and how deep."""

from __future__ import annotations

import functools
import itertools
from typing import Any, Final

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.design import Factor, Row
from rules_harness.strategies.factors import DEPTH, LATER_MEMBER, LATER_PART, MEMBER
from rules_harness.strategies.mutations.pools import BodyPool
from rules_harness.strategies.mutations.routes import Key, PlaceRoute, edited, reached, routes

NOWHERE_ELSE: Final[Row] = {}


def movable(contract: Contract, route: PlaceRoute) -> list[Factor]:
    """The factors by which what is done at the end of a route can be moved."""
    factors = []
    if _is_in_members(route):
        factors.append(MEMBER)
    if _tree_at(route) is not None and _levels(contract):
        factors.append(DEPTH)
    return factors


def moved(
    pool: BodyPool, route: PlaceRoute, body: Any, keys: tuple[Key, ...], setting: Row
) -> tuple[Any, tuple[Key, ...]]:
    """The body with rightful members before those that the route leads through, or with more levels around, and the
    keys that lead on."""
    tree = _tree_at(route)
    if tree is not None:
        around = itertools.cycle(_levels(pool.contract))
        for name in itertools.islice(around, int(setting.get(DEPTH.name, "1")) - 1):
            body, keys = _deeper(body, keys, tree, name)
    if setting.get(MEMBER.name) == LATER_MEMBER:
        return _behind(pool, body, keys, 3)
    if setting.get(MEMBER.name) == LATER_PART:
        return _behind(pool, body, keys, 1)
    return body, keys


def _is_in_members(route: PlaceRoute) -> bool:
    """Whether a route leads through a member of a list within a member of a list."""
    lists = [step.name is None for step in route.steps]
    return lists[2:3] == [True] and lists[4:5] == [True]


def _behind(pool: BodyPool, body: Any, keys: tuple[Key, ...], index: int) -> tuple[Any, tuple[Key, ...]]:
    """The list of which the key at `index` names a member, with the rightful members of the inert body before it."""
    rightful = reached(pool.inert, (keys[0], 0, *keys[2:index]) if index > 1 else keys[:1])
    member = keys[index]
    assert isinstance(member, int)
    around = edited(body, keys[:index], lambda members: [*rightful, *members])
    return around, (*keys[:index], member + len(rightful), *keys[index + 1 :])


def _tree_at(route: PlaceRoute) -> int | None:
    """How many keys lead to the tree of conditions that a route goes through, if it goes further."""
    depth = next((depth for depth, step in enumerate(route.steps) if step.place.offers("conditions")), None)
    return depth if depth is not None and depth < len(route.steps) - 1 else None


def _deeper(body: Any, keys: tuple[Key, ...], tree: int, name: str) -> tuple[Any, tuple[Key, ...]]:
    return edited(body, keys[:tree], lambda inner: {name: [inner]}), (*keys[:tree], name, 0, *keys[tree:])


@functools.lru_cache(maxsize=16)
def _levels(contract: Contract) -> tuple[str, ...]:
    """The names of the lists of trees that a tree of conditions may be."""
    lists = (route for route in routes(contract) if route.recursive and route.steps[-1].name is None)
    return tuple(dict.fromkeys(route.steps[-2].name or "" for route in lists if _tree_at(route) is not None))
