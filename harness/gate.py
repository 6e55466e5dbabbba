"""The conformance run: every case once, deterministic, judged as it goes.

Cases run in lanes, one for each rule, so that no rule has two writers; what needs all rules runs last, alone.  A
finding that rests on comparing states is confirmed: the rule is watched for another writer, and the case is run again.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import msgspec

from harness.checks.common import changed_fields
from harness.client import BudgetSpent, Stopped, TargetDown
from harness.custody import (
    Contained,
    Survey,
    accounts_in,
    contain,
    endpoint_missing,
    put_back,
    restore_all,
    stopped,
    survey,
)
from harness.exchange import Episode
from harness.hooks import HookFailed, Hooks
from harness.journal import EpisodeRecord, Footer, FoundRule, Journal, Note, Skipped
from harness.judge import CONTAINED, conclude
from harness.lanes import Lane, chosen_cases, lanes_of, other_rules
from harness.outcome import Judgement, Outcome, Violation, finding_id
from harness.profile import Profile
from harness.running import Progress, Sender, Settings, profile_record
from harness.safety import Guard, SafetyError
from harness.scenarios.bench import Bench
from harness.scenarios.case import Case, Situation, lacking
from harness.scenarios.planner import Known, Shared, Unmet
from harness.tally import Tally
from openapi.contract import Contract

WATCH_SECONDS = 0.3
WATCH_READS = 2
CONFIRMATIONS = 2
"""How often one finding is confirmed, at most, before further sightings are believed."""


class Gate:
    """One conformance run. Make it, call `run` once."""

    def __init__(
        self,
        contract: Contract,
        profile: Profile,
        client: Sender,
        hooks: Hooks,
        journal: Journal,
        settings: Settings,
        progress: Progress,
        applicable: Callable[[str], bool],
    ):
        self.contract = contract
        self.profile = profile
        self.client = client
        self.journal = journal
        self.settings = settings
        self.progress = progress
        self.tally = Tally(contract)
        self.known = Known()
        self.skipped: list[Skipped] = []
        self.notes: list[Note] = []
        self.interrupted = False
        self._confirmed: dict[str, int] = {}
        self._judgements: dict[str, list[Judgement]] = {}
        self._lock = threading.Lock()
        self._nonce = secrets.token_hex(8)
        self._hooks = hooks
        self._applicable = applicable
        self._shared = self._share(profile, readable=True)

    def run(self) -> Outcome:
        """Survey, put back, run every case, restore, conclude.

        Whatever happens in between, rules are put back and the journal is ended.
        """
        found: dict[str, FoundRule] = {}
        try:
            self._judge_target(found)
        except Stopped:
            self.interrupted = True
        except BudgetSpent as reason:
            self._stop(f"limits.max_requests is spent: {reason}")
        except TargetDown as reason:
            self._stop(f"the target is down: {reason}")
        except Contained as reason:
            self._note(Note(kind=CONTAINED, text=str(reason), data={"rule": reason.rule, "problem": reason.problem}))
        finally:
            self._restore(found)
        return self._conclude()

    def _judge_target(self, found: dict[str, FoundRule]) -> None:
        bench = self._bench("safety/survey", self.profile.rules.all)
        seen = survey(bench, self.profile)
        if seen.stop is not None:
            self._note(seen.stop)
            return
        self._record(bench.episode("envelope", "survey"))
        situation = self._take_custody(seen, found)
        if situation is None:
            return
        if self.profile.rules.writable and not situation.usable and not self._is_read_only_production():
            reasons = "; ".join(f"{rule}: {reason}" for rule, reason in situation.reasons.items())
            self._stop(f"no writable rule can be used ({reasons})")
        cases = chosen_cases(self.contract, self._shared, self.settings.select)
        runnable = [case for case in cases if self._runs(case, situation)]
        self.progress.planned(len(runnable))
        self._runlanes_of(runnable, situation)

    def _take_custody(self, seen: Survey, found: dict[str, FoundRule]) -> Situation | None:
        """Put each rule's own configuration back once; a rule that refuses it is not used."""
        profile = self.profile
        if not profile.accounts and seen.found:
            profile = msgspec.structs.replace(profile, accounts=accounts_in(self.contract, seen.found))
        unrecorded = not seen.readable and profile.permissions.no_restore
        self._shared = self._share(profile, readable=seen.readable)
        reasons = dict(seen.reasons)
        if unrecorded:
            self._guard.writable |= set(profile.rules.all)
            return self._situation(seen, set(profile.rules.all), {})
        firsts = []
        for rule in seen.found:
            self.journal.write(rule, sync=True)
            if self._is_read_only_production():
                reasons[rule.rule] = "a production host, and permissions.production_writes is not given"
                continue
            self._guard.writable.add(rule.rule)
            bench = self._bench(f"safety/{rule.rule}", (rule.rule,))
            bench.begin()
            found[rule.rule] = rule
            problem = put_back(bench, rule, status=self._first_status(rule))
            firsts.append(bench.exchanges[-1])
            if problem is None:
                bench.read()
            else:
                reasons[rule.rule] = f"its own configuration, put back, {problem}"
                self._guard.writable.discard(rule.rule)
            self._finish(bench, Case(f"safety/{rule.rule}", "status", (), put_back_alone))
        missing = endpoint_missing(self.contract, firsts)
        if missing is not None:
            self._note(missing)
            return None
        return self._situation(seen, set(found) - set(reasons), reasons)

    def _is_read_only_production(self) -> bool:
        return self.profile.is_production(self.contract) and not self.profile.permissions.production_writes

    def _situation(self, seen: Survey, usable: set[str], reasons: dict[str, str]) -> Situation:
        rules = self.profile.rules
        return Situation(
            contract=self.contract,
            profile=self._shared.profile,
            readable=seen.readable,
            usable=tuple(rule for rule in rules.writable if rule in usable),
            limited=rules.limited in usable,
            foreign=rules.other_org in usable,
            reasons=reasons,
        )

    def _first_status(self, rule: FoundRule) -> str | None:
        """What the first write to an enabled rule says: the telling `enabled`, where that can do no harm."""
        return self.contract.names.enabled if rule.enabled and self._guard.is_open else None

    def _runs(self, case: Case, situation: Situation) -> bool:
        reason = lacking(case, situation)
        if reason is not None:
            self._skip(case, reason)
        return reason is None

    def _runlanes_of(self, cases: Sequence[Case], situation: Situation) -> None:
        """Each lane's cases one after the other, lanes side by side; what runs alone comes last."""
        lanes = [lane for lane in lanes_of(cases, situation) if lane.cases]
        failure: list[BaseException] = []
        with ThreadPoolExecutor(max(1, len(lanes)), thread_name_prefix="lane") as threads:
            for future in [threads.submit(self._run_lane, lane, failure) for lane in lanes]:
                future.result()
        if not failure:
            alone = tuple(case for case in cases if case.lane == "alone")
            self._run_lane(Lane((*situation.usable, *other_rules(situation)), alone), failure)
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
        bench = self._bench(case.id, rules)
        try:
            case.run(bench)
        except (Unmet, HookFailed) as reason:
            self._skip(case, str(reason))
        finally:
            if bench.exchanges:
                episode = self._finish(bench, case)
        if bench.exchanges:
            self._confirm(case, rules, episode)

    def _finish(self, bench: Bench, case: Case) -> Episode:
        episode = bench.episode(case.family, case.name)
        self._record(episode)
        self.progress.finished(case, episode)
        self._contain_where_needed(bench)
        return episode

    def _contain_where_needed(self, bench: Bench) -> None:
        """Off loopback a rule that is enabled where it must not be is disabled at once, and the run ends."""
        if self._guard.is_open:
            return
        for rule in bench.unexpectedly_enabled():
            containing = self._bench(f"safety/contain-{rule}", (rule,))
            self.client.stop()
            with self.client.restoring():
                reason = contain(containing, rule)
            self._record(containing.episode("status", "contained"))
            raise reason

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
        disturbed = self._watched(rules)
        bench = self._bench(case.id, rules, attempt=1)
        if not disturbed:
            try:
                self._renew(case, rules)
                case.run(bench)
            except (Unmet, HookFailed):
                return
        self._record(bench.episode(case.family, case.name, confirms=episode.id, disturbed=disturbed))

    def _renew(self, case: Case, rules: tuple[str, ...]) -> None:
        """Give the rules of a case another nickname, so that what the case leaves there shows a second time."""
        if case.lane == "unknown":
            return
        bench = self._bench(f"safety/renew-{case.id}", rules)
        for rule in rules:
            if self._guard.is_open or rule not in self._guard.enabled:
                bench.renew(rule)

    def _watched(self, rules: tuple[str, ...]) -> str:
        """Whether a rule changes while nothing is sent to it; the text says which."""
        bench = self._bench("safety/watch", rules)
        for rule in rules:
            first = bench.read(rule, existence=bench.existence(rule))
            for _ in range(WATCH_READS):
                bench.sleep(WATCH_SECONDS)
                again = bench.read(rule, existence=bench.existence(rule))
                if first is not None and again is not None and self._changed(first, again):
                    return f"{rule} changed while nothing was sent to it: somebody else writes to it"
        return ""

    def _changed(self, first: Mapping[str, Any], again: Mapping[str, Any]) -> bool:
        updated = self.contract.names.updated_at
        return bool(changed_fields(self.contract, first, again)) or first.get(updated) != again.get(updated)

    def _restore(self, found: Mapping[str, FoundRule]) -> None:
        """Put every rule that was written back, even after an interruption."""
        used = {rule: record for rule, record in found.items() if self._written(rule)}
        with self.client.restoring():
            self._guard.writable |= set(used)
            for record, _ in restore_all(lambda rule: self._bench(f"safety/restore-{rule}", (rule,)), used):
                self.journal.write(record, sync=True)
                if record.problem is not None:
                    self.progress.note(f"{record.rule} could not be put back: {record.problem}")

    def _written(self, rule: str) -> bool:
        return rule in self.known.states or rule in self.known.stale

    def _conclude(self) -> Outcome:
        self.journal.write(
            Footer(
                requests=self.client.requests_sent,
                seconds=round(self.client.now(), 3),
                ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
                interrupted=self.interrupted,
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

    def _share(self, profile: Profile, *, readable: bool) -> Shared:
        world = profile.world(self.settings.now)
        self._guard = Guard(self.contract, profile, world)
        return Shared(
            contract=self.contract,
            profile=profile,
            world=world,
            guard=self._guard,
            client=self.client,
            hooks=self._hooks,
            seed=self.settings.seed,
            nonce=self._nonce,
            readable=readable,
            applicable=self._applicable,
        )

    def _bench(self, case_id: str, rules: Iterable[str], *, attempt: int = 0) -> Bench:
        return Bench(self._shared, self.known, case_id, tuple(rules), attempt=attempt)

    def _record(self, episode: Episode) -> None:
        self.journal.write(EpisodeRecord(episode))
        with self._lock:
            self._judgements[episode.id] = self.tally.add(episode)

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


def put_back_alone(bench: Bench) -> None:
    """What the case of a rule's first write runs: nothing further."""
