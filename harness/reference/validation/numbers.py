"""Numbers: integers, amounts, percentages."""

import math
import re
import struct

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Crashed, Json
from rules_harness.harness.reference.switches import fault, variant
from rules_harness.harness.reference.validation.values import required

LARGEST_INTEGER = 2**53 - 1
"""Beyond it a number is not exactly representable for every JSON reader."""

_DECIMAL = re.compile(r"\s*-?\d{1,15}(\.\d{1,15})?\s*", re.ASCII)
_DIGITS = re.compile(r"\s*-?\d{1,15}\s*", re.ASCII)


def whole(owner: dict[str, Json], name: str, place: str) -> int:
    """An integer from 0 to 2^53 - 1; a number such as 1.0 is one."""
    value = _coerced(required(owner, name, place))
    if type(value) is float and value.is_integer() and not variant("integral-float.refused"):
        value = int(value)
    if type(value) is not int:
        raise errors.invalid(f"{place}/{name} must be an integer.")
    if fault("envelope.big-number-crash") and value >= 2**63:
        raise Crashed
    if fault("validation.big-amounts-as-floats") and LARGEST_INTEGER < value < 2**63:
        return min(int(float(value)), 2**63 - 1)
    if not 0 <= value <= LARGEST_INTEGER and not (value < 0 and fault("validation.negative-accepted")):
        raise errors.invalid(f"{place}/{name} must lie between 0 and {LARGEST_INTEGER}.")
    return value


def _coerced(value: Json) -> Json:
    if fault("validation.numeric-text-accepted") and type(value) is str and _DIGITS.fullmatch(value):
        return int(value)
    if fault("validation.booleans-as-numbers") and type(value) is bool:
        return int(value)
    if fault("validation.null-as-zero") and value is None:
        return 0
    if fault("validation.fractions-cut") and type(value) is float and math.isfinite(value):
        return int(value)
    return value


def cents(owner: dict[str, Json], name: str, place: str) -> int:
    """An amount in integer cents."""
    amount = whole(owner, name, place)
    if amount == 0 and variant("empty.zero-amount-refused"):
        raise errors.invalid(f"{place}/{name} must be at least 1.")
    if amount < 100 and fault("update.small-amounts-refused"):
        raise errors.invalid(f"{place}/{name} must be at least 100.")
    return _stored_amount(amount)


def _stored_amount(amount: int) -> int:
    if fault("update.amounts-wrap-at-32-bits"):
        return (amount + 2**31) % 2**32 - 2**31
    if fault("update.amounts-in-single-precision"):
        return int(struct.unpack("f", struct.pack("f", amount))[0])
    if fault("update.amounts-clamped"):
        return min(amount, 10_000_000)
    if fault("update.amounts-in-whole-dollars"):
        return amount // 100 * 100
    return amount


def percentage(owner: dict[str, Json], name: str, place: str) -> float:
    """A number from 0 to 100, with its fraction."""
    value = _coerced_percentage(required(owner, name, place))
    if type(value) not in (int, float):
        raise errors.invalid(f"{place}/{name} must be a number.")
    if not 0 <= value <= 100 and not (fault("validation.percentages-unbounded") and math.isfinite(value)):
        raise errors.invalid(f"{place}/{name} must lie between 0 and 100.")
    if value != round(value, 2) and variant("empty.percentage-digits-refused"):
        raise errors.invalid(f"{place}/{name} must have at most two digits after the point.")
    return _stored_percentage(value)


def _coerced_percentage(value: Json) -> Json:
    if fault("validation.percentages-from-text") and type(value) is str:
        return float(value) if _DECIMAL.fullmatch(value) else value
    return value


def _stored_percentage(value: float) -> float:
    if fault("update.percentages-two-digits"):
        return round(value, 2)
    if fault("update.percentages-whole"):
        return int(value)
    return value


def number(owner: dict[str, Json], name: str, place: str) -> float | None:
    """An optional finite number or null; integers exactly representable."""
    value = owner.get(name)
    if value is None:
        return None
    if type(value) not in (int, float):
        raise errors.invalid(f"{place}/{name} must be a number or null.")
    exact = math.isfinite(value) if type(value) is float else abs(value) <= LARGEST_INTEGER
    if not exact:
        raise errors.invalid(f"{place}/{name} is not exactly representable.")
    found: float = value
    return found
