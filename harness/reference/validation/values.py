"""Checks of single values. Each takes the object that holds the value, the value's name, and the object's place."""

from collections.abc import Set
from typing import Any

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.switches import fault, variant


def required(owner: dict[str, Json], name: str, place: str) -> Json:
    """The value under a name that must be there."""
    if name in owner:
        return owner[name]
    if fault("validation.status-defaulted") and name == "status":
        return "disabled"
    if fault("validation.steps-defaulted") and name == "steps":
        return []
    if fault("validation.amount-defaulted") and name == "amount_in_cents":
        return 0
    if fault("validation.group-index-defaulted") and name == "group_index":
        return 0
    raise errors.invalid(f"{place}/{name} is required.")


def an_object(value: Json, place: str) -> dict[str, Json]:
    """The value, which must be an object."""
    if fault("validation.first-of-array-taken") and type(value) is list and value and type(value[0]) is dict:
        return dict(value[0])
    if type(value) is not dict:
        raise errors.invalid(f"{place} must be an object.")
    return value


def an_array(value: Json, place: str) -> list[Json]:
    """The value, which must be an array."""
    if fault("validation.objects-taken-for-lists") and type(value) is dict:
        return list(value.values())
    if type(value) is not list:
        raise errors.invalid(f"{place} must be an array.")
    return value


def choice(owner: dict[str, Json], name: str, place: str, choices: Set[str]) -> str:
    """One of a few strings, exactly."""
    value = required(owner, name, place)
    if type(value) is str and value not in choices:
        value = _leniently(value, name, choices)
    if type(value) is not str or not (value in choices or _unchecked(name)):
        raise errors.invalid(f"{place}/{name} must be one of {', '.join(sorted(choices))}.")
    return value


def _leniently(value: str, name: str, choices: Set[str]) -> str:
    if fault("validation.enum-case-ignored"):
        return next((known for known in choices if known.lower() == value.lower()), value)
    if fault("validation.enum-trimmed"):
        return value.strip()
    if fault("validation.unknown-status-as-disabled") and name == "status":
        return "disabled"
    return value


def _unchecked(name: str) -> bool:
    return (name == "schedule_type" and fault("validation.schedule-type-unchecked")) or (
        name == "operator" and fault("validation.operator-unchecked")
    )


def flag(owner: dict[str, Json], name: str, place: str) -> bool:
    """A boolean."""
    value = required(owner, name, place)
    if fault("validation.flags-by-truth"):
        return bool(value)
    if fault("validation.flags-from-text") and value in ("true", "false"):
        return bool(value == "true")
    if type(value) is not bool:
        raise errors.invalid(f"{place}/{name} must be a boolean.")
    return value


def keep_unknown(owner: dict[str, Json], known: Set[str], place: str, kept: dict[str, Any]) -> None:
    """What becomes of properties below the top level that the contract does not know: ignored, or as a variant says."""
    if owner.keys() <= known:
        return
    if variant("unknown-nested.refused"):
        raise errors.invalid(f"{place} has unknown properties.")
    if variant("unknown-nested.stored"):
        kept.update((name, value) for name, value in owner.items() if name not in known)
