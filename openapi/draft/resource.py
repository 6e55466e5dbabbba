"""What the fields of the resource are for: its state, its texts, its parts, its amounts and its times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rules_harness.openapi.draft.envelope import body_of, success_of, wrapped_in
from rules_harness.openapi.draft.proposal import Proposal, first, role
from rules_harness.openapi.draft.request import place_of_field
from rules_harness.openapi.lint.subject import Piece, Subject
from rules_harness.openapi.plausibility import PLAUSIBLE

_LIVE: Final = re.compile(r"enabled|active|activated|on|live|running|open|approved", re.IGNORECASE)
_SAFE: Final = re.compile(
    r"disabled|inactive|paused|suspended|off|stopped|draft|frozen|on_?hold|blocked", re.IGNORECASE
)
_TEXTS: Final = ("nickname", "label", "name", "displayname", "title", "reference", "description", "note", "memo")
_AMOUNT: Final = re.compile(r"(?:^|[_a-z])(?:amount|cents|minor|limit|price|total)(?:$|[_A-Z])|Amount|Limit")
_CREATED: Final = ("createdat", "created", "creationdate", "createdon")
_UPDATED: Final = ("updatedat", "updated", "modifiedat", "lastmodified", "updatedon")


def resource(subject: Subject) -> Iterator[Proposal]:
    """The roles of what the request sends, then of what only the server sets."""
    body, answer = body_of(subject), success_of(subject)
    if body is not None:
        yield from _state(subject, body)
        yield from _contents(subject, body)
    if answer is not None:
        wrapper = wrapped_in(subject, answer)
        yield from _owned(subject, answer if wrapper is None else subject.fields(answer)[wrapper])


def _state(subject: Subject, body: Piece) -> Iterator[Proposal]:
    for name, field in subject.fields(body).items():
        values = [value for value in field.node.get("enum", ()) if isinstance(value, str)]
        live = next((value for value in values if _LIVE.fullmatch(value)), None)
        safe = next((value for value in values if _SAFE.fullmatch(value)), None)
        if live is not None and safe is not None:
            reason = f"it is {live} or {safe}, and {safe} looks like the one in which nothing happens"
            yield role(place_of_field(subject, body, name), "status", reason)
            yield Proposal(field.place, {"x-states": {"enabled": live, "disabled": safe}}, reason)
            return


def _contents(subject: Subject, body: Piece) -> Iterator[Proposal]:
    fields = subject.fields(body)
    texts = [name for name, field in fields.items() if _is_text(field)]
    marker = first(texts, *_TEXTS)
    if marker is not None:
        yield role(place_of_field(subject, body, marker), "marker", "a free text, which can show whose write this was")
    note = first([name for name in texts if name != marker], *_TEXTS)
    if note is not None:
        yield role(place_of_field(subject, body, note), "note", "another free text")
    for name, field in fields.items():
        if "items" in field.node and subject.fields(subject.under(field, "items")):
            yield role(place_of_field(subject, body, name), "parts", "a list of objects, whose order may count")
            break
    seen: set[str] = set()
    for name, field in subject.all_fields(body):
        if _AMOUNT.search(name) and field.place not in seen and not subject.fields(field):
            seen.add(field.place)
            least = field.node.get("minimum")
            is_bounded = "pattern" in field.node or (isinstance(least, int | float) and least >= 1)
            further = {} if is_bounded else {PLAUSIBLE: {"minimum": 1}}
            yield role(field.place, "amount", f"it is called {name}", **further)


def _is_text(field: Piece) -> bool:
    kinds = field.node.get("type")
    is_text = kinds == "string" or (isinstance(kinds, list) and "string" in kinds)
    return is_text and not {"enum", "const", "format", "pattern"} & set(field.node)


def _owned(subject: Subject, schema: Piece) -> Iterator[Proposal]:
    fields = subject.fields(schema)
    for kind, patterns in (("id", ("id", "[a-z]+id", "uuid")), ("created-at", _CREATED), ("updated-at", _UPDATED)):
        name = first(fields, *patterns)
        if name is not None:
            reason = f"it is called {name}, and the server sets it"
            yield role(place_of_field(subject, schema, name), kind, reason, **{"x-server-owned": True})
