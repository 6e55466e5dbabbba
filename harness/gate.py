"""The conformance run: every scenario once, deterministic, judged as it goes.

Scenarios run in lanes, one for each rule, so that no rule has two writers; what needs all rules runs last, alone.  A
finding that rests on comparing states is confirmed: the rule is watched for another writer, and the scenario is run
again.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import EpisodeRecord, Journal, Note, Skipped, stream
from rules_harness.harness.judging.judge import FOR_FINDINGS, LIMITED, selected
from rules_harness.harness.judging.outcome import NOT_SEEN_AGAIN, Finding, Judgement, Violation
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.outgoing import Outgoing
from rules_harness.harness.scenarios.planner import Shared
from rules_harness.harness.scenarios.scenario import Scenario, Situation
from rules_harness.harness.scenarios.telling import most_telling_first, telling_first
from rules_harness.harness.scenarios.unmet import NotBegun, Unmet
from rules_harness.harness.session.confirming import Confirming, confirm
from rules_harness.harness.session.endings import Contained
from rules_harness.harness.session.lanes import (
    IN_TURN,
    Lane,
    chosen_scenarios,
    lanes_of,
    may_run_side_by_side,
    other_rules,
    runnable,
)
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.session import Progress, Session, Settings
from rules_harness.harness.smaller.minimise import Minimiser
from rules_harness.harness.smaller.reducing import Budget, smallest_episodes
from rules_harness.harness.target.hooks import HookFailed, Hooks
from rules_harness.harness.wire.client import BudgetSpent, TargetDown
from rules_harness.openapi.contract import Contract
from rules_harness.reports.text import counted

PUTTING_BACK = 3
"""Requests that it takes to put a rule back."""
Chosen = Callable[[Contract, Shared, tuple[str, ...]], list[Scenario]]
"""What is run, of a contract, for what is selected."""


class Enough(Exception):
    """So much was found that the run need not go on; the message says how much."""


class Gate(Session):
    """One conformance run. Make it, call `run` once."""

    kind: ClassVar[str] = "gate"

    def __init__(
        self,
        contract: Contract,
        target: Opened,
        journal: Journal,
        settings: Settings,
        progress: Progress,
        *,
        scenarios: Chosen = chosen_scenarios,
        client: Outgoing | None = None,
        hooks: Hooks | None = None,
        accepted: Container[str] = (),
    ) -> None:
        """``scenarios`` says what is run; by default all that judges what is selected.  ``accepted`` are the ids of
        findings that nobody needs smaller."""
        super().__init__(contract, target, journal, settings, progress, client=client, hooks=hooks)
        self._progress = progress
        self._scenarios = scenarios
        self._accepted = accepted
        self._confirming = Confirming()

    def work(self, situation: Situation) -> None:
        """Run every scenario that can be run here."""
        if self.profile.rules.writable and not situation.usable and not self._is_read_only_production():
            reasons = "; ".join(f"{rule}: {reason}" for rule, reason in situation.reasons.items())
            self.stop_for(f"no writable {self.contract.noun} can be used ({reasons})")
        if not situation.plausible:
            self.stop_for("no two accounts are known that money can move between; list them under [[accounts]]")
        scenarios = self._scenarios(self.contract, self.keeping.shared, self.settings.select)
        chosen = self._short(runnable(scenarios, situation, self.record), situation)
        if self.settings.max_failures is not None:
            chosen = most_telling_first(chosen)
        self._progress.planned(len(chosen))
        try:
            self._run_lanes(chosen, situation)
        except Enough as reason:
            self.note(Note(LIMITED, str(reason), {FOR_FINDINGS: True}))
        if self.settings.smaller:
            self._make_smaller()

    def _short(self, scenarios: list[Scenario], situation: Situation) -> list[Scenario]:
        """What a short run has room for; of the rest it is recorded that it was left out."""
        limit = self.settings.requests
        if limit is None:
            return scenarios
        to_put_back = PUTTING_BACK * len((*situation.usable, *other_rules(situation)))
        short = telling_first(scenarios, limit - self.client.requests_sent - to_put_back)
        reason = f"left out of a run of {limit:,} requests"
        for scenario in (*short.left_out, *short.cut):
            self.record.skip(Skipped(scenario=scenario.id, requirements=scenario.requirements, reason=reason))
        if short.left_out or short.cut:
            sentence = f"{len(short.left_out):,} of {len(scenarios):,} scenarios were {reason}"
            if short.cut:
                sentence += f", and cases of {len(short.cut):,} others"
            self.record.note(Note(LIMITED, sentence))
        return list(short.kept)

    def _is_read_only_production(self) -> bool:
        return self.profile.is_production(self.contract) and not self.profile.permissions.production_writes

    def _run_lanes(self, scenarios: Sequence[Scenario], situation: Situation) -> None:
        """Each lane's scenarios one after the other, lanes side by side; what runs alone comes last."""
        lanes = [lane for lane in lanes_of(scenarios, situation) if lane.scenarios]
        every_rule = (*situation.usable, *other_rules(situation))
        failure: list[BaseException] = []

        def run_alone(name: str) -> None:
            self._run_lane(
                Lane(every_rule, tuple(scenario for scenario in scenarios if scenario.lane == name)), failure
            )

        run_alone("first")
        with ThreadPoolExecutor(self._side_by_side(len(lanes)), thread_name_prefix="lane") as threads:
            for future in [threads.submit(self._run_lane, lane, failure) for lane in lanes]:
                future.result()
        run_alone("alone")
        run_alone("last")
        if failure:
            # Containing stops the client, so other lanes may have failed before the one that says why.
            raise next((reason for reason in failure if isinstance(reason, Contained)), failure[0])

    def _side_by_side(self, lanes: int) -> int:
        """How many lanes may run at once."""
        if may_run_side_by_side(self.record.tally.findings()):
            return max(1, lanes)
        self.note(IN_TURN)
        return 1

    def _run_lane(self, lane: Lane, failure: list[BaseException]) -> None:
        """Run a lane's scenarios until one of any lane fails: what ends one lane ends all."""
        try:
            for scenario in lane.scenarios:
                if failure:
                    return
                self._run_scenario(scenario, lane.rules)
            self.keeping.sign(lane.rules)
        except BaseException as reason:  # noqa: BLE001 - raised again by the thread that waits for the lanes
            failure.append(reason)

    def _run_scenario(self, scenario: Scenario, rules: tuple[str, ...]) -> None:
        bench = self.bench(scenario.id, rules)
        judgements: list[Judgement] = []
        try:
            scenario.run(bench)
        except NotBegun:
            pass  # its requirements stay without a judgement, as those of whatever else was not reached
        except (Unmet, HookFailed) as reason:
            self.record.skip(Skipped(scenario=scenario.id, requirements=scenario.requirements, reason=str(reason)))
        finally:
            if bench.exchanges:
                episode = bench.episode(scenario.family, scenario.name, about=scenario.requirements)
                judgements = self.record.episode(episode)
                self._progress.finished(scenario, episode)
                self.keeping.contain_where_needed(bench)
        doubtful = self._confirming.due(judgements)
        if doubtful:
            self._confirm(scenario, rules, episode.id, doubtful)
        if any(isinstance(judgement, Violation) for judgement in judgements):
            self._stop_at_most_failures()

    def _stop_at_most_failures(self) -> None:
        most = self.settings.max_failures
        if most is None:
            return
        failing = sum(self._fails_for_certain(finding) for finding in self._findings())
        if failing >= most:
            raise Enough(f"--max-failures {most} is reached: {counted(failing, 'finding')}")

    def _fails_for_certain(self, finding: Finding) -> bool:
        """Whether a finding fails the run already: what another lane is about to confirm may not show again."""
        if finding.id in self._accepted or (finding.level != "must" and self.settings.fail_on == "must"):
            return False
        suspect = self.record.suspect(finding)
        return suspect.is_confirmed or not suspect.violation.compares_states

    def _make_smaller(self) -> None:
        """Record the smallest episode of each finding; no verdict rests on what is sent for it."""
        tally, limits = self.record.tally, self.profile.limits
        findings = [finding for finding in self._findings() if finding.id not in self._accepted]
        if not findings or not limits.minimise_requests:
            return
        self._progress.doing(f"making {counted(len(findings), 'finding')} smaller")
        left = limits.max_requests - self.client.requests_sent
        budget = Budget.of(limits, requests=min(left, self.settings.requests or left))
        minimiser = Minimiser(
            self.contract, self.keeping.shared.world, self.keeping.bench, after=self.keeping.contain_where_needed
        )
        try:
            for smallest in smallest_episodes(tally, findings, self._firsts(findings), minimiser, budget):
                violation = tally.suspects[smallest.smallest].violation
                if smallest.stability != NOT_SEEN_AGAIN or not violation.compares_states:
                    self.record.write(EpisodeRecord(smallest))
                    tally.add(smallest)
        except (BudgetSpent, TargetDown) as reason:
            self._progress.note(f"findings are made no smaller: {reason}")

    def _firsts(self, findings: Sequence[Finding]) -> dict[str, Episode]:
        """The first episodes that show findings, by the ids under which they were seen first."""
        tally = self.record.tally
        wanted = {identity: tally.suspects[identity].episode for identity in map(tally.seen_first_as, findings)}
        records = (record for record in stream(self.record.journal.path) if isinstance(record, EpisodeRecord))
        episodes = {record.episode.id: record.episode for record in records if record.episode.id in wanted.values()}
        return {identity: episodes[episode] for identity, episode in wanted.items() if episode in episodes}

    def _findings(self) -> list[Finding]:
        """Those so far, against what is selected."""
        return [
            finding for finding in self.record.findings_so_far() if selected(finding.requirement, self.settings.select)
        ]

    def _confirm(self, scenario: Scenario, rules: tuple[str, ...], episode: str, doubtful: frozenset[str]) -> None:
        def record(bench: Bench, disturbed: str) -> list[Judgement]:
            again = bench.episode(scenario.family, scenario.name, confirms=episode, disturbed=disturbed)
            judgements = self.record.episode(again)
            self.keeping.contain_where_needed(bench)
            return judgements

        confirm(scenario, doubtful, lambda scenario_id, attempt: self.bench(scenario_id, rules, attempt), record)
