"""Where accounts stand in a body, whatever else is right or wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.places import Place, Pointer, body_place, visited

Side = Literal["source", "destination"]

_SIDES: Final[tuple[Side, Side]] = ("source", "destination")
_ALONE: Final = frozenset({"trigger-account", "condition-account"})
"""Roles of fields that name an account by its id alone: the one that money comes from."""
ACCOUNT_IDS: Final = _ALONE | {"account-ref-id"}
"""Roles of all fields that hold the id of an account."""


class NamedAccount(msgspec.Struct, frozen=True):
    """An account in a body: on which side, where its id stands and, in a reference, its type, and what stands there."""

    side: Side
    id_at: Pointer
    id: Any
    type_at: Pointer | None = None
    type: Any = None


def accounts_in(contract: Contract, value: Any) -> Iterator[NamedAccount]:
    """Every account that a body names, in order; what is not shaped like one is passed over."""
    side: Side = "destination"
    for place, pointer, inner in visited(body_place(contract), value):
        side = next((role for role in _SIDES if place.offers(role)), side)
        if place.roles & _ALONE:
            yield NamedAccount("source", pointer, inner)
        elif place.offers("account-ref") and isinstance(inner, dict):
            names = _names(place)
            if names["account-ref-id"] in inner:
                yield NamedAccount(
                    side,
                    (*pointer, names["account-ref-id"]),
                    inner[names["account-ref-id"]],
                    (*pointer, names["account-ref-type"]),
                    inner.get(names["account-ref-type"]),
                )


def source_of(contract: Contract, value: Any) -> NamedAccount | None:
    """The account that the first action of a body takes money from."""
    return next(
        (account for account in accounts_in(contract, value) if account.side == "source" and account.type_at), None
    )


def _names(place: Place) -> dict[str, str]:
    """For each role among the fields of a reference its name."""
    return {role: name for name, inner in place.properties.items() for role in inner.roles}
