"""Plausible bodies at hand: to which a mutation is done, and from which the missing pieces come."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.accounts import NamedAccount, accounts_in, source_of
from rules_harness.strategies.covering import covering_set
from rules_harness.strategies.examples import inert
from rules_harness.strategies.mutations.edits import Scene
from rules_harness.strategies.mutations.routes import Key, PlaceRoute, completed, constant, edited, put_below, walk
from rules_harness.strategies.places import Place, body_place, visited
from rules_harness.strategies.world import Account, World

_EXAMPLE_NOW: Final = datetime(2030, 1, 1, tzinfo=UTC)


class BodyPool:
    """Plausible bodies of one world, and where in them each route leads."""

    def __init__(self, contract: Contract, world: World) -> None:
        self.contract = contract
        self.inert = inert(contract, world).value
        """What the other bodies are made of: one step with one action."""
        # Lanes ask from several threads, and a generator is advanced by one at a time.
        self._lock = threading.RLock()
        self._known: list[list[dict[str, Any]]] = []
        self._further = _candidates(contract, world)
        self._donors: dict[tuple[PlaceRoute, bool], tuple[Any, tuple[Key, ...]]] = {}
        self._samples: dict[int, Any] = {}
        self.scene = Scene(world, self._sample)

    def donor(self, route: PlaceRoute, *, to_null: bool) -> tuple[Any, tuple[Key, ...]]:
        """The simplest body in which the route can be walked to its end, and the keys that do it.

        It is the inert body, with the piece put in that it lacks.  A piece that no body at hand has is made of what
        other places of the same schema have; LookupError where none has.
        """
        key = (route, to_null)
        with self._lock:
            if key not in self._donors:
                body, keys = self._closest(route, to_null=to_null)
                for step in route.steps[len(keys) + 1 :]:
                    body = edited(body, keys, put_below(step.name, self._sample(step.goal)))
                    keys = (*keys, 0 if step.name is None else step.name)
                self._donors[key] = completed(route, self.inert, body, keys, to_null=to_null)
            return self._donors[key]

    def _closest(self, route: PlaceRoute, *, to_null: bool) -> tuple[Any, tuple[Key, ...]]:
        """The first body in which the route can be walked to its end; without one, that in which it leads furthest.

        Bodies of further worlds have other alternatives, no other properties: where one property lacks, none is made.
        """
        closest: tuple[Any, tuple[Key, ...]] | None = None
        for bodies in self._worlds():
            for body in bodies:
                keys = walk(route, body, to_null=to_null)
                if keys is not None and (closest is None or len(keys) > len(closest[1])):
                    closest = (body, keys)
                    if len(keys) == len(route.steps) - 1:
                        return closest
            if closest is not None and route.ends_at_a_property and len(closest[1]) == len(route.steps) - 2:
                return closest
        if closest is None:
            raise LookupError(f"no plausible body has the place {route.name}")
        return closest

    def _sample(self, place: Place) -> Any:
        """A plausible value of a place, or of another one of the same schema."""
        schema = id(place.keywords)
        with self._lock:
            if schema not in self._samples:
                for body in self._bodies():
                    for place_of_value, _, value in visited(body_place(self.contract), body):
                        if value is not None:
                            self._samples.setdefault(id(place_of_value.keywords), value)
                    if schema in self._samples:
                        break
                else:
                    raise LookupError(f"no plausible body has a value like that of {place.name}")
            return self._samples[schema]

    def _bodies(self) -> Iterator[dict[str, Any]]:
        """The candidates, made as far as they are asked for."""
        return itertools.chain.from_iterable(self._worlds())

    def _worlds(self) -> Iterator[list[dict[str, Any]]]:
        yield from self._known
        for bodies in self._further:
            self._known.append(bodies)
            yield bodies


@functools.lru_cache(maxsize=16)
def pool_of(contract: Contract, world: World) -> BodyPool:
    """The pool of a contract and a world, the same one each time."""
    return BodyPool(contract, world)


def _candidates(contract: Contract, world: World) -> Iterator[list[dict[str, Any]]]:
    """The inert body; the covering bodies, the smallest first; then those that the world has no accounts for.

    All of them move money from the account that the inert body takes it from, so that a piece of one suits another.
    """
    first = inert(contract, world).value
    own = source_of(contract, first)

    def covering(each: World) -> list[dict[str, Any]]:
        values = (_moved(contract, body.value, own) for body in covering_set(contract, each))
        return sorted(values, key=lambda value: len(msgspec.json.encode(value)))

    yield [first, *covering(world)]
    yield covering(_with_liabilities(world, own))
    yield covering(example_world(contract))


def _moved(contract: Contract, body: dict[str, Any], own: NamedAccount | None) -> dict[str, Any]:
    """The body with its source and the account `own` in each other's place."""
    other = source_of(contract, body)
    if own is None or other is None or other.id == own.id:
        return body
    swapped = {other.id: own, own.id: other}
    for account in accounts_in(contract, body):
        if account.id in swapped:
            body = edited(body, account.id_at, constant(swapped[account.id].id))
            if account.type_at:
                body = edited(body, account.type_at, constant(swapped[account.id].type))
    return body


def _with_liabilities(world: World, own: NamedAccount | None) -> World:
    """The world with every account but `own` as a liability.

    A payment to an account that is none is not plausible, but one to an account that nobody has is refused for that.
    """
    accounts = (
        msgspec.structs.replace(account, liability=own is not None and account.id != own.id)
        for account in world.accounts
    )
    return msgspec.structs.replace(world, accounts=tuple(accounts))


@functools.lru_cache(maxsize=16)
def example_world(contract: Contract) -> World:
    """The accounts of the page's example, and a liability beside them."""
    accounts: list[Account] = []
    for named in accounts_in(contract, contract.example_body()):
        account = Account(id=named.id, type=named.type)
        if named.type_at and account not in accounts:
            accounts.append(account)
    debts = [
        msgspec.structs.replace(account, id=f"{account.id}-liability", liability=True) for account in accounts[1:2]
    ]
    return World(accounts=(*accounts, *debts), now=_EXAMPLE_NOW)
