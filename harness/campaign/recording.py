"""Judges what a shard has exchanged, and decides what of it is told whole and what is only counted."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from rules_harness.harness.campaign.choosing import Attempt
from rules_harness.harness.campaign.coverage import Coverage, wording_of
from rules_harness.harness.campaign.messages import CorpusEntry, Counts, Judged, Report, Sample, Shard, Sum
from rules_harness.harness.campaign.sampling import Sampling
from rules_harness.harness.exchange import Episode, Exchange
from rules_harness.harness.journal import Skipped
from rules_harness.harness.judging.outcome import Judgement, Seen, Violation
from rules_harness.harness.judging.states import sent_body
from rules_harness.harness.judging.tally import judge_episode
from rules_harness.harness.judging.unjudged import unanswered_in
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import Body

SAMPLES: Final = 1
"""Episodes of one name that a shard tells whole although they passed."""
SHOWN_WHOLE: Final = 2
"""Episodes that a shard tells whole for one finding."""
TELLING_SECONDS: Final = 0.5
_ACCEPTED_TOLD: Final = 16
_LATENCIES_TOLD: Final = 200


class Added(msgspec.Struct, frozen=True):
    """What came of one episode."""

    episode: Episode
    judgements: list[Judgement]
    accepted: list[dict[str, Any]]
    """Plausible bodies that the target took."""
    is_new: bool
    """An answer was of a kind that was not seen before."""


class Recorder:
    """Adds up one shard and tells it now and then; may be used by several threads."""

    def __init__(self, contract: Contract, shard: Shard, coverage: Coverage, emit: Callable[[Report], None]):
        self._contract = contract
        self._shard = shard
        self._coverage = coverage
        self._emit = emit
        self._lock = threading.Lock()
        self._sum = Sum()
        self._samples: list[Sample] = []
        self._entries: list[CorpusEntry] = []
        self._accepted: list[dict[str, Any]] = []
        self._latencies: list[float] = []
        self._told = time.monotonic()
        self._sampling = Sampling(passed=SAMPLES, shown=SHOWN_WHOLE, everything=shard.capture_all)
        self._skips: dict[str, Skipped] = {}
        self._skips_told = 0

    def skip(self, skipped: Skipped) -> None:
        """A scenario could not be run to its end; one of each reason is told."""
        with self._lock:
            self._skips.setdefault(skipped.reason, skipped)

    def add(self, attempt: Attempt, episode: Episode) -> Added:
        """Judge an episode and note what it reached; `keep` counts it in."""
        judgements = judge_episode(episode, self._contract)
        with self._lock:
            if len(self._latencies) < _LATENCIES_TOLD:
                self._latencies += [exchange.ended - exchange.started for exchange in episode.exchanges[:8]]
            accepted = [body for exchange in episode.exchanges if (body := _accepted(exchange)) is not None]
            self._accepted += accepted
            is_new = self._cover(attempt, episode, Counts.of(judgements))
        return Added(episode, judgements, accepted, is_new)

    def keep(self, attempt: Attempt, first: Added, again: Iterable[Added] = ()) -> None:
        """Count in what was judged of an attempt, told whole or not, with what was sent to confirm it."""
        counts = Counts.of(first.judgements, unanswered_in(first.episode))
        sample = Sample(self._judged(first), tuple(map(self._judged, again)))
        with self._lock:
            self._sum.add(counts)
            if not self._sampling.keeps(sample):
                return
            self._samples.append(sample)
            self._sum.remove(sample.first.counts)
            if counts.shown:
                self._entries += _entries(attempt, first.episode)

    def _judged(self, added: Added) -> Judged:
        if not self._shard.capture_all:
            smaller = reduced(added.episode, added.judgements, self._contract)
            if smaller is not None:
                return smaller
        return Judged(added.episode, tuple(added.judgements))

    def tell(self, requests: int, **last: Any) -> None:
        """Tell what is new, and how many requests were sent, where it is time to; with ``last`` in any case."""
        with self._lock:
            now = time.monotonic()
            if not last and not self._samples and now - self._told < TELLING_SECONDS:
                return
            self._told = now
            report = Report(
                shard=self._shard.number,
                requests=requests,
                counts=self._sum.total(),
                samples=tuple(self._samples),
                reached=self._coverage.news(),
                entries=tuple(self._entries),
                accepted=tuple(self._accepted[:_ACCEPTED_TOLD]),
                latencies=tuple(self._latencies),
                skipped=tuple(self._skips.values())[self._skips_told :],
                **last,
            )
            self._sum, self._samples, self._entries, self._accepted = Sum(), [], [], []
            self._latencies = []
            self._skips_told = len(self._skips)
        self._emit(report)

    def _cover(self, attempt: Attempt, episode: Episode, counts: Counts) -> bool:
        coverage = self._coverage
        coverage.add_scenario(f"{attempt.scenario.family}/{attempt.name}")
        shapes: set[str] = set() if attempt.base is None else set(attempt.base.shapes)
        if attempt.base is not None:
            coverage.add_shapes(attempt.base.shapes)
        kinds = coverage.kinds_of(shapes)
        for number in attempt.mutations:
            coverage.add_mutation(number, kinds)
        is_new = False
        for exchange in episode.exchanges:
            answer = exchange.answer
            if answer is None:
                continue
            if answer.is_success:
                shapes.update(exchange.intent.shapes)
                coverage.add_shapes(exchange.intent.shapes)
            coverage.add_factors(exchange.intent.factors)
            is_new = coverage.is_new_answer(exchange, *wording_of(self._contract, answer)) or is_new
        coverage.add_requirements(counts.exercised, shapes)
        if is_new:
            self._entries += _entries(attempt, episode)[:1]
        return is_new


def _accepted(exchange: Exchange) -> dict[str, Any] | None:
    """The body of a rightful update that was drawn as plausible and taken."""
    intent, answer = exchange.intent, exchange.answer
    is_plain = intent.body == "valid" and intent.acceptance != "open" and intent.access == "allowed"
    if intent.operation == "update" and is_plain and answer is not None and answer.status == 200:
        return dict(sent_body(exchange))
    return None


def reduced(episode: Episode, judgements: Iterable[Judgement], contract: Contract) -> Judged | None:
    """The episode without the exchanges that its violations do without; ``None`` where all of it is needed.

    Only what stands alone is left out: an exchange that refers to no other and that none refers to.  What is left is
    judged as the whole was: each violation alike, and nothing else that was not judged of the whole.
    """
    whole = Counter(_bare(judgement) for judgement in judgements)
    violations = {judgement: times for judgement, times in whole.items() if isinstance(judgement, Violation)}
    exchanges = episode.exchanges
    if not violations or any(
        exchange.intent.repeats is not None or exchange.intent.group is not None for exchange in exchanges
    ):
        return None
    needed = {
        position for judgement in judgements if isinstance(judgement, Violation) for position in judgement.shown_by
    }
    kept = tuple(
        exchange for at, exchange in enumerate(exchanges) if at in needed or exchange.intent.operation == "read"
    )
    smaller = msgspec.structs.replace(episode, exchanges=kept)
    left_over = judge_episode(smaller, contract)
    left = Counter(_bare(judgement) for judgement in left_over)
    is_same = left <= whole and violations == {violation: left[violation] for violation in violations}
    return Judged(smaller, tuple(left_over)) if is_same else None


def _bare(judgement: Judgement) -> Judgement:
    """A judgement, wherever in its episode it shows."""
    if isinstance(judgement, Violation | Seen):
        return msgspec.structs.replace(judgement, shown_by=())
    return judgement


def _entries(attempt: Attempt, episode: Episode) -> list[CorpusEntry]:
    """What of an attempt is worth trying again."""
    if attempt.history:
        return [CorpusEntry(history=attempt.history, bodies=attempt.materials.bodies)]
    base: Body | None = attempt.base
    if attempt.mutations:
        intents = [
            exchange.intent
            for exchange in episode.exchanges
            if exchange.answer is not None and exchange.answer.is_success
        ]
        body = None if base is None else base.value
        return [CorpusEntry(body, intent.label, factors=intent.factors) for intent in intents[:4] if intent.label]
    sent = [exchange for exchange in episode.exchanges if exchange.intent.acceptance == "should"]
    bodies = [(sent_body(exchange), exchange.intent.factors) for exchange in sent[:2]]
    return [CorpusEntry(dict(body), factors=factors) for body, factors in bodies if body]
