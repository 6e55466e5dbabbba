"""The record of a body, and the page's example as a body for a world."""

from __future__ import annotations

import copy
import functools
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies import text
from rules_harness.strategies.contents import contents_of
from rules_harness.strategies.folding import same
from rules_harness.strategies.money import as_written, in_cents
from rules_harness.strategies.places import Pointer, below, body_place, visited
from rules_harness.strategies.plausible import account_types, sources
from rules_harness.strategies.scalars import instant_text
from rules_harness.strategies.world import Account, World

Acceptance = Literal["must", "should", "open"]

INERT_START: Final = timedelta(days=400)
"""How far ahead a body that is to move nothing soon begins."""


class Body(msgspec.Struct, frozen=True):
    """A body to send, and what of the contract it uses. Bodies are shared: whoever changes a value takes a copy."""

    value: dict[str, Any]
    shapes: frozenset[str]
    """The choices that it contains, as `strategies.contents` names them."""
    acceptance: Acceptance
    """`must`: the page's example with nickname, description, amount and date varied; `should`: any other plausible
    body; `open`: one that asks one of `open_features`."""
    open_features: tuple[str, ...] = ()
    """Kinds of reading.empty (`empty-steps`, `empty-actions`, `empty-any`, `empty-all`, `zero-amount`, `empty-text`,
    `blank-text`, `untrimmed-text`, `nul-text`, `percentage-digits`), and `absent-conditions`, `zero-percentage`,
    `exotic-text`, `date-time-fraction`, `date-time-offset`, `date-time-form` (any other one)."""


class _Example(msgspec.Struct, frozen=True):
    value: dict[str, Any]
    free: frozenset[Pointer]
    """Where amounts and dates stand."""
    genuine: bool
    """Whether the accounts are of the types that the page shows."""


def body_of(contract: Contract, world: World, value: dict[str, Any]) -> Body:
    """The record of a body that satisfies the contract's schema."""
    contents = contents_of(contract, world, value)
    if contents.open_features:
        return Body(value, contents.shapes, "open", contents.open_features)
    return Body(value, contents.shapes, "must" if _is_example(contract, world, value) else "should")


def example(contract: Contract, world: World) -> Body:
    """The page's example, disabled, with accounts of this world, an amount within its cap and a start date ahead."""
    return body_of(contract, world, copy.deepcopy(_example(contract, world).value))


@functools.lru_cache(maxsize=64)
def inert(contract: Contract, world: World) -> Body:
    """The example, starting more than a year ahead, for one cent: what does the least should anything execute it."""
    value = example(contract, world).value
    for role, replacement in (("start-date", instant_text(_start(world, INERT_START))), ("amount", 1)):
        value = with_role(contract, value, role, replacement)
    return body_of(contract, world, value)


def with_role(contract: Contract, value: dict[str, Any], role: str, replacement: Any) -> dict[str, Any]:
    """A copy of a body in which `replacement` stands at every place of this role that the body has."""
    changed = copy.deepcopy(value)
    for place, pointer, _ in list(visited(body_place(contract), value)):
        if place.offers(role) and place.path == place.name:
            put(changed, pointer, as_written(place, replacement) if role == "amount" else copy.deepcopy(replacement))
    return changed


def starting_later(contract: Contract, value: dict[str, Any], minutes: int) -> dict[str, Any]:
    """A copy of a body that starts so much later, if it has a start date."""
    for place, _, start in visited(body_place(contract), value):
        if place.offers("start-date") and isinstance(start, str):
            later = datetime.fromisoformat(start) + timedelta(minutes=minutes)
            return with_role(contract, value, "start-date", instant_text(later))
    return copy.deepcopy(value)


def put(value: Any, pointer: Pointer, replacement: Any) -> None:
    """Sets what stands in `value` below these names."""
    at(value, pointer[:-1])[pointer[-1]] = replacement


def at(value: Any, pointer: Pointer) -> Any:
    """What stands in `value` below these names."""
    return functools.reduce(lambda inner, name: inner[name], pointer, value)


def _start(world: World, after: timedelta) -> Any:
    return (world.now + after).replace(microsecond=0)


@functools.lru_cache(maxsize=64)
def _example(contract: Contract, world: World) -> _Example:
    types = account_types(contract)
    source = sources(contract, world)[0]
    reached = [account for account in world.accounts if account.type in types.destinations and account.id != source.id]
    destination = min(
        reached or [source], key=lambda account: (account.type != types.example_destination, account.liability)
    )
    value = contract.example_body()
    value[contract.names.status] = contract.names.disabled
    value = with_role(contract, value, "start-date", instant_text(_start(world, timedelta(days=30))))
    value = with_role(contract, value, "trigger-account", source.id)
    for side, account in (("source", source), ("destination", destination)):
        value = with_role(contract, value, side, _reference(contract, account))
    free = {
        pointer: (place, inner)
        for place, pointer, inner in visited(body_place(contract), value)
        if place.roles & {"amount", "start-date"}
    }
    for pointer, (place, inner) in free.items():
        if place.offers("amount"):
            put(value, pointer, as_written(place, min(in_cents(inner) or 1, world.max_amount_in_cents)))
    genuine = not source.id or (source.type, destination.type) == (types.example_source, types.example_destination)
    return _Example(value, frozenset(free), genuine)


def _reference(contract: Contract, account: Account) -> dict[str, Any]:
    place = next((place for place in below(body_place(contract)) if place.offers("account-ref")), None)
    if place is None:
        return {}
    names = {role: name for name, child in place.properties.items() for role in child.roles}
    return {names["account-ref-id"]: account.id, names["account-ref-type"]: account.type}


def _is_example(contract: Contract, world: World, value: dict[str, Any]) -> bool:
    """Whether only nickname, description, amount and date tell the body from the example, the texts being plain."""
    model = _example(contract, world)
    texts = contract.names.texts
    if not model.genuine or not all(value.get(name) is None or text.is_plain(value[name]) for name in texts):
        return False
    rest = {name: inner for name, inner in value.items() if name not in texts}
    return _differs_only(
        rest, {name: inner for name, inner in model.value.items() if name not in texts}, model.free, ()
    )


def _differs_only(value: Any, model: Any, free: frozenset[Pointer], pointer: Pointer) -> bool:
    """Whether two JSON values are equal but for what stands at the `free` pointers."""
    if pointer in free:
        return True
    if isinstance(value, dict) and isinstance(model, dict):
        return value.keys() == model.keys() and all(
            _differs_only(value[name], model[name], free, (*pointer, name)) for name in model
        )
    if isinstance(value, list) and isinstance(model, list):
        return len(value) == len(model) and all(
            _differs_only(*pair, free, (*pointer, index)) for index, pair in enumerate(zip(value, model, strict=True))
        )
    return same(value, model)
