"""What is pinned in a body that somebody else generated, and what is found out about it."""

from __future__ import annotations

from typing import Any, Final

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.accounts import accounts_in
from rules_harness.strategies.examples import inert
from rules_harness.strategies.mutations.routes import constant, edited
from rules_harness.strategies.places import Place, body_place, fields_with
from rules_harness.strategies.world import World

_CHOICES: Final = ("oneOf", "anyOf")


class Pins:
    """Makes generated bodies of one contract and world safe, and plausible where they can be."""

    def __init__(self, contract: Contract, world: World) -> None:
        self._names = contract.names
        self._contract = contract
        self._known = {account.id for account in world.accounts}
        self._inert = inert(contract, world).value
        self._own = {account.side: account.id for account in accounts_in(contract, self._inert)}

    def body(self, value: Any, example: Any) -> Any:
        """A copy that is this world's inert body where it is the example that it was made from, does not say the
        enabled state, and names accounts of the inert body in place of unknown ones."""
        value = _transposed(value, example, self._inert)
        if not isinstance(value, dict):
            return value
        if value.get(self._names.status) == self._names.enabled:
            value = {**value, self._names.status: self._names.disabled}
        for account in list(accounts_in(self._contract, value)):
            known = not isinstance(account.id, str) or account.id in self._known
            if account.id and not known and account.side in self._own:
                value = edited(value, account.id_at, constant(self._own[account.side]))
        return value

    def is_dormant(self, value: Any) -> bool:
        """Whether a body says the disabled state, and that it begins when the inert body does."""
        decisive = (self._names.status, *fields_with(self._contract, "start-date"))
        return isinstance(value, dict) and all(value.get(name) == self._inert[name] for name in decisive)


def _transposed(value: Any, example: Any, own: Any) -> Any:
    """A value with what stands in `own` wherever it has what stands in `example`."""
    if isinstance(value, dict) and isinstance(example, dict) and isinstance(own, dict):
        shared = example.keys() & own.keys()
        return {
            name: _transposed(inner, example[name], own[name]) if name in shared else inner
            for name, inner in value.items()
        }
    if isinstance(value, list) and isinstance(example, list) and isinstance(own, list):
        moved = [_transposed(*members) for members in zip(value, example, own, strict=False)]
        return [*moved, *value[len(moved) :]]
    return own if type(value) is type(example) and value == example else value


def largest_number(value: Any) -> float:
    """The largest magnitude among the numbers of a JSON value; 0 without any."""
    if isinstance(value, dict):
        return max(map(largest_number, value.values()), default=0)
    if isinstance(value, list):
        return max(map(largest_number, value), default=0)
    return abs(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def place_at(contract: Contract, location: str) -> Place:
    """The deepest place of the body that a pointer into its schema names.

    The schema that the pointer leads through is a rewritten one; what it numbers are the alternatives in the document's
    order, unless another choice follows at once: then it only says that the place may be null.
    """
    place = body_place(contract)
    tokens = location.split("/")
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else ""
        after = tokens[index + 1] if index + 1 < len(tokens) else ""
        inner: Place | None = None
        if before == "properties":
            inner = place.properties.get(token)
        elif before in _CHOICES and after not in _CHOICES:
            inner = dict(enumerate(place.alternatives.values())).get(int(token))
        elif token == "items":
            inner = place.items
        place = inner or place
    return place
