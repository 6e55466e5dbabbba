"""What a campaign and its workers tell each other; small records that travel between processes and machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import Note, Skipped
from rules_harness.harness.judging.outcome import Crash, Judgement, Kept, Seen, Stored, Violation
from rules_harness.harness.judging.unjudged import unanswered_in
from rules_harness.harness.target.profile import Profile
from rules_harness.strategies.histories import History

Stage = Literal["first", "side by side", "in turn", "alone"]
"""How far a campaign has got, and how it goes on."""
Reached = dict[str, tuple[int | str, ...]]
"""What was reached, by kind of coverage; numbers are positions in lists that follow from the contract."""


class Counts(msgspec.Struct, frozen=True, omit_defaults=True):
    """Judgements, added up."""

    exercised: dict[str, int] = {}
    places: tuple[str, ...] = ()
    readings: tuple[tuple[str, str, str, int], ...] = ()
    """(reading, token, kind, times)."""
    shown: dict[str, int] = {}
    """Violations by finding id."""
    crashes: dict[str, str] = {}
    """Requirements and readings whose check broke, and how."""
    unanswered: dict[str, str] = {}
    """Requirements of episodes in which a request was not answered, with what happened instead."""

    @classmethod
    def of(cls, judgements: Iterable[Judgement], unanswered: Mapping[str, str] | None = None) -> Counts:
        exercised: Counter[str] = Counter()
        violations: Counter[str] = Counter()
        readings: Counter[tuple[str, str, str]] = Counter()
        places: dict[str, None] = {}
        crashes: dict[str, str] = {}
        for judgement in judgements:
            match judgement:
                case Kept(requirement=requirement):
                    exercised[requirement] += 1
                case Violation(requirement=requirement):
                    exercised[requirement] += 1
                    violations[judgement.finding_id] += 1
                case Seen(reading=reading, token=token, kind=kind):
                    readings[reading, token, kind] += 1
                case Stored(places=stored):
                    places.update(dict.fromkeys(stored))
                case Crash(about=about, problem=problem):
                    crashes.update(dict.fromkeys(about, problem))
        seen = tuple((*key, times) for key, times in readings.items())
        return cls(dict(exercised), tuple(places), seen, dict(violations), crashes, dict(unanswered or {}))


class Sum:
    """Counts, added up further."""

    def __init__(self) -> None:
        self.exercised: Counter[str] = Counter()
        self.places: set[str] = set()
        self.readings: Counter[tuple[str, str, str]] = Counter()
        self.shown: Counter[str] = Counter()
        self.crashes: dict[str, str] = {}
        self.unanswered: dict[str, str] = {}

    def add(self, counts: Counts) -> None:
        self.exercised.update(counts.exercised)
        self.places.update(counts.places)
        for reading, token, kind, times in counts.readings:
            self.readings[reading, token, kind] += times
        self.shown.update(counts.shown)
        self.crashes.update(counts.crashes)
        self.unanswered.update(counts.unanswered)

    def remove(self, counts: Counts) -> None:
        """Leave the rest of what was added: what is not told by the episode that these are counts of."""
        self.exercised.subtract(counts.exercised)
        for reading, token, kind, times in counts.readings:
            self.readings[reading, token, kind] -= times
        self.shown.subtract(counts.shown)

    def total(self) -> Counts:
        return Counts(
            dict(+self.exercised),
            tuple(sorted(self.places)),
            tuple((*key, times) for key, times in sorted((+self.readings).items())),
            dict(+self.shown),
            dict(self.crashes),
            dict(self.unanswered),
        )


class CorpusEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is worth trying again: a body, a way to break one, or a history with the bodies that it names."""

    body: dict[str, Any] | None = None
    mutation: str = ""
    history: History = ()
    bodies: tuple[dict[str, Any], ...] = ()
    factors: tuple[str, ...] = ()
    """The circumstances, as `strategies.design.named` writes them."""


class Judged(msgspec.Struct, frozen=True, omit_defaults=True):
    """An episode as it is kept, and what was judged of it where all of it was known."""

    episode: Episode
    judgements: tuple[Judgement, ...] = ()

    @property
    def violations(self) -> dict[str, list[Violation]]:
        """What it violates, by finding id."""
        by_identity: dict[str, list[Violation]] = {}
        for judgement in self.judgements:
            if isinstance(judgement, Violation):
                by_identity.setdefault(judgement.finding_id, []).append(judgement)
        return by_identity

    @property
    def counts(self) -> Counts:
        """Its judgements, added up."""
        return Counts.of(self.judgements, unanswered_in(self.episode))


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """An episode that is told whole, with those that repeat it to confirm what it shows."""

    first: Judged
    again: tuple[Judged, ...] = ()


class Shard(msgspec.Struct, frozen=True):
    """A part of a campaign: which rules it alone may write, and how much it may send for how long.

    ``profile`` holds its share of the limits; ``reached`` and ``entries`` what is to be known and tried first.
    In the stages *first* and *alone* nothing else runs meanwhile: rules may be compared with each other, and at last
    clocks be moved. *in turn* takes one rule after the other, where *side by side* takes them at once.
    """

    number: int
    seed: int
    now: datetime
    nonce: str
    profile: Profile
    rules: tuple[str, ...]
    seconds: float
    """After these no new attempt begins."""
    at_most: float
    """After these nothing leaves, however far an attempt has got: the campaign's own time is over."""
    readable: bool
    limited: bool = False
    foreign: bool = False
    stage: Stage = "side by side"
    capture_all: bool = False
    reached: Reached = {}
    bodies: tuple[dict[str, Any], ...] = ()
    """Bodies that the target has accepted."""
    entries: tuple[CorpusEntry, ...] = ()
    stored: tuple[str, ...] = ()
    """Places that the target was seen to store."""

    @property
    def requests(self) -> int:
        return self.profile.limits.max_requests


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a worker has done since its last report; ``latencies`` are seconds of some of its requests."""

    shard: int
    requests: int = 0
    """Sent for this shard by now, all in all."""
    counts: Counts = Counts()
    samples: tuple[Sample, ...] = ()
    reached: Reached = {}
    entries: tuple[CorpusEntry, ...] = ()
    accepted: tuple[dict[str, Any], ...] = ()
    latencies: tuple[float, ...] = ()
    written: tuple[str, ...] = ()
    """Rules that were written."""
    is_last: bool = False
    skipped: tuple[Skipped, ...] = ()
    """Scenarios that could not be run to their end, one for each reason."""
    ending: Note | None = None
    """Why the whole campaign has to end."""


_encoder = msgspec.msgpack.Encoder()
_shards = msgspec.msgpack.Decoder(Shard)
_reports = msgspec.msgpack.Decoder(Report)


def encode(message: Shard | Report) -> bytes:
    """A message as bytes."""
    return _encoder.encode(message)


def shard_from(content: bytes) -> Shard:
    """A shard out of its bytes."""
    return _shards.decode(content)


def report_from(content: bytes) -> Report:
    """A report out of its bytes."""
    return _reports.decode(content)
