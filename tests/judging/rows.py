"""The rows of the tables that prove the checks: what happened, and what has to be said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from rules_harness.harness.exchange import Episode
from rules_harness.harness.intent import Level
from rules_harness.harness.judging.outcome import Judgement, Kept, Seen, Violation
from tests.judging.episodes import Sent, Value, episode


class Holds(msgspec.Struct, frozen=True):
    """The requirement was put to the test, and held."""


class Broken(msgspec.Struct, frozen=True):
    """A violation. ``None`` as a place says that the place does not matter here."""

    kind: str
    place: str | None = None
    by_states: bool = False
    """It rests on comparing states, so that another writer makes it void."""
    level: Level | None = None
    inferred: bool = False
    explained: bool | None = None
    """What it shows may be explained by other findings; None where that does not matter here."""
    featured: bool | None = None
    """It names the features of the body that may be its cause; None where that does not matter here."""
    told: str = ""
    """What stands in its words: what was expected, and what came."""
    shown_by: tuple[int, ...] | None = None
    """The positions of the requests that show it; None where that does not matter here."""


class Says(msgspec.Struct, frozen=True):
    """An answer to an open question, for one kind of input."""

    token: str
    kind: str = ""


HOLDS: Final = Holds()
Expected = Holds | Broken | Says


class Row(msgspec.Struct, frozen=True):
    """One episode, and what the check of one requirement or reading has to say of it; nothing where none is given."""

    text: str
    episode: Episode
    expected: tuple[Expected, ...]


Table = Mapping[str, Sequence[Row]]
"""Rows by the requirement or reading whose check is put on trial."""


def row(
    text: str,
    sent: Sent | Sequence[Sent],
    *expected: Expected,
    before: Value | tuple[Value, ...] = (),
    settle: float = 0.0,
) -> Row:
    """What happened in words, the requests that were sent, and what has to be said of them, in order."""
    requests = (sent,) if isinstance(sent, Sent) else sent
    return Row(text, episode(*requests, before=before, settle=settle), expected)


def agrees(expected: Expected, judgement: Judgement) -> bool:
    """Whether a judgement is the expected one."""
    match expected, judgement:
        case Holds(), Kept():
            return True
        case Says(), Seen():
            return (expected.token, expected.kind) == (judgement.token, judgement.kind)
        case Broken(), Violation():
            same = (expected.kind, expected.by_states, expected.level, expected.inferred) == (
                judgement.kind,
                judgement.compares_states,
                judgement.level,
                judgement.inferred_place,
            )
            is_explained = expected.explained in (None, bool(judgement.explained_by))
            is_featured = expected.featured in (None, bool(judgement.features))
            is_told = expected.told in f"{judgement.expected}; {judgement.actual}"
            is_shown = expected.shown_by in (None, judgement.shown_by)
            return (
                same
                and is_explained
                and is_featured
                and is_told
                and is_shown
                and expected.place in (None, judgement.place)
            )
    return False
