"""Places in a body, and checks of single values."""

import math
import re
from collections.abc import Set
from datetime import UTC, datetime, timedelta

import msgspec

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.steps import step


class Node(msgspec.Struct, frozen=True):
    """One place of a body; its value is UNSET where there is none."""

    value: Json
    pointer: str
    """The JSON pointer of the place."""
    organization_id: str
    """Whose body it is."""

    @property
    def name(self) -> str:
        """The last part of the pointer."""
        return self.pointer.rpartition("/")[2]

    @property
    def is_null(self) -> bool:
        """Whether the value is null or left out."""
        return self.value is None or self.value is msgspec.UNSET

    def member(self, name: str) -> "Node":
        """A place of this object."""
        value = self.value.get(name, msgspec.UNSET)
        return Node(value, f"{self.pointer}/{name}", self.organization_id)

    def item(self, index: int, value: Json) -> "Node":
        """A place of this array."""
        return Node(value, f"{self.pointer}/{index}", self.organization_id)

    def others(self, known: Set[str]) -> dict[str, Json]:
        """The properties of this object that are not known."""
        return {name: value for name, value in self.value.items() if name not in known}

    def holding(self, value: Json) -> "Node":
        """The same place with another value."""
        return Node(value, self.pointer, self.organization_id)


@step
def required(node: Node) -> Node:
    """'All required fields must be provided.'"""
    if node.value is msgspec.UNSET:
        raise errors.invalid(f"{node.pointer} is required.")
    return node


@step
def an_object(node: Node) -> Node:
    """The place, which must hold an object."""
    owner = required(node)
    if type(owner.value) is not dict:
        raise errors.invalid(f"{node.pointer or 'The body'} must be an object.")
    return owner


@step
def an_array(node: Node) -> list[Node]:
    """The items of the place, which must hold an array."""
    value = required(node).value
    if type(value) is not list:
        raise errors.invalid(f"{node.pointer} must be an array.")
    return [node.item(index, item) for index, item in enumerate(value)]


@step
def choice(node: Node, choices: Set[str]) -> str:
    """One of a few strings, exactly: 'Value in'."""
    value = required(node).value
    if type(value) is not str or value not in choices:
        raise errors.invalid(f"{node.pointer} must be one of {', '.join(sorted(choices))}.")
    return value


@step
def flag(node: Node) -> bool:
    """A boolean."""
    value = required(node).value
    if type(value) is not bool:
        raise errors.invalid(f"{node.pointer} must be a boolean.")
    return value


@step
def unknown(owner: Node, known: Set[str]) -> dict[str, Json]:
    """What is kept of an object's properties that the contract does not know: nothing, and they are not mistakes."""
    return {}


DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)


@step
def text(node: Node) -> str | None:
    """'string | null', kept exactly."""
    if node.is_null:
        return None
    if type(node.value) is not str:
        raise errors.invalid(f"{node.pointer} must be a string or null.")
    return node.value


@step
def date_time(node: Node) -> str:
    """A date-time of RFC 3339, as it was sent."""
    value = required(node).value
    if type(value) is not str or instant(value) is None:
        raise errors.invalid(f"{node.pointer} must be a date-time of RFC 3339 with its zone.")
    return value


def instant(value: str) -> datetime | None:
    """The moment that an RFC 3339 date-time means, to the microsecond, or None where it is none."""
    match = DATE_TIME.fullmatch(value)
    if match is None:
        return None
    *parts, fraction, sign, hours, minutes = match.groups()
    offset = timedelta()
    if sign is not None:
        if int(hours) > 23 or int(minutes) > 59:
            return None
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    year, month, day, hour, minute, second = (int(part) for part in parts)
    try:
        local = datetime(year, month, day, hour, minute, second, int((fraction or "0")[:6].ljust(6, "0")), UTC)
        return local - offset
    except (ValueError, OverflowError):
        return None


LARGEST_INTEGER = 2**53 - 1
"""Beyond it a number is not exactly representable for every JSON reader."""


def whole(node: Node) -> int:
    """An integer from 0 to 2^53 - 1."""
    return in_range(integer(required(node)), node.pointer)


@step
def integer(node: Node) -> int:
    """An integer; a number such as 1.0 is one."""
    value = node.value
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise errors.invalid(f"{node.pointer} must be an integer.")
    return value


@step
def in_range(value: int, pointer: str) -> int:
    """The integer at that place, which must be exactly representable and not negative."""
    if not 0 <= value <= LARGEST_INTEGER:
        raise errors.invalid(f"{pointer} must lie between 0 and {LARGEST_INTEGER}.")
    return value


@step
def cents(node: Node) -> int:
    """An amount, kept exactly: 'amount_in_cents'."""
    return whole(node)


@step
def percentage(node: Node) -> float:
    """A number from 0 to 100, kept with its fraction."""
    value = required(node).value
    if type(value) is not int and type(value) is not float:
        raise errors.invalid(f"{node.pointer} must be a number.")
    if not 0 <= value <= 100:
        raise errors.invalid(f"{node.pointer} must lie between 0 and 100.")
    return value


@step
def number(node: Node) -> float | None:
    """An optional finite number or null; integers exactly representable."""
    value = node.value
    if node.is_null:
        return None
    if type(value) is not int and type(value) is not float:
        raise errors.invalid(f"{node.pointer} must be a number or null.")
    is_exact = math.isfinite(value) if type(value) is float else abs(value) <= LARGEST_INTEGER
    if not is_exact:
        raise errors.invalid(f"{node.pointer} is not exactly representable.")
    return value
