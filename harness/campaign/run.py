"""One campaign from the first look at the target to the last rule put back."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

import msgspec

from rules_harness.harness.campaign.choosing import made_scenarios
from rules_harness.harness.campaign.collecting import Collector
from rules_harness.harness.campaign.coverage import ANSWERS, FACTORS, MUTATIONS, SCENARIOS_RUN, SHAPES, Coverage, map_of
from rules_harness.harness.campaign.crew import Crew, Lost
from rules_harness.harness.campaign.earlier import Earlier, take_over
from rules_harness.harness.campaign.messages import CorpusEntry, Report, Shard, Stage
from rules_harness.harness.campaign.searching import Search
from rules_harness.harness.campaign.settings import CampaignSettings, State, Watcher
from rules_harness.harness.journal import EpisodeRecord, Journal, Note
from rules_harness.harness.judging.judge import LIMITED
from rules_harness.harness.judging.tally import Tally
from rules_harness.harness.scenarios import all_scenarios, needs_told
from rules_harness.harness.scenarios.scenario import Situation, lacking
from rules_harness.harness.session.endings import stopped
from rules_harness.harness.session.lanes import IN_TURN, may_run_side_by_side, runnable
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.session import Session, Totals
from rules_harness.harness.smaller.minimise import Minimiser
from rules_harness.harness.smaller.reducing import Budget, smallest_episodes
from rules_harness.openapi.contract import Contract

ALONE_SHARE: Final = 0.15
"""Of time and requests, for what needs all rules at once."""
ALONE_SECONDS: Final = 30.0
ALONE_REQUESTS: Final = 700
SMALLEST_SHARE: Final = 0.2
"""Of the profile's requests, for making findings smaller."""
_SHOW_SECONDS: Final = 0.25
_ENTRIES_AT_ONCE: Final = 64


class Campaign(Session):
    """One campaign. Make it, call `run` once; `stop` may be called at any time, in a signal handler too."""

    kind: ClassVar[str] = "campaign"
    is_sampled: ClassVar[bool] = True

    def __init__(
        self,
        contract: Contract,
        target: Opened,
        journal: Journal,
        settings: CampaignSettings,
        watcher: Watcher,
        crew: Callable[[], Crew],
        *,
        keep: Callable[[Sequence[CorpusEntry]], None] = lambda entries: None,
        earlier: Earlier | None = None,
        accepted: Mapping[str, str] | None = None,
    ) -> None:
        world = target.profile.world(settings.now)
        # What scenarios are made of is worked out here once: workers begin with a copy of this process.
        deque(made_scenarios(contract, world, target.profile), maxlen=0)
        coverage = Coverage(map_of(contract, world, risky=target.profile.allows_live_shapes))
        self.collector = Collector(journal, Tally(contract), coverage, capture_all=settings.capture_all)
        super().__init__(
            contract,
            target,
            journal,
            settings,
            watcher,
            record=self.collector,
            earlier=take_over(earlier, self.collector),
        )
        self._campaign = settings
        self._is_continued = earlier is not None
        self._watcher = watcher
        self._make_crew = crew
        self._entries = list(settings.entries)
        self._keep = keep
        self._accepted = dict(accepted or {})
        self._earlier_seconds = 0.0 if earlier is None else earlier.seconds
        self._ends = False
        self._began = time.monotonic()
        self._deadline = self._began + settings.seconds
        self._doing = "looking at the target"
        self._shown_at = 0.0
        self._shards = self.collector.requests
        """The number of the last shard: one that goes on uses none, nor the names that come from it, a second time."""
        self._own_requests = 0

    def begin(self) -> None:
        """Begin the record, unless it goes on."""
        if not self._is_continued:
            super().begin()

    def work(self, situation: Situation) -> None:
        """Search, then make what was found smaller; every worker has ended before rules are put back."""
        self._count_own()
        if self.profile.rules.writable and not situation.usable:
            reasons = "; ".join(f"{rule}: {reason}" for rule, reason in situation.reasons.items())
            self.stop_for(f"no writable {self.contract.noun} can be used ({reasons})")
        self._skip(situation)
        crew = self._make_crew()
        try:
            self._search(crew, situation)
        finally:
            crew.close()
            self._doing = f"putting {self.contract.noun.plural} back"
        self.collector.count()
        if not self._ends and not self.interrupted:
            self._doing = "making findings smaller"
            self._minimise()

    def _skip(self, situation: Situation) -> None:
        """Record what no scenario can put to the test here; what some can, a search may just not come to."""
        # Where a rule can be used, each scenario that needs nothing else is possible.
        told = needs_told if situation.plausible and situation.usable else all_scenarios
        shared = self.keeping.shared
        scenarios = list(told(self.contract, shared.world, shared.profile))
        possible = {
            name for scenario in scenarios if lacking(scenario, situation) is None for name in scenario.requirements
        }
        for scenario in scenarios:
            impossible = tuple(name for name in scenario.requirements if name not in possible)
            if impossible:
                runnable([msgspec.structs.replace(scenario, requirements=impossible)], situation, self.collector)

    def _search(self, crew: Crew, situation: Situation) -> None:
        budget = self._search_budget()
        alone = min(int(budget * ALONE_SHARE), ALONE_REQUESTS) if situation.usable else 0
        alone_seconds = min(self._campaign.seconds * ALONE_SHARE, ALONE_SECONDS) if situation.usable else 0.0
        self._doing = "searching"
        stretch = partial(Search, self, crew, situation, shard_seconds=self._campaign.shard_seconds)
        until = self._deadline - alone_seconds
        first = stretch(requests=budget - alone, until=until, stage="first")
        if len(situation.usable) > 1:
            first.run()
        search = stretch(requests=first.left, until=until, stage=self._side_by_side())
        search.run()
        if alone and self.goes_on():
            self._doing = f"comparing {self.contract.noun.plural}"
            until = max(self._deadline, time.monotonic() + alone_seconds)
            stretch(requests=alone, until=until, stage="alone").run()
        if search.left < 1 and self.goes_on() and time.monotonic() < self._deadline:
            limit = "--requests" if self._campaign.requests is not None else "limits.max_requests"
            early = self._deadline - time.monotonic()
            self.note(Note(LIMITED, f"{limit} ended the search, {early:.0f} s before its time."))

    def _side_by_side(self) -> Stage:
        """How the search goes on: at once with several rules, unless that was seen to mix them up."""
        if may_run_side_by_side(self.collector.tally.findings()):
            return "side by side"
        self.note(IN_TURN)
        return "in turn"

    def _search_budget(self) -> int:
        """Requests for the search: some are kept for making findings smaller, and the survey's are spent."""
        most = self.profile.limits.max_requests
        kept = min(int(most * SMALLEST_SHARE), 10 * self.profile.limits.minimise_requests)
        left = max(1, most - self._own_requests - kept)
        return left if self._campaign.requests is None else min(left, self._campaign.requests)

    def shard(
        self,
        situation: Situation,
        rules: tuple[str, ...],
        *,
        requests: int,
        seconds: float,
        at_most: float,
        share: float,
        stage: Stage,
    ) -> Shard:
        """The next shard for a member that owns these rules and may use this share of the rate."""
        self._shards += 1
        profile, collector = self.keeping.shared.profile, self.collector
        limits = msgspec.structs.replace(
            profile.limits,
            max_requests=max(1, requests),
            requests_per_second=max(profile.limits.requests_per_second * share, 0.01),
        )
        at_once = _ENTRIES_AT_ONCE if stage in ("side by side", "in turn") else 0
        taken, self._entries = self._entries[:at_once], self._entries[at_once:]
        return Shard(
            number=self._shards,
            seed=self._campaign.seed,
            now=self.keeping.shared.world.now,
            nonce=self.nonce,
            profile=msgspec.structs.replace(profile, limits=limits),
            rules=rules,
            seconds=seconds,
            at_most=at_most,
            readable=situation.readable,
            limited=situation.limited,
            foreign=situation.foreign,
            stage=stage,
            capture_all=self._campaign.capture_all,
            reached=collector.coverage.reached(SHAPES, MUTATIONS, FACTORS, ANSWERS, SCENARIOS_RUN),
            bodies=tuple(collector.bodies),
            entries=tuple(taken),
        )

    def take(self, report: Report) -> None:
        """What a worker tells."""
        self.collector.add(report)
        if self.collector.entries:
            self._keep(self.collector.entries)
            self.collector.entries = []
        for rule in report.written:
            self.keeping.known.stale.add(rule)
        if report.ending is not None:
            self._end_search(report.ending)

    def lost(self, lost: Lost) -> int:
        """A worker that has ended early; returns how many requests it has told of."""
        self._watcher.note(f"{lost.why}; another takes its place and its shard is run again")
        if lost.shard is not None:
            self.keeping.known.stale.update(lost.shard.rules)
            return self.collector.requests_of(lost.shard.number)
        return 0

    def end(self, text: str) -> None:
        """End the search for a reason of its own."""
        self._end_search(stopped(text, beats_findings=False))

    def goes_on(self) -> bool:
        """Whether the search may go on, time and budget aside."""
        self.show()
        return not (self.interrupted or self._ends)

    def show(self) -> None:
        """Tell whoever looks on, where it is time to."""
        now = time.monotonic()
        if now - self._shown_at < _SHOW_SECONDS:
            return
        self._shown_at = now
        coverage = self.collector.coverage.summary()
        wanted = self._campaign.requests or self.profile.limits.max_requests
        self._watcher.state(
            State(
                doing=self._doing,
                elapsed=now - self._began,
                seconds_left=max(0.0, self._deadline - now),
                requests=self.collector.requests,
                requests_left=max(0, wanted - self.collector.requests),
                rate=self.collector.rate,
                latency=self.collector.latency,
                coverage={name: (count["reached"], count["of"]) for name, count in coverage.items()},
                findings=dict(self.collector.findings),
            )
        )

    def _minimise(self) -> None:
        """Each new finding, as small as it gets."""
        tally, limits = self.collector.tally, self.profile.limits
        if not limits.minimise_requests:
            return
        if self._is_continued:
            # What another part recorded may be somebody else's.
            self.keeping.shared.guard.distrust()
        minimiser = Minimiser(
            self.contract, self.keeping.shared.world, self.keeping.bench, after=self.keeping.contain_where_needed
        )
        pending = [
            finding for finding in tally.findings() if not finding.stability and finding.id not in self._accepted
        ]
        budget = Budget.of(limits, requests=limits.max_requests - self.collector.requests)
        for smallest in smallest_episodes(tally, pending, self.collector.first, minimiser, budget):
            self._count_own()
            self.collector.write(EpisodeRecord(smallest), sync=True)
            tally.add(smallest)
            self.show()

    def finish(self) -> None:
        """End the record."""
        self._count_own()
        self.collector.count()
        super().finish()

    def totals(self) -> Totals:
        """What all parts of the campaign took and reached."""
        seconds = self._earlier_seconds + time.monotonic() - self._began
        return Totals(self.collector.requests, seconds, self.collector.coverage.summary())

    def profile_record(self) -> dict[str, Any]:
        """The profile as the journal holds it: what a gate must judge binds no random run."""
        return {**super().profile_record(), "gate": {}}

    def _count_own(self) -> None:
        """Count what this process has sent itself."""
        sent = self.client.requests_sent
        self.collector.sent(sent - self._own_requests)
        self._own_requests = sent

    def _end_search(self, note: Note) -> None:
        if not self._ends:
            self.note(note)
        self._ends = True
