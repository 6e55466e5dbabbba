"""The conformance run: every scenario once, deterministic, judged as it goes.

Scenarios run in lanes, one for each rule, so that no rule has two writers; what needs all rules runs last, alone.  A
finding that rests on comparing states is confirmed: the rule is watched for another writer, and the scenario is run
again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

from rules_harness.harness.journal import Journal, Note, Skipped
from rules_harness.harness.judging.judge import LIMITED, selected
from rules_harness.harness.judging.outcome import Finding, Judgement, Violation
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.planner import Outgoing, Shared, Unmet
from rules_harness.harness.scenarios.scenario import Scenario, Situation
from rules_harness.harness.scenarios.telling import telling_first
from rules_harness.harness.session.confirming import Confirming, confirm
from rules_harness.harness.session.endings import Contained, Enough
from rules_harness.harness.session.lanes import Lane, chosen_scenarios, lanes_of, other_rules, runnable
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.session import Progress, Session, Settings
from rules_harness.harness.target.hooks import HookFailed, Hooks
from rules_harness.openapi.contract import Contract
from rules_harness.reports.text import counted

PUTTING_BACK = 3
"""Requests that it takes to put a rule back."""
Chosen = Callable[[Contract, Shared, tuple[str, ...]], list[Scenario]]
"""What is run, of a contract, for what is selected."""


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
    ) -> None:
        """``scenarios`` says what is run; by default all that judges what is selected."""
        super().__init__(contract, target, journal, settings, progress, client=client, hooks=hooks)
        self._progress = progress
        self._scenarios = scenarios
        self._confirming = Confirming()

    def work(self, situation: Situation) -> None:
        """Run every scenario that can be run here."""
        if self.profile.rules.writable and not situation.usable and not self._is_read_only_production():
            reasons = "; ".join(f"{rule}: {reason}" for rule, reason in situation.reasons.items())
            self.stop_for(f"no writable rule can be used ({reasons})")
        if not situation.plausible:
            self.stop_for("no two accounts are known that money can move between; list them under [[accounts]]")
        scenarios = self._scenarios(self.contract, self.keeping.shared, self.settings.select)
        chosen = self._short(runnable(scenarios, situation, self.record), situation)
        self._progress.planned(len(chosen))
        self._run_lanes(chosen, situation)

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
        failure: list[BaseException] = []
        with ThreadPoolExecutor(max(1, len(lanes)), thread_name_prefix="lane") as threads:
            for future in [threads.submit(self._run_lane, lane, failure) for lane in lanes]:
                future.result()
        if not failure:
            every_rule = (*situation.usable, *other_rules(situation))
            for name in ("alone", "last"):
                self._run_lane(
                    Lane(every_rule, tuple(scenario for scenario in scenarios if scenario.lane == name)), failure
                )
        if failure:
            # Containing stops the client, so other lanes may have failed before the one that says why.
            raise next((reason for reason in failure if isinstance(reason, Contained)), failure[0])

    def _run_lane(self, lane: Lane, failure: list[BaseException]) -> None:
        """Run a lane's scenarios until one of any lane fails: what ends one lane ends all."""
        for scenario in lane.scenarios:
            if failure:
                return
            try:
                self._run_scenario(scenario, lane.rules)
            except BaseException as reason:  # noqa: BLE001 - raised again by the thread that waits for the lanes
                failure.append(reason)
                return

    def _run_scenario(self, scenario: Scenario, rules: tuple[str, ...]) -> None:
        bench = self.bench(scenario.id, rules)
        judgements: list[Judgement] = []
        try:
            scenario.run(bench)
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
        failing = sum(finding.level == "must" or self.settings.fail_on == "should" for finding in self._findings())
        if failing >= most:
            raise Enough(f"--max-failures {most} is reached: {counted(failing, 'finding')}")

    def _findings(self) -> list[Finding]:
        """Those so far, against what is selected."""
        return [
            finding for finding in self.record.tally.findings() if selected(finding.requirement, self.settings.select)
        ]

    def _confirm(self, scenario: Scenario, rules: tuple[str, ...], episode: str, doubtful: frozenset[str]) -> None:
        def record(bench: Bench, disturbed: str) -> list[Judgement]:
            again = bench.episode(scenario.family, scenario.name, confirms=episode, disturbed=disturbed)
            judgements = self.record.episode(again)
            self.keeping.contain_where_needed(bench)
            return judgements

        confirm(scenario, doubtful, lambda scenario_id, attempt: self.bench(scenario_id, rules, attempt), record)
