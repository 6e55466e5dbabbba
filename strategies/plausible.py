"""The places of a body, narrowed to what a back end wants in a given world, as the contract's document says
(`x-plausible`).

What the shape allows and a back end need not: an account that does not exist, a transfer of nothing, a share of more
than everything. What is wanted stands beside the schema; what keeps a run safe does not depend on it: the cap on
amounts, and the status.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.folding import same
from rules_harness.strategies.money import as_written
from rules_harness.strategies.places import Place, below, body_place, parts_of, visited
from rules_harness.strategies.world import Account, World

_DECIMAL_AMOUNTS: Final = (1, 10, 100, 1_999, 123_456_789)
_DAYS_AHEAD: Final = (20, 3_650)
"""Where the document does not say it. So far ahead that it is a day ahead after a long run that moves the target's
clock too, and within ten years."""
_SUM: Final = "most-in-a-part"
_NOBODY: Final = Account(id="", type="")
_NO_ACCOUNTS: Final = "a plausible body moves money from one account to another; list two such accounts"


_TIGHTER: Final[Mapping[str, Callable[[Any, Any], Any]]] = {"minimum": max, "maximum": min, "multipleOf": max}


class UnsuitableWorld(ValueError):
    """The world lacks the accounts that a plausible body takes: a source, and a destination that differs from it."""


class _Narrowing:
    """One pass over the places of a body, for one source of the money."""

    def __init__(self, contract: Contract, world: World, source: Account | None) -> None:
        self._disabled = contract.names.disabled
        self._world = world
        self._source = source
        self._types = account_types(contract)
        self._done: dict[tuple[int, bool], Place | None] = {}

    def place(self, place: Place, *, liability: bool = False) -> Place | None:
        """The place with what is plausible there, None where nothing is. Null stays possible where the contract
        allows it."""
        liability = liability or bool(place.keywords.get("x-liability"))
        key = (id(place), liability)
        if key not in self._done:
            narrowed = msgspec.structs.replace(
                place, keywords=self._keywords(place), required=place.required or bool(place.plausible.get("present"))
            )
            self._done[key] = narrowed
            if not self._fill(narrowed, place, liability=liability):
                self._done[key] = _nothing(place)
        return self._done[key]

    def _keywords(self, place: Place) -> Mapping[str, Any]:
        keywords, wanted = dict(place.keywords), place.plausible
        if place.offers("status"):
            keywords["enum"] = [self._disabled]
        if place.offers("amount") and "string" in place.types:
            amounts = sorted({min(cents, self._world.max_amount_in_cents) for cents in _DECIMAL_AMOUNTS})
            keywords["enum"] = [as_written(place, cents) for cents in amounts]
        elif place.offers("amount"):
            keywords["maximum"] = min(
                keywords.get("maximum", self._world.max_amount_in_cents), self._world.max_amount_in_cents
            )
        for bound, tighter in _TIGHTER.items():
            if bound in wanted:
                keywords[bound] = tighter(keywords.get(bound, wanted[bound]), wanted[bound])
        if "account" in wanted and "string" in place.types:
            keywords["enum"] = [account.id for account in self._accounts(place, liability=False)]
        return keywords

    def _fill(self, narrowed: Place, place: Place, *, liability: bool) -> bool:
        """Puts narrowed places below `narrowed`; whether anything but null is still plausible there."""
        is_reference = "account" in place.plausible and "object" in place.types
        if is_reference and not self._pin(narrowed, liability=liability):
            return False
        narrowed.properties, narrowed.alternatives = {}, {}
        for name, inner in place.properties.items():
            child = self.place(inner, liability=liability)
            if child is not None:
                narrowed.properties[name] = child
            elif inner.required:
                return False
        _list_types(narrowed)
        _choose_operand(narrowed)
        if place.items is not None:
            narrowed.items = self.place(place.items, liability=liability)
            if narrowed.items is None:
                return False
        alternatives = {label: self.place(inner, liability=liability) for label, inner in place.alternatives.items()}
        narrowed.alternatives |= {
            label: inner for label, inner in alternatives.items() if inner is not None and inner.types
        }
        lost = any(
            not narrowed.properties[name].types and not inner.nullable
            for name, inner in place.properties.items()
            if inner.required
        )
        return not lost and (bool(narrowed.alternatives) or not place.alternatives)

    def _pin(self, place: Place, *, liability: bool) -> bool:
        accounts = self._accounts(place, liability=liability)
        roles = {role: name for name, child in place.properties.items() for role in child.roles}
        fields = {"account-ref-id": "id", "account-ref-type": "type"}
        place.pins = tuple(
            {roles[role]: getattr(account, field) for role, field in fields.items() if role in roles}
            for account in accounts
        )
        return bool(accounts)

    def _accounts(self, place: Place, *, liability: bool) -> tuple[Account, ...]:
        side = place.plausible["account"]
        if side == "any":
            return self._world.accounts
        if side == "source":
            return self._sources()
        accounts = [account for account in self._world.accounts if account.type in self._types.destinations]
        if liability:
            accounts = [account for account in accounts if account.liability]
        return tuple(account for account in accounts if self._source is None or account.id != self._source.id)

    def _sources(self) -> tuple[Account, ...]:
        if self._source is not None:
            return (self._source,)
        return tuple(
            account for account in self._world.accounts if account.type in self._types.sources and not account.liability
        )


def _list_types(place: Place) -> None:
    """Of the types of account that a reference lists, leaves those that the accounts which may stand there have."""
    for name, child in place.properties.items():
        if child.offers("account-ref-type") and place.pins:
            kept = [kind for kind in child.keywords.get("enum", ()) if any(pin.get(name) == kind for pin in place.pins)]
            place.properties[name] = msgspec.structs.replace(child, keywords={**child.keywords, "enum": kept})


def _choose_operand(place: Place) -> None:
    """A comparison has one right side: of the fields that can be it, exactly one is set."""
    operands = [name for name, child in place.properties.items() if "one-of" in child.plausible]
    if len(operands) < 2:
        return
    nothing = {name: _nothing(place.properties[name]) for name in operands}
    for name in operands:
        chosen = msgspec.structs.replace(place.properties[name], required=True, nullable=False)
        properties = {**place.properties, **nothing, name: chosen}
        place.alternatives[name] = msgspec.structs.replace(
            place,
            name=f"{place.path}:{name}",
            nullable=False,
            alternatives={},
            properties={k: v for k, v in properties.items() if v is not None},
        )


def _nothing(place: Place) -> Place | None:
    """The place with null as all that may stand there; None where it may not."""
    if not place.nullable:
        return None
    return msgspec.structs.replace(place, keywords={}, types=frozenset(), properties={}, alternatives={}, items=None)


class AccountTypes(msgspec.Struct, frozen=True):
    """Which types of account money leaves and which it reaches."""

    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    example_source: str | None
    example_destination: str | None


@functools.lru_cache(maxsize=16)
def account_types(contract: Contract) -> AccountTypes:
    """From the page's example: money leaves the types that it shows, and reaches all but the one that it shows as
    the source."""
    known: list[str] = []
    for place in below(body_place(contract)):
        if place.offers("account-ref-type"):
            known += [
                value for value in place.keywords.get("enum", ()) if not any(same(value, other) for other in known)
            ]
    types = {"source": "", "destination": ""}
    side = ""
    for place, _, value in visited(body_place(contract), contract.example_body()):
        side = next((role for role in types if place.offers(role)), side)
        if place.offers("account-ref-type") and side:
            types[side] = value
    sources = tuple(kind for kind in known if kind in types.values()) or tuple(known)
    destinations = tuple(kind for kind in known if kind != types["source"])
    return AccountTypes(sources, destinations, types["source"] or None, types["destination"] or None)


@functools.lru_cache(maxsize=256)
def plausible_place(contract: Contract, world: World, source: Account | None = None) -> Place:
    """The places of a plausible body that moves money from `source`; from any account, None. Raises UnsuitableWorld."""
    place = _Narrowing(contract, world, source).place(body_place(contract))
    if place is None or not place.types:
        raise UnsuitableWorld(_NO_ACCOUNTS)
    return place


@functools.lru_cache(maxsize=16)
def names_accounts(contract: Contract) -> bool:
    """Whether bodies of a contract name accounts."""
    return any(place.offers("account-ref") for place in below(body_place(contract)))


@functools.lru_cache(maxsize=64)
def sources(contract: Contract, world: World) -> tuple[Account, ...]:
    """The accounts that a plausible body can move money from, those of the example's type first.

    Where the contract's bodies name no accounts it is one that nobody names. Raises UnsuitableWorld where there is
    none.
    """
    if not names_accounts(contract):
        return (_NOBODY,)
    types = account_types(contract)
    candidates = [account for account in world.accounts if account.type in types.sources and not account.liability]
    suited = [
        account
        for account in candidates
        if any(other.type in types.destinations and other.id != account.id for other in world.accounts)
    ]
    if not suited:
        raise UnsuitableWorld(_NO_ACCOUNTS)
    return tuple(sorted(suited, key=lambda account: account.type != types.example_source))


def soonest_start(contract: Contract, world: World) -> datetime:
    """The first instant of a date that lies ahead."""
    return (world.now + timedelta(days=_days_ahead(contract)[0])).replace(microsecond=0)


def latest_start(contract: Contract, world: World) -> datetime:
    """The last instant of a date that lies ahead."""
    return (world.now + timedelta(days=_days_ahead(contract)[1])).replace(microsecond=0)


@functools.lru_cache(maxsize=16)
def _days_ahead(contract: Contract) -> tuple[int, int]:
    wanted = (place.plausible.get("days-ahead") for place in below(body_place(contract)))
    first, last = next((days for days in wanted if days), _DAYS_AHEAD)
    return first, last


def share_out(contract: Contract, value: dict[str, Any]) -> None:
    """Reduces the shares of each part, in place, so that they add up to what the document allows: in proportion, to
    hundredths, none to nothing."""
    body = body_place(contract)
    parts = body.properties.get(contract.names.parts or "")
    if parts is None or parts.items is None:
        return
    for part in parts_of(contract, value):
        shares = list(_shares(parts.items, part, _leading(body)))
        hundredths = [round(holder[name] * 100) for holder, name, _ in shares]
        whole = min((most * 100 for _, _, most in shares), default=0)
        total = sum(hundredths)
        if total > whole:
            for (holder, name, _), share in zip(shares, hundredths, strict=True):
                holder[name] = _in_full(max(1, share * (whole - len(shares)) // total))


def _in_full(hundredths: int) -> int | float:
    return hundredths // 100 if hundredths % 100 == 0 else hundredths / 100


def _shares(place: Place, value: Any, leading: frozenset[int]) -> Iterator[tuple[dict[str, Any], str, int]]:
    """The objects that hold a share, the name under which they do, and what all of a part add up to at most."""
    if isinstance(value, dict):
        while place.alternatives:
            chosen = place.alternative(value)
            if chosen is None or id(chosen) not in leading:
                return
            place = chosen
        for name, inner in place.properties.items():
            if id(inner) in leading and value.get(name) is not None:
                if _SUM in inner.plausible:
                    yield value, name, inner.plausible[_SUM]
                else:
                    yield from _shares(inner, value[name], leading)
    elif isinstance(value, list) and place.items is not None and id(place.items) in leading:
        for member in value:
            yield from _shares(place.items, member, leading)


@functools.lru_cache(maxsize=16)
def _leading(body: Place) -> frozenset[int]:
    """The identities of the places of a body that are such a share or have one below them."""
    return frozenset(id(place) for place in below(body) if any(_SUM in inner.plausible for inner in below(place)))
