"""The conformance run: every case once, deterministic, judged as it goes.

Cases run in lanes, one for each rule, so that no rule has two writers; what needs all rules runs last, alone.  A
finding that rests on comparing states is confirmed: the rule is watched for another writer, and the case is run again.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import EpisodeRecord, Footer, FoundRule, Journal, Note, Restored, Skipped
from rules_harness.harness.judging.coverage import coverage_of
from rules_harness.harness.judging.judge import CONTAINED, conclude
from rules_harness.harness.judging.outcome import Judgement, Outcome, Violation, finding_id
from rules_harness.harness.judging.tally import Tally
from rules_harness.harness.scenarios.case import Case, Situation, lacking
from rules_harness.harness.scenarios.planner import Outgoing, Shared, Unmet
from rules_harness.harness.session.custody import Contained, stopped
from rules_harness.harness.session.keeping import Keeping, renew, share, watched
from rules_harness.harness.session.lanes import Lane, chosen_cases, lanes_of, other_rules
from rules_harness.harness.session.session import Progress, Settings, profile_record
from rules_harness.harness.target.hooks import HookFailed, Hooks
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.safety import SafetyError
from rules_harness.harness.wire.client import BudgetSpent, Stopped, TargetDown
from rules_harness.openapi.contract import Contract

CONFIRMATIONS: Final = 2
"""How often one finding is confirmed, at most, before further sightings are believed."""


class Gate:
    """One conformance run. Make it, call `run` once."""

    def __init__(
        self,
        contract: Contract,
        profile: Profile,
        client: Outgoing,
        hooks: Hooks,
        journal: Journal,
        settings: Settings,
        progress: Progress,
        applicable: Callable[[str], bool],
        *,
        cases: Callable[[Contract, Shared, tuple[str, ...]], list[Case]] = chosen_cases,
    ):
        """``cases`` says what is run; by default all that judges what is selected."""
        self.contract = contract
        self.profile = profile
        self.client = client
        self.journal = journal
        self.settings = settings
        self.progress = progress
        self._cases = cases
        self.tally = Tally(contract)
        self.skipped: list[Skipped] = []
        self.notes: list[Note] = []
        self.interrupted = False
        self._confirmed: dict[str, int] = {}
        self._judgements: dict[str, list[Judgement]] = {}
        self._lock = threading.Lock()
        shared = share(
            contract,
            profile,
            client,
            hooks,
            now=settings.now,
            seed=settings.seed,
            nonce=secrets.token_hex(8),
            applicable=applicable,
        )
        self._keeping = Keeping(shared, profile, self, {})

    def run(self) -> Outcome:
        """Survey, put back, run every case, restore, conclude.

        Whatever happens in between, rules are put back and the journal is ended.
        """
        try:
            self._judge_target()
        except Stopped:
            self.interrupted = True
        except BudgetSpent as reason:
            self._stop(f"limits.max_requests is spent: {reason}")
        except TargetDown as reason:
            self._stop(f"the target is down: {reason}")
        except Contained as reason:
            self._note(Note(kind=CONTAINED, text=str(reason), data={"rule": reason.rule, "problem": reason.problem}))
        finally:
            with self.client.restoring():
                problems = self._keeping.give_back()
            for rule, problem in problems.items():
                self.progress.note(f"{rule} could not be put back: {problem}")
        return self._conclude()

    def rule(self, rule: FoundRule) -> None:
        """Record a rule as it was found; it is on the disk on return."""
        self.journal.write(rule, sync=True)

    def restored(self, rule: Restored) -> None:
        """Record that a rule was put back, or why not."""
        self.journal.write(rule, sync=True)

    def episode(self, episode: Episode) -> None:
        """Record an episode and judge it."""
        self.journal.write(EpisodeRecord(episode))
        with self._lock:
            self._judgements[episode.id] = self.tally.add(episode)

    def _judge_target(self) -> None:
        situation = self._keeping.take()
        if situation is None:
            if self._keeping.stop is not None:
                self._note(self._keeping.stop)
            return
        if self.profile.rules.writable and not situation.usable and not self._is_read_only_production():
            reasons = "; ".join(f"{rule}: {reason}" for rule, reason in situation.reasons.items())
            self._stop(f"no writable rule can be used ({reasons})")
        if not situation.plausible:
            self._stop("no two accounts are known that money can move between; list them under [[accounts]]")
        cases = self._cases(self.contract, self._keeping.shared, self.settings.select)
        runnable = [case for case in cases if self._runs(case, situation)]
        self.progress.planned(len(runnable))
        self._run_lanes(runnable, situation)

    def _is_read_only_production(self) -> bool:
        return self.profile.is_production(self.contract) and not self.profile.permissions.production_writes

    def _runs(self, case: Case, situation: Situation) -> bool:
        reason = lacking(case, situation)
        if reason is not None:
            self._skip(case, reason)
        return reason is None

    def _run_lanes(self, cases: Sequence[Case], situation: Situation) -> None:
        """Each lane's cases one after the other, lanes side by side; what runs alone comes last."""
        lanes = [lane for lane in lanes_of(cases, situation) if lane.cases]
        failure: list[BaseException] = []
        with ThreadPoolExecutor(max(1, len(lanes)), thread_name_prefix="lane") as threads:
            for future in [threads.submit(self._run_lane, lane, failure) for lane in lanes]:
                future.result()
        if not failure:
            every_rule = (*situation.usable, *other_rules(situation))
            for name in ("alone", "last"):
                self._run_lane(Lane(every_rule, tuple(case for case in cases if case.lane == name)), failure)
        if failure:
            # Containing stops the client, so other lanes may have failed before the one that says why.
            raise next((reason for reason in failure if isinstance(reason, Contained)), failure[0])

    def _run_lane(self, lane: Lane, failure: list[BaseException]) -> None:
        for case in lane.cases:
            if failure:
                return
            try:
                self._run_case(case, lane.rules)
            except (Stopped, BudgetSpent, TargetDown, Contained, SafetyError) as reason:
                failure.append(reason)
                return

    def _run_case(self, case: Case, rules: tuple[str, ...]) -> None:
        bench = self._keeping.bench(case.id, rules)
        try:
            case.run(bench)
        except (Unmet, HookFailed) as reason:
            self._skip(case, str(reason))
        finally:
            if bench.exchanges:
                episode = bench.episode(case.family, case.name)
                self.episode(episode)
                self.progress.finished(case, episode)
                self._keeping.contain_where_needed(bench)
        if bench.exchanges:
            self._confirm(case, rules, episode)

    def _confirm(self, case: Case, rules: tuple[str, ...], episode: Episode) -> None:
        """Run a case again whose findings another writer could have caused."""
        doubtful = {
            finding_id(judgement.requirement, judgement.place, judgement.kind)
            for judgement in self._judgements.get(episode.id, ())
            if isinstance(judgement, Violation) and judgement.compares_states
        }
        if not doubtful or all(self._confirmed.get(identity, 0) >= CONFIRMATIONS for identity in doubtful):
            return
        for identity in doubtful:
            self._confirmed[identity] = self._confirmed.get(identity, 0) + 1
        disturbed = watched(self._keeping.bench("safety/watch", rules))
        bench = self._keeping.bench(case.id, rules, attempt=1)
        if not disturbed:
            try:
                if case.lane not in ("unknown", "last"):
                    renew(self._keeping.bench(f"safety/renew-{case.id}", rules))
                case.run(bench)
            except (Unmet, HookFailed):
                return
        self.episode(bench.episode(case.family, case.name, confirms=episode.id, disturbed=disturbed))
        self._keeping.contain_where_needed(bench)

    def _conclude(self) -> Outcome:
        self.journal.write(
            Footer(
                requests=self.client.requests_sent,
                seconds=round(self.client.now(), 3),
                ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
                interrupted=self.interrupted,
                coverage=coverage_of(self.contract, self.tally),
            ),
            sync=True,
        )
        return conclude(
            self.tally,
            profile=profile_record(self.profile),
            skipped=self.skipped,
            notes=self.notes,
            select=self.settings.select,
            fail_on=self.settings.fail_on,
            interrupted=self.interrupted,
        )

    def _skip(self, case: Case, reason: str) -> None:
        record = Skipped(case=case.id, requirements=case.requirements, reason=reason)
        self.skipped.append(record)
        self.journal.write(record)

    def _stop(self, text: str) -> None:
        self._note(stopped(text, beats_findings=False))

    def _note(self, note: Note) -> None:
        self.notes.append(note)
        self.journal.write(note, sync=True)
        self.progress.note(note.text)
