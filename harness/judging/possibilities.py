"""What may have become of a history: one consistent possibility, and what a target may do with one update."""

from __future__ import annotations

from typing import Literal

import msgspec

from rules_harness.harness.intent import Intent

INITIAL = -1
"""The position that stands for a rule's state before the history."""
UNKNOWN = -2
"""The position that stands for a state of which nothing is known."""
Tokens = tuple[tuple[str, str, str], ...]
"""(reading, token, kind of input), sorted."""
Act = Literal["execute", "replay", "refuse", "anything", "nothing"]
"""The request is executed, has another one's answer or is refused. Where the model says nothing of it, ``anything`` is
executed if it succeeds, and ``nothing`` has no effect."""
Owner = tuple[str, str, str]
"""(credential, key, rule): each rule has keys of its own, and what a key of one does to another is a reading."""


def owner_of(intent: Intent) -> Owner | None:
    """Whose a key would be, if the request has one that its caller may use."""
    if intent.key is None or intent.access in ("unauthenticated", "open"):
        return None
    return intent.caller, intent.key, intent.rule


class Possibility(msgspec.Struct, frozen=True):
    """One consistent account of what happened in a history so far."""

    holds: tuple[tuple[str, int], ...] = ()
    """Whose body each rule holds, by position; a rule that is not listed holds its initial state."""
    entries: tuple[tuple[Owner, int], ...] = ()
    """The request that each key belongs to, by position."""
    tokens: Tokens = ()

    @property
    def is_of_one_mind(self) -> bool:
        """Whether each open question has one answer in it, for each kind of input."""
        return len({(reading, kind) for reading, _, kind in self.tokens}) == len(self.tokens)

    def held(self, rule: str) -> int:
        return dict(self.holds).get(rule, INITIAL)

    def executing(self, rule: str, position: int) -> Possibility:
        return msgspec.structs.replace(self, holds=tuple(sorted({**dict(self.holds), rule: position}.items())))

    def entering(self, owner: Owner, position: int) -> Possibility:
        entries = {**dict(self.entries), owner: position}
        return msgspec.structs.replace(self, entries=tuple(sorted(entries.items())))

    def saying(self, reading: str, token: str, kind: str = "") -> Possibility:
        """This possibility with the answer to an open question that it takes."""
        return msgspec.structs.replace(self, tokens=tuple(sorted({*self.tokens, (reading, token, kind)})))


class Behaviour(msgspec.Struct, frozen=True):
    """What the target may do with one update.

    ``enters`` says that its key now belongs to this request, if to none before.
    """

    act: Act
    of: int = INITIAL
    statuses: tuple[int, ...] = ()
    enters: bool = True

    @property
    def description(self) -> str:
        """What it would look like from outside, in words."""
        if self.act == "execute":
            return "the request is executed"
        if self.act == "replay":
            return "the original answer"
        return "a refusal with " + " or ".join(str(status) for status in self.statuses)


class Contradiction(msgspec.Struct, frozen=True):
    """An exchange after which no possibility is left."""

    position: int
    expected: tuple[str, ...]
    is_behind: bool = False
    """Whether a read shows what was there before all that may be there: an update was not executed."""


class FollowedHistory(msgspec.Struct, frozen=True):
    """What a history comes to: the possibilities that fit all of it, and where it contradicts the contract."""

    possibilities: tuple[Possibility, ...]
    contradictions: tuple[Contradiction, ...]
    judged: tuple[int, ...]
    """Positions whose outcome was put to the test."""
