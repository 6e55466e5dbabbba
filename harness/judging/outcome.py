"""Frozen records of what a judgement says: about one episode, and about a whole run."""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import msgspec

from rules_harness.harness.intent import Level

Verdict = Literal["passed", "failed", "warned", "skipped", "inconclusive", "error"]
UNJUDGED: Final[frozenset[Verdict]] = frozenset({"skipped", "inconclusive", "error"})
"""The verdicts that say nothing of the target."""
Conclusion = Literal["conforms", "violates", "inconclusive", "error"]
TRIES_AGAIN: Final = 3
"""What rests on comparing states, was not confirmed, and does not show in so many further tries is inconclusive."""
NOT_SEEN_AGAIN: Final = f"0 of {TRIES_AGAIN}"
"""The stability of what did not."""


FAMILY_ENDS: Final = ": "
"""What ends the family of a kind of input, where kinds are so many that they are told by families."""


class Kept(msgspec.Struct, frozen=True, tag=True):
    """A promise that an episode put to the test and that held."""

    requirement: str
    place: str = ""


class Violation(msgspec.Struct, frozen=True, tag=True):
    """A promise that did not hold, with what was expected and what was there instead.

    ``place`` and ``kind`` name where and how, without ids, values or times, so that the same defect has the same name
    in every run.  ``shown_by`` are positions in the episode.
    """

    requirement: str
    place: str
    kind: str
    expected: str
    actual: str
    shown_by: tuple[int, ...]
    level: Level | None = None
    """``None``: the requirement's own."""
    inferred_place: bool = False
    """The place is only inferred: a *must* holds there once the run has seen the target store it."""
    compares_states: bool = False
    """Rests on comparing states, which another writer can disturb."""
    is_silence: bool = False
    """Rests on there being no answer, for which the connection can be at fault."""
    features: tuple[str, ...] = ()
    """The shapes of the body, one of which may be the cause: where the run saw the target accept all others of them, it
    takes the place of ``place``."""
    explained_by: tuple[str, ...] = ()
    """The ids of the findings that are its cause where the run has each of them: then it does not count."""

    @property
    def finding_id(self) -> str:
        """The id of the finding that it is by itself, whatever turns out to be its cause."""
        return finding_id(self.requirement, self.place, self.kind)


class Seen(msgspec.Struct, frozen=True, tag=True):
    """An answer to a question that the documentation leaves open; ``kind`` is the sort of input it was given to."""

    reading: str
    token: str
    kind: str = ""
    shown_by: tuple[int, ...] = ()


class Stored(msgspec.Struct, frozen=True, tag=True):
    """Schema places that the target was seen to accept, store and give back."""

    places: tuple[str, ...]


class Crash(msgspec.Struct, frozen=True, tag=True):
    """A check broke on an episode, so that it says nothing of what it speaks about; the harness is at fault."""

    about: tuple[str, ...]
    """Requirements and readings."""
    problem: str


Judgement = Kept | Violation | Seen | Stored | Crash


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One violation of a run, however often it showed."""

    id: str
    requirement: str
    level: Level
    place: str
    kind: str
    expected: str
    actual: str
    episode: str
    shown_by: tuple[int, ...]
    count: int = 1
    accepted: bool = False
    """A baseline accepts it: it is told, and fails nothing."""
    stability: str = ""
    """How often it showed again when it was sent again, such as ``2 of 3``."""


class RequirementOutcome(msgspec.Struct, frozen=True):
    """The verdict on one requirement."""

    id: str
    level: str
    verdict: Verdict
    exercised: int
    findings: int
    reason: str | None = None


class ReadingOutcome(msgspec.Struct, frozen=True):
    """The answer that the target gives to one open question.

    ``answer`` is a token, ``mixed`` where inputs of one kind got two answers, ``varies`` where each kind has its own
    (then ``by_kind`` tells them, by their families where they have some), ``None`` where the question was not put.
    """

    id: str
    answer: str | None
    observations: int
    accepted: bool
    by_kind: dict[str, tuple[str, ...]] = {}


class Outcome(msgspec.Struct, frozen=True):
    """What a run concludes; everything here is a pure function of the journal."""

    conclusion: Conclusion
    exit_code: int
    reason: str | None
    requirements: dict[str, RequirementOutcome]
    readings: dict[str, ReadingOutcome]
    findings: tuple[Finding, ...]


def finding_id(requirement: str, place: str, kind: str) -> str:
    """The stable id of a defect: a hash of requirement, place and kind."""
    return hashlib.sha256("\x1f".join((requirement, place, kind)).encode("utf-8", "surrogatepass")).hexdigest()[:12]
