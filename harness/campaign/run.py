"""One campaign from the first look at the target to the last rule put back."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from rules_harness.harness.campaign.choosing import made_cases
from rules_harness.harness.campaign.collecting import Collector
from rules_harness.harness.campaign.coverage import ANSWERS, CASES, MUTATIONS, SHAPES, Coverage, map_of
from rules_harness.harness.campaign.crew import Crew, Lost
from rules_harness.harness.campaign.earlier import Earlier, take_over
from rules_harness.harness.campaign.messages import CorpusEntry, Report, Shard
from rules_harness.harness.campaign.searching import Search
from rules_harness.harness.campaign.settings import CampaignSettings, State, Watcher
from rules_harness.harness.journal import EpisodeRecord, Footer, Journal, Note
from rules_harness.harness.judging.judge import CONTAINED, conclude
from rules_harness.harness.judging.outcome import Outcome
from rules_harness.harness.judging.tally import Tally
from rules_harness.harness.scenarios.case import Situation
from rules_harness.harness.scenarios.planner import Shared
from rules_harness.harness.session.custody import Contained, stopped
from rules_harness.harness.session.keeping import Keeping, share
from rules_harness.harness.session.session import profile_record
from rules_harness.harness.smaller.minimise import Minimiser
from rules_harness.harness.smaller.resending import Recording
from rules_harness.harness.target.hooks import Hooks
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.wire.client import BudgetSpent, Client, Stopped, TargetDown
from rules_harness.openapi.contract import Contract

ALONE_SHARE: Final = 0.15
"""Of time and requests, for what needs all rules at once."""
ALONE_SECONDS: Final = 30.0
ALONE_REQUESTS: Final = 700
SMALLEST_SHARE: Final = 0.2
"""Of the profile's requests, for making findings smaller."""
MINIMISE_SECONDS: Final = 60.0
_SHOW_SECONDS: Final = 0.25
_ENTRIES_AT_ONCE: Final = 64


class Campaign:
    """One campaign. Make it, call `run` once; `stop` may be called at any time, in a signal handler too."""

    def __init__(
        self,
        contract: Contract,
        profile: Profile,
        keyring: Keyring,
        client: Client,
        journal: Journal,
        settings: CampaignSettings,
        watcher: Watcher,
        crew: Callable[[], Crew],
        *,
        keep: Callable[[Sequence[CorpusEntry]], None] = lambda entries: None,
        earlier: Earlier | None = None,
        accepted: Mapping[str, str] | None = None,
    ) -> None:
        self._contract = contract
        self._profile = profile
        self._client = client
        self._journal = journal
        self._settings = settings
        self._watcher = watcher
        self._make_crew = crew
        self._entries = list(settings.entries)
        self._keep = keep
        self._accepted = dict(accepted or {})
        self._hooks = Hooks(profile, keyring)
        self._nonce = secrets.token_hex(8)
        self._shared = self._share(profile)
        # What cases are made of is worked out here once: workers begin with a copy of this process.
        deque(made_cases(contract, self._shared.world, profile), maxlen=0)
        coverage = Coverage(map_of(contract, self._shared.world, risky=self._shared.guard.is_open))
        self.collector = Collector(journal, Tally(contract), coverage, capture_all=settings.capture_all)
        self.keeping = Keeping(self._shared, profile, self.collector, take_over(earlier, self.collector))
        self._earlier_seconds = 0.0 if earlier is None else earlier.seconds
        self._notes: list[Note] = []
        self._is_stopped = False
        self._ends = False
        self._began = time.monotonic()
        self._deadline = self._began + settings.seconds
        self._doing = "looking at the target"
        self._shown_at = 0.0
        self._shards = 0
        self._own_requests = 0

    def stop(self) -> None:
        """Let nothing leave from now on; `run` puts rules back and returns."""
        self._is_stopped = True
        self._client.stop()

    def run(self) -> Outcome:
        """Survey, put back, search, make smaller, restore, conclude; rules are put back whatever happens in between."""
        crew = self._make_crew()
        try:
            self._campaign(crew)
        except Stopped:
            self._is_stopped = True
        except BudgetSpent as reason:
            self._note(stopped(f"limits.max_requests is spent: {reason}", beats_findings=False))
        except TargetDown as reason:
            self._note(stopped(f"the target is down: {reason}", beats_findings=False))
        finally:
            crew.close()
            self._doing = "putting rules back"
            with self._client.restoring():
                for rule, problem in self.keeping.give_back().items():
                    self._watcher.note(f"{rule} could not be put back: {problem}")
            self._hooks.close()
        return self._conclude()

    def _campaign(self, crew: Crew) -> None:
        situation = self.keeping.take()
        self._count_own()
        if situation is None:
            if self.keeping.stop is not None:
                self._note(self.keeping.stop)
            return
        if self._profile.rules.writable and not situation.usable:
            reasons = "; ".join(f"{rule}: {reason}" for rule, reason in situation.reasons.items())
            self._note(stopped(f"no writable rule can be used ({reasons})", beats_findings=False))
        budget = self._search_budget()
        alone = min(int(budget * ALONE_SHARE), ALONE_REQUESTS) if situation.usable else 0
        alone_seconds = min(self._settings.seconds * ALONE_SHARE, ALONE_SECONDS) if situation.usable else 0.0
        self._doing = "searching"
        pace = self._settings.shard_seconds
        until = self._deadline - alone_seconds
        Search(self, crew, situation, requests=budget - alone, until=until, shard_seconds=pace).run()
        if alone and self.goes_on():
            self._doing = "comparing rules"
            until = max(self._deadline, time.monotonic() + alone_seconds)
            Search(self, crew, situation, requests=alone, until=until, shard_seconds=pace, alone=True).run()
        self.collector.count()
        if not self._ends and not self._is_stopped:
            self._doing = "making findings smaller"
            self._minimise()

    def _search_budget(self) -> int:
        """Requests for the search: some are kept for making findings smaller, and the survey's are spent."""
        most = self._profile.limits.max_requests
        kept = min(int(most * SMALLEST_SHARE), 10 * self._profile.limits.minimise_requests)
        left = max(1, most - self._own_requests - kept)
        return left if self._settings.requests is None else min(left, self._settings.requests)

    def shard(
        self,
        situation: Situation,
        rules: tuple[str, ...],
        *,
        requests: int,
        seconds: float,
        at_most: float,
        share: float,
        alone: bool,
    ) -> Shard:
        """The next shard for a member that owns these rules and may use this share of the rate."""
        self._shards += 1
        profile, collector = self.keeping.shared.profile, self.collector
        limits = msgspec.structs.replace(
            profile.limits,
            max_requests=max(1, requests),
            requests_per_second=max(profile.limits.requests_per_second * share, 0.01),
        )
        taken, self._entries = self._entries[:_ENTRIES_AT_ONCE], self._entries[_ENTRIES_AT_ONCE:]
        return Shard(
            number=self._shards,
            seed=self._settings.seed,
            now=self._settings.now,
            nonce=self._nonce,
            profile=msgspec.structs.replace(profile, limits=limits),
            rules=rules,
            seconds=seconds,
            at_most=at_most,
            readable=situation.readable,
            limited=situation.limited,
            foreign=situation.foreign,
            alone=alone,
            capture_all=self._settings.capture_all,
            reached=collector.coverage.reached(SHAPES, MUTATIONS, ANSWERS, CASES),
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
        if report.stopped:
            self._end(stopped(report.stopped, beats_findings=False))
        if report.contained is not None:
            rule, problem = report.contained
            told = Contained(rule, problem)
            self._end(Note(kind=CONTAINED, text=str(told), data={"rule": rule, "problem": problem}))

    def lost(self, lost: Lost) -> int:
        """A worker that has ended early; returns how many requests it has told of."""
        self._watcher.note(f"{lost.why}; another takes its place and its shard is run again")
        if lost.shard is not None:
            self.keeping.known.stale.update(lost.shard.rules)
            return self.collector.requests_of(lost.shard.number)
        return 0

    def end(self, text: str) -> None:
        """End the search for a reason of its own."""
        self._end(stopped(text, beats_findings=False))

    def goes_on(self) -> bool:
        """Whether the search may go on, time and budget aside."""
        self.show()
        return not (self._is_stopped or self._ends)

    def show(self) -> None:
        """Tell whoever looks on, where it is time to."""
        now = time.monotonic()
        if now - self._shown_at < _SHOW_SECONDS:
            return
        self._shown_at = now
        coverage = self.collector.coverage.summary()
        wanted = self._settings.requests or self._profile.limits.max_requests
        self._watcher.state(
            State(
                doing=self._doing,
                elapsed=now - self._began,
                seconds_left=max(0.0, self._deadline - now),
                requests=self.collector.requests,
                requests_left=max(0, wanted - self.collector.requests),
                rate=self.collector.rate,
                latency=self.collector.latency,
                coverage={name: (told["reached"], told["all"]) for name, told in coverage.items()},
                findings=dict(self.collector.findings),
            )
        )

    def _minimise(self) -> None:
        """Each new finding, as small as it gets."""
        tally, limits = self.collector.tally, self._profile.limits
        if not limits.minimise_requests:
            return
        until = time.monotonic() + MINIMISE_SECONDS
        minimiser = Minimiser(self._contract, self.keeping.shared.world, self.keeping.bench, _same_rules)
        pending = [one for one in tally.findings() if not one.stability and one.id not in self._accepted]
        # What fails the contract comes first.
        for finding in sorted(pending, key=lambda one: one.level != "must"):
            first = self.collector.first.get(finding.id)
            if first is None or time.monotonic() > until:
                continue
            smallest = minimiser.minimise(
                Recording.of(first),
                tally.shown[finding.id].violation,
                name=f"smallest/{finding.id}",
                budget=limits.minimise_requests,
            )
            self._count_own()
            episode = smallest.episode or first
            told = msgspec.structs.replace(
                episode, id=f"smallest/{finding.id}", smallest=finding.id, stability=smallest.stability
            )
            self._journal.write(EpisodeRecord(told), sync=True)
            tally.add(told)
            self.show()

    def _conclude(self) -> Outcome:
        self._count_own()
        self.collector.count()
        collector = self.collector
        seconds = time.monotonic() - self._began
        coverage = collector.coverage.summary()
        self._journal.write(
            Footer(
                requests=collector.requests,
                seconds=round(self._earlier_seconds + seconds, 3),
                ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
                interrupted=self._is_stopped,
                coverage=coverage,
            ),
            sync=True,
        )
        return conclude(
            collector.tally,
            profile=record_of(self._profile),
            notes=self._notes,
            accepted=self._accepted,
            interrupted=self._is_stopped,
        )

    def _count_own(self) -> None:
        """Count what this process has sent itself."""
        sent = self._client.requests_sent
        self.collector.sent(sent - self._own_requests)
        self._own_requests = sent

    def _end(self, note: Note) -> None:
        if not self._ends:
            self._note(note)
        self._ends = True

    def _note(self, note: Note) -> None:
        self._notes.append(note)
        self._journal.write(note, sync=True)
        self._watcher.note(note.text)

    def _share(self, profile: Profile) -> Shared:
        return share(
            self._contract,
            profile,
            self._client,
            self._hooks,
            now=self._settings.now,
            seed=self._settings.seed,
            nonce=self._nonce,
        )


def record_of(profile: Profile) -> dict[str, object]:
    """A profile as a campaign's journal holds it: what a gate must judge binds no random run."""
    return {**profile_record(profile), "gate": {}}


def _same_rules(recording: Recording) -> dict[str, str]:
    return {rule: rule for rule in recording.rules}
