"""One thing to be said of a document, and the rule by which it is said."""

from __future__ import annotations

from typing import Literal

import msgspec

Gravity = Literal["error", "warning", "question"]
"""The document contradicts itself; something is missing; something is to be settled with the maintainers."""


class LintRule(msgspec.Struct, frozen=True):
    """What is looked for."""

    id: str
    gravity: Gravity
    sentence: str


class Notice(msgspec.Struct, frozen=True):
    """A rule at a place, which is a JSON pointer into the document."""

    rule: LintRule
    place: str
    text: str
