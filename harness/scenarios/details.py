"""How an update or a read goes out: closed sets of keywords, so that a type checker sees a slip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rules_harness.harness.intent import Meaning
from rules_harness.strategies.keys import KeyReference

Authorization = KeyReference | Literal[""] | None
"""A key that takes the place of the caller's own, ``""`` for no such header, ``None`` for the caller's own key."""


class UpdateDetails(Meaning, total=False):
    """How an update goes out, and what it is meant to be; see `Planner.plan_update`."""

    rule: str | None
    caller: str
    key: str | None
    request_id: str | None
    headers: Sequence[tuple[str, str]]
    authorization: Authorization
    content_type: str | None
    method: str
    target: str | None
    raw: bool


class ReadDetails(Meaning, total=False):
    """How a read goes out, and what it is meant to be; see `Planner.plan_read`."""

    caller: str | None
    request_id: str | None
    authorization: Authorization
