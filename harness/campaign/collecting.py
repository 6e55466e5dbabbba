"""Gathers what workers tell: into the journal, into the tally, and into what is shown while the campaign goes on."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Final

from rules_harness.harness.campaign.coverage import Coverage
from rules_harness.harness.campaign.messages import CorpusEntry, Judged, Reached, Report, Sample, Sum
from rules_harness.harness.campaign.sampling import Sampling
from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import Count, EpisodeRecord, Journal
from rules_harness.harness.judging.outcome import Judgement
from rules_harness.harness.judging.tally import Tally, judge_episode
from rules_harness.harness.session.record import RunRecord

SAMPLES: Final = 4
"""Episodes of one name that are kept whole although they passed."""
SHOWN_WHOLE: Final = 3
"""Episodes that are kept whole for one finding."""
_COUNT_SECONDS: Final = 2.0
_COUNTS: Final = 300
"""So many counts may be in a journal before they are told more rarely: it grows with the logarithm of the time."""
_RECENT_SECONDS: Final = 5.0
_ENTRIES: Final = 500
_BODIES: Final = 64


class Collector(RunRecord):
    """The record of a campaign; used by one thread."""

    def __init__(self, journal: Journal, tally: Tally, coverage: Coverage, *, capture_all: bool) -> None:
        super().__init__(journal, tally)
        self.coverage = coverage
        self.requests = 0
        """Told by workers, and sent by the campaign itself."""
        self.findings: Counter[str] = Counter()
        """The findings that were shown, by family; each is in the journal by then."""
        self.bodies: deque[dict[str, object]] = deque(maxlen=_BODIES)
        """Plausible bodies that the target has taken."""
        self.entries: list[CorpusEntry] = []
        """What is worth trying again next time, and was not kept yet."""
        self.first: dict[str, Episode] = {}
        """The first episode of each finding, by finding id."""
        self._worth = 0
        self._sampling = Sampling(passed=SAMPLES, shown=SHOWN_WHOLE, everything=capture_all)
        self._sum = Sum()
        self._new: dict[str, list[int | str]] = {}
        self._requests_of: dict[int, int] = {}
        self._uncounted = 0
        self._counts = 0
        self._counted_at = time.monotonic()
        self._latencies: deque[float] = deque(maxlen=2000)
        self._recent: deque[tuple[float, int]] = deque()

    def continue_from(self, count: Count) -> None:
        """Take over what an earlier part of the campaign has counted."""
        self.tally.add_count(count)
        self.requests += count.requests
        self.coverage.add(count.reached)

    def known(self, episode: Episode) -> list[Judgement]:
        """Take over an episode of an earlier part; returns what is judged of it."""
        judged = Judged(episode, tuple(judge_episode(episode, self.tally.contract)))
        self._tally(judged)
        if not (episode.confirms or episode.smallest):
            self._sampling.know(Sample(judged))
        return list(judged.judgements)

    def episode(self, episode: Episode) -> list[Judgement]:
        """An episode of the campaign's own."""
        self.write(EpisodeRecord(episode))
        return self.known(episode)

    def sent(self, requests: int) -> None:
        """Requests that the campaign itself has sent."""
        self.requests += requests
        self._uncounted += requests

    def add(self, report: Report) -> None:
        """Take in what a worker tells; what it shows is on the disk afterwards."""
        already = self._requests_of.get(report.shard, 0)
        fresh = max(0, report.requests - already)
        self._requests_of[report.shard] = already + fresh
        self.sent(fresh)
        self._recent.append((time.monotonic(), fresh))
        self._latencies.extend(report.latencies)
        self._sum.add(report.counts)
        self._reach(report.reached)
        self.bodies.extend(report.accepted)
        room = max(0, _ENTRIES - self._worth)
        self._worth += len(report.entries[:room])
        self.entries += report.entries[:room]
        for skipped in report.skipped:
            if skipped.reason not in {earlier.reason for earlier in self.skipped}:
                self.skip(skipped)
        for sample in report.samples:
            self._add_sample(sample)
        if time.monotonic() - self._counted_at > _COUNT_SECONDS * (1 + self._counts / _COUNTS) ** 2:
            self.count()

    def requests_of(self, shard: int) -> int:
        """How many requests of a shard are known of."""
        return self._requests_of.get(shard, 0)

    def count(self) -> None:
        """Write down what was counted since this was last done."""
        total = self._sum.total()
        new: Reached = {name: tuple(members) for name, members in self._new.items()}
        record = Count(
            kept=total.exercised,
            places=total.places,
            readings=total.readings,
            shown=total.shown,
            requests=self._uncounted,
            reached=new,
            crashes=total.crashes,
            unanswered=total.unanswered,
        )
        self.write(record)
        self.tally.add_count(record)
        self._sum, self._new, self._uncounted = Sum(), {}, 0
        self._counts += 1
        self._counted_at = time.monotonic()

    @property
    def rate(self) -> float:
        """Requests per second over the last seconds."""
        now = time.monotonic()
        while self._recent and now - self._recent[0][0] > _RECENT_SECONDS:
            self._recent.popleft()
        if not self._recent:
            return 0.0
        return sum(requests for _, requests in self._recent) / max(now - self._recent[0][0], 0.5)

    @property
    def latency(self) -> tuple[float, float] | None:
        """Median and 95th percentile of late, in seconds."""
        if not self._latencies:
            return None
        ordered = sorted(self._latencies)
        return ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100]

    def _reach(self, reached: Reached) -> None:
        self.coverage.add(reached)
        for name, members in reached.items():
            self._new.setdefault(name, []).extend(members)

    def _add_sample(self, sample: Sample) -> None:
        if not self._sampling.keeps(sample):
            self._sum.add(sample.first.counts)
            return
        for judged in (sample.first, *sample.again):
            self.write(EpisodeRecord(judged.episode), sync=bool(judged.violations))
            self._tally(judged)

    def _tally(self, judged: Judged) -> None:
        """What was judged where the whole episode was known counts; nothing is judged again."""
        episode = judged.episode
        self.tally.add(episode, judged.judgements)
        if episode.confirms or episode.smallest:
            return
        for identity, (violation, *_) in judged.violations.items():
            if identity not in self.first:
                self.first[identity] = episode
                self.findings[violation.requirement.partition(".")[0]] += 1
