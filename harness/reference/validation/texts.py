"""Text and date-times."""

import html
import re
import unicodedata
from datetime import UTC, datetime, timedelta

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Crashed, Json
from rules_harness.harness.reference.switches import fault, variant
from rules_harness.harness.reference.validation.values import required

_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_WITHOUT_ZONE = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?", re.ASCII)


def text(owner: dict[str, Json], name: str, place: str) -> str | None:
    """An optional string or null."""
    value = owner.get(name)
    if value is None:
        return _null(owner, name, place)
    if fault("validation.numbers-as-text") and type(value) in (int, float, bool):
        value = str(value)
    if type(value) is not str:
        raise errors.invalid(f"{place}/{name} must be a string or null.")
    _check_kinds_of_text(value, name, f"{place}/{name}")
    return _stored(value)


def _null(owner: dict[str, Json], name: str, place: str) -> str | None:
    if fault("envelope.null-nickname-crash") and name == "nickname" and name in owner:
        raise Crashed
    if fault("update.null-description-refused") and name == "description" and name in owner:
        raise errors.invalid(f"{place}/{name} must be a string.")
    if fault("update.null-as-empty-text"):
        return ""
    return None


def _check_kinds_of_text(value: str, name: str, place: str) -> None:
    if "\0" in value and fault("envelope.nul-text-crash"):
        raise Crashed
    if len(value) > 20 and name == "nickname" and fault("update.nickname-over-20-refused"):
        raise errors.invalid(f"{place} must have at most 20 characters.")
    if value == "" and variant("empty.text-refused"):
        raise errors.invalid(f"{place} must not be empty.")
    if value != value.strip() and variant("empty.untrimmed-refused"):
        raise errors.invalid(f"{place} must not begin or end with white space.")
    if "\0" in value and variant("empty.nul-refused"):
        raise errors.invalid(f"{place} must not hold NUL.")


def _stored(value: str) -> str:
    if fault("update.text-cut-at-50"):
        return value[:50]
    if fault("update.text-trimmed"):
        return value.strip()
    if fault("update.text-without-astral"):
        return "".join(character for character in value if ord(character) <= 0xFFFF)
    if fault("update.text-normalised"):
        return unicodedata.normalize("NFC", value)
    if fault("update.text-html-escaped"):
        return html.escape(value)
    return value


def date_time(owner: dict[str, Json], name: str, place: str) -> str:
    """A date-time of RFC 3339, as it was sent."""
    value = required(owner, name, place)
    if type(value) is not str or not (_acceptable(value) or fault("validation.dates-unchecked")):
        raise errors.invalid(f"{place}/{name} must be a date-time of RFC 3339 with its zone.")
    if fault("update.start-date-at-midnight"):
        return f"{value[:10]}T00:00:00Z"
    if fault("update.zone-dropped"):
        return f"{value[:19]}Z"
    return value


def _acceptable(value: str) -> bool:
    if fault("validation.dates-without-zone-accepted") and _WITHOUT_ZONE.fullmatch(value):
        return True
    if fault("validation.impossible-dates-accepted") and _DATE_TIME.fullmatch(value):
        return True
    return instant(value) is not None


def instant(value: str) -> datetime | None:
    """The moment that an RFC 3339 date-time means, to the microsecond, or None where it is none."""
    match = _DATE_TIME.fullmatch(value)
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
