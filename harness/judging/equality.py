"""When two states of a rule are equal, by the contract's rule of equality.

Date-times are compared as instants, to the millisecond; numbers by value; an optional field that is absent equals null,
and its documented default; fields that the server adds are allowed, a documented default only with its documented
value; what the server may fill in is not compared.  Strings, order and nesting are exact.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.places import Place, body_place, place_of

DifferenceKind = Literal["changed", "lost", "length", "order", "not-cleared", "default", "type"]
_ABSENT = object()
STRUCTURE_ROLES = frozenset({"parts", "actions"})
"""Roles of the lists that are what an update replaces, and that do not hold themselves."""


class Difference(msgspec.Struct, frozen=True):
    """One place where a state is not what was sent; ``roles`` is what the document says the field is for.

    ``is_number``: a number was sent where one belongs.
    """

    place: str
    kind: DifferenceKind
    sent: Any
    got: Any
    roles: frozenset[str] = frozenset()
    is_number: bool = False


def differences_from_body(contract: Contract, body: Any, data: Any) -> Iterator[Difference]:
    """Where the `data` of an answer is not what a body asked for, in the schema's order.

    What a body leaves out is cleared by a full replacement, and stays as it is otherwise.
    """
    if not contract.update.is_full_replacement and isinstance(body, dict) and isinstance(data, dict):
        body = {**data, **body}
    yield from differences(body_place(contract), body, data)


def differences_of_rules(contract: Contract, before: Any, after: Any) -> Iterator[Difference]:
    """Where two states of a rule differ, in the fields that a client may set."""
    yield from differences(rule_place(contract), before, after)


@functools.lru_cache(maxsize=16)
def rule_place(contract: Contract) -> Place:
    """A rule, as the contract has it."""
    return place_of(contract, contract.rule_schema)


def same_instant(left: Any, right: Any) -> bool:
    """Whether two date-times are the same instant to the millisecond (False where either is not a date-time): an offset
    says where a clock stands, not another time (RFC 3339, section 4.2)."""
    first, second = instant(left), instant(right)
    if first is None or second is None:
        return False
    return abs((first - second).total_seconds()) < 0.001


def instant(value: Any) -> datetime | None:
    """A date-time (RFC 3339, section 5.6) as an aware value, in UTC where it names no zone; ``None`` for anything else.

    White space around it and lower case are let pass.
    """
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value.strip().upper())
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


_Pair = tuple[Place, Any, Any]
"""A place, what was sent there and what came back, still to be compared."""


def differences(place: Place, sent: Any, got: Any) -> Iterator[Difference]:
    """Where ``got`` is not what ``sent`` asks for, below one place of a schema.

    Values may be nested deeper than functions can call each other.
    """
    compared = [_compare(place, sent, got)]
    while compared:
        result = next(compared[-1], None)
        if result is None:
            compared.pop()
        elif isinstance(result, Difference):
            yield result
        else:
            compared.append(_compare(*result))


def unlike(first: Any, second: Any, *, but_for: str) -> Iterator[str]:
    """Where two JSON values differ in anything, as JSON Pointers, but for one.

    Values may be nested deeper than functions can call each other.
    """
    left = [("", first, second)]
    while left:
        at, one, other = left.pop()
        if at == but_for:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            left += [(f"{at}/{name}", one.get(name, _ABSENT), other.get(name, _ABSENT)) for name in {**one, **other}]
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            left += [(f"{at}/{index}", *members) for index, members in enumerate(zip(one, other, strict=True))]
        elif not _same(one, other):
            yield at


def _compare(place: Place, sent: Any, got: Any) -> Iterator[Difference | _Pair]:
    """How a place itself differs, and the pairs below it, in their order."""
    if place.keywords.get("x-server-filled") or (isinstance(sent, dict | list) and _is_to_the_letter(sent, got)):
        return
    if place.alternatives:
        place = place.alternative(sent) or place
    if isinstance(sent, dict):
        yield from _compare_objects(place, sent, got)
    elif isinstance(sent, list) and place.items is not None:
        yield from _compare_arrays(place, place.items, sent, got)
    elif not _equal_scalars(place, sent, got):
        kind: DifferenceKind = "lost" if got is None else "changed"
        is_number = _is_number(sent) and not place.types.isdisjoint(("integer", "number"))
        yield Difference(place.path, kind, sent, got, place.roles, is_number)


def _compare_objects(place: Place, sent: Mapping[str, Any], got: Any) -> Iterator[Difference | _Pair]:
    if not isinstance(got, dict):
        yield Difference(place.path, "lost" if got is None else "type", sent, got, place.roles)
        return
    for name, part in place.properties.items():
        if part.keywords.get("x-server-owned"):
            continue
        value = got.get(name)
        if value is None and "default" in part.keywords and sent.get(name) == part.keywords["default"]:
            continue
        if sent.get(name) is not None:
            yield part, sent[name], value
        elif value is not None and not part.keywords.get("x-server-filled"):
            yield from _uncalled_for(part, value, explicit=name in sent)


def _uncalled_for(part: Place, value: Any, *, explicit: bool) -> Iterator[Difference]:
    """A field that the client left out, or sent as null, and that is there all the same."""
    if "default" not in part.keywords:
        yield Difference(part.path, "not-cleared", None, value, part.roles)
    elif explicit or value != part.keywords["default"]:
        yield Difference(part.path, "default", part.keywords["default"], value, part.roles)


def _compare_arrays(place: Place, items: Place, sent: list[Any], got: Any) -> Iterator[Difference | _Pair]:
    if not isinstance(got, list):
        yield Difference(place.path, "lost" if got is None else "type", sent, got, place.roles)
    elif len(sent) != len(got):
        yield Difference(place.path, "length", len(sent), len(got), place.roles)
    elif place.roles & STRUCTURE_ROLES:
        found = [each for left, right in zip(sent, got, strict=True) for each in differences(items, left, right)]
        is_other_order = bool(found) and are_same_members(items, sent, got)
        yield from [Difference(place.path, "order", sent, got, place.roles)] if is_other_order else found
    elif _is_rearranged(sent, got):
        yield Difference(place.path, "order", sent, got, place.roles)
    else:
        for left, right in zip(sent, got, strict=True):
            yield items, left, right


def _is_to_the_letter(sent: Any, got: Any) -> bool:
    """Whether a value came back just as it was sent, which most do: nothing below it differs by any rule. Equal values
    may still be written otherwise, as true for 1."""
    try:
        return bool(sent == got) and repr(sent) == repr(got)
    except RecursionError:
        return False


def are_same_members(items: Place, sent: list[Any], got: list[Any]) -> bool:
    """Whether each member that was sent came back, wherever it stands."""
    left = list(got)
    for member in sent:
        same = next((index for index, other in enumerate(left) if not any(differences(items, member, other))), None)
        if same is None:
            return False
        del left[same]
    return True


def _is_rearranged(sent: list[Any], got: list[Any]) -> bool:
    """Whether the members of a list, to the letter, stand in another order; not looked into where they nest deeper than
    functions can call each other."""
    if len(sent) < 2:
        return False
    try:
        if sent == got:
            return False
        left, right = (list(map(_canonical, members)) for members in (sent, got))
    except RecursionError:
        return False
    return left != right and sorted(left) == sorted(right)


def _canonical(value: Any) -> str:
    """One text for values that differ in the order of their names and in nulls alone."""
    if isinstance(value, dict):
        members = sorted(f"{name!r}: {_canonical(inner)}" for name, inner in value.items() if inner is not None)
        return f"{{{', '.join(members)}}}"
    return f"[{', '.join(map(_canonical, value))}]" if isinstance(value, list) else repr(value)


def left_behind(place: Place, sent: Any, got: Any, before: Any) -> Iterator[Difference]:
    """Fields of another alternative than the one that was sent, still there with the value that they had before."""
    waiting = [(place, sent, got, before)]
    while waiting:
        place, sent, got, before = waiting.pop()
        if isinstance(sent, list) and isinstance(got, list) and isinstance(before, list) and place.items is not None:
            members = [(place.items, *states) for states in zip(sent, got, before, strict=False)]
            waiting += reversed(members)
        if not isinstance(sent, dict) or not isinstance(got, dict) or not isinstance(before, dict):
            continue
        chosen = place.alternative(sent) or place if place.alternatives else place
        others = {name for other in place.alternatives.values() for name in other.properties}
        for name in sorted(others - chosen.properties.keys() - sent.keys()):
            if got.get(name) is not None and got[name] == before.get(name):
                yield Difference(f"{chosen.path}/{name}", "not-cleared", None, got[name])
        parts = [(name, part) for name, part in chosen.properties.items() if isinstance(sent.get(name), dict | list)]
        waiting += [(part, sent[name], got.get(name), before.get(name)) for name, part in reversed(parts)]


def _equal_scalars(place: Place, sent: Any, got: Any) -> bool:
    if place.keywords.get("format") == "date-time" and instant(sent) is not None:
        return same_instant(sent, got)
    return _same(sent, got)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same: numbers by value, and NaN, which some servers write, as NaN."""
    if _is_number(one) and _is_number(other):
        return bool(one == other) or (_is_nan(one) and _is_nan(other))
    return type(one) is type(other) and bool(one == other)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
