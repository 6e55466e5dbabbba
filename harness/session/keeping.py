"""Keeps the rules of a run: surveys them, takes them into custody, confirms what states show, puts everything back."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from rules_harness.harness.exchange import Exchange
from rules_harness.harness.journal import FoundRule, Note, Restored
from rules_harness.harness.judging.checks.common import changed_fields
from rules_harness.harness.judging.equality import instant
from rules_harness.harness.judging.states import state_shown
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.known import Known
from rules_harness.harness.scenarios.outgoing import Outgoing
from rules_harness.harness.scenarios.own_texts import holds_own
from rules_harness.harness.scenarios.planner import Shared
from rules_harness.harness.scenarios.scenario import Situation
from rules_harness.harness.session.custody import endpoint_missing, look, states_in, survey, with_known_accounts
from rules_harness.harness.session.locks import RuleLocks
from rules_harness.harness.session.putting_back import contain, put_back, restore_all
from rules_harness.harness.session.record import RunRecord
from rules_harness.harness.target.hooks import Hooks
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.safety import Guard
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import is_suitable

STRANGE: Final = (
    "another run is using it, or one was killed: `rules-harness restore RUN --target FILE` puts it back, and where its "
    "journal is gone, its owner gives it other texts"
)
WATCH_SECONDS: Final = 0.3
WATCH_READS: Final = 2
_RECENT: Final = timedelta(minutes=10)
"""How long ago an update makes it likely that another run is still under way; clocks may differ a little."""
_STILL_SECONDS: Final = 3.0
"""How long a rule with a recent update must rest: between two scenarios a run may leave texts that are not its own."""


class Keeping:
    """The rules of one run. Call `take` once, `give_back` last, whatever happened in between."""

    def __init__(
        self,
        shared: Shared,
        profile: Profile,
        record: RunRecord,
        earlier: Mapping[str, FoundRule],
        locks: RuleLocks,
        *,
        is_known: bool,
    ) -> None:
        """``earlier`` are rules as an earlier part of the run found them; that is how they are put back.  The endpoint
        ``is_known`` where an earlier run found it there."""
        self.shared = shared
        self.known = Known()
        self.stop: Note | None = None
        """Why nothing can be judged, once `take` has found that out."""
        self.given_back: dict[str, str | None] = {}
        """Rules that `give_back` has come to; why one could not be put back, or ``None``."""
        self._profile = profile
        self._record = record
        self._found: dict[str, FoundRule] = dict(earlier)
        self._earlier = frozenset(earlier)
        self._locks = locks
        self._is_known = is_known

    def bench(self, scenario_id: str, rules: Iterable[str], *, attempt: int = 0) -> Bench:
        """A bench on which these rules may be used."""
        return Bench(self.shared, self.known, scenario_id, tuple(rules), attempt=attempt)

    def take(self) -> Situation | None:
        """Look at the target, record each rule and put its own configuration back once; ``None`` where `stop` says why.

        Raises what the client raises.
        """
        bench = self.bench("safety/survey", self._profile.rules.all)
        reads = look(bench, self._profile)
        locked = self._locks.take_all(self._profile.rules.all)
        reasons = locked | self._used_elsewhere(bench, reads, but=locked)
        self._profile = with_known_accounts(self.shared.contract, self._profile, states_in(self.shared.contract, reads))
        self.shared = shared_for(self.shared, self._profile, readable=True)
        bench.adopt(self.shared)
        seen = survey(bench, self._profile, reads, is_known=self._is_known)
        self.stop = seen.stop
        if seen.stop is not None:
            return None
        self._record.episode(bench.episode("envelope", "survey"))
        self.shared = shared_for(self.shared, self._profile, readable=seen.readable)
        reasons = seen.reasons | reasons
        usable = self._custody(seen.found, reasons)
        self._follow_clock()
        if not seen.readable and self._profile.permissions.no_restore:
            usable = set(self._profile.rules.all)
            self.shared.guard.writable |= usable
        if self.stop is not None:
            return None
        rules = self._profile.rules
        return Situation(
            contract=self.shared.contract,
            profile=self._profile,
            readable=seen.readable,
            usable=tuple(rule for rule in rules.writable if rule in usable),
            limited=rules.limited in usable,
            foreign=rules.other_org in usable,
            reasons=reasons,
            plausible=is_suitable(self.shared.contract, self.shared.world),
        )

    def _custody(self, rules: Iterable[FoundRule], reasons: dict[str, str]) -> set[str]:
        guard, contract = self.shared.guard, self.shared.contract
        firsts = []
        for rule in rules:
            if rule.rule in reasons:
                continue
            if rule.rule not in self._earlier:
                self._record.rule(rule)
                self._found[rule.rule] = rule
            if self._profile.is_production(contract) and not self._profile.permissions.production_writes:
                reasons[rule.rule] = "a production host, and permissions.production_writes is not given"
                continue
            guard.writable.add(rule.rule)
            bench = self.bench(f"safety/{rule.rule}", (rule.rule,))
            bench.begin()
            telling = rule.enabled and guard.is_open
            done = put_back(bench, rule, status=contract.names.enabled if telling else None)
            firsts.append(next(exchange for exchange in bench.exchanges if exchange.intent.operation == "update"))
            if done.problem is not None:
                reasons[rule.rule] = f"its own configuration, put back, {done.problem}"
            elif done.state is not None and holds_own(contract, done.state):
                # Whoever wrote that puts it back.
                reasons[rule.rule] = STRANGE
                del self._found[rule.rule]
            if done.remark:
                bench.notes.append(done.remark)
            self._record.episode(bench.episode("status", rule.rule))
            self.contain_where_needed(bench)
            if rule.rule in reasons:
                guard.writable.discard(rule.rule)
        self.stop = endpoint_missing(contract, firsts)
        return {rule.rule for rule in rules} - set(reasons)

    def _used_elsewhere(self, bench: Bench, reads: dict[str, Exchange], *, but: Container[str]) -> dict[str, str]:
        """Why rules cannot be used that another run has, or had: what they hold is its, and none of their owner's.

        The last look at a rule takes the place of the first.  Rules in ``but`` are not used anyway.
        """
        contract = self.shared.contract
        shown = {rule: state_shown(contract, read) for rule, read in reads.items()}
        held = {
            rule: state
            for rule, state in shown.items()
            if state is not None and rule not in self._earlier and rule not in but
        }
        # What an earlier run put back may come late; from then on it rests.
        late = {rule for rule, state in held.items() if holds_own(contract, state)}
        watched, recent = set(late), set()
        if not self._profile.is_loopback:
            watched, recent = set(held), {rule for rule in held if self._is_recent(held[rule])}
        reasons: dict[str, str] = {}
        for seconds, rules in (
            (max(WATCH_SECONDS, self._profile.limits.settle_seconds), watched),
            (_STILL_SECONDS, recent),
        ):
            if rules - reasons.keys():
                bench.sleep(seconds)
            for rule in sorted(rules - reasons.keys()):
                again = bench.read(rule, existence=bench.existence(rule))
                reads[rule] = bench.exchanges[-1]
                if again is None:
                    continue
                if holds_own(contract, again):
                    reasons[rule] = STRANGE
                elif rule not in late and _differ(contract, held[rule], again):
                    reasons[rule] = "it changes while nothing is sent to it: somebody else writes to it"
                held[rule] = again
                late.discard(rule)
        return reasons

    def _is_recent(self, state: Mapping[str, Any]) -> bool:
        """Whether a rule was updated just now, as far as its target's clock is ours."""
        updated = instant(state.get(self.shared.contract.names.updated_at))
        return updated is not None and updated > datetime.now(UTC) - _RECENT

    def _follow_clock(self) -> None:
        """Count days from the target's present where its clock is ahead: an earlier run may have moved it.

        What was just put back tells it.
        """
        updated = self.shared.contract.names.updated_at
        moments = [instant(state.get(updated)) for state in self.known.states.values()]
        here = max(self.shared.world.now, datetime.now(UTC))
        ahead = max((moment - here for moment in moments if moment is not None), default=timedelta())
        if ahead >= timedelta(days=1):
            world = msgspec.structs.replace(self.shared.world, now=here + timedelta(days=ahead.days))
            self.shared = msgspec.structs.replace(self.shared, world=world)

    def contain_where_needed(self, bench: Bench) -> None:
        """Off loopback, leave no rule enabled.

        One that was enabled on purpose is disabled, so that what comes next may be sent.  One that is enabled where it
        must not be is disabled too, and `Contained` is raised, which ends the run.
        """
        if self.shared.guard.is_open:
            return
        for rule in bench.unexpectedly_enabled():
            containing = self.bench(f"safety/contain-{rule}", (rule,))
            self.shared.client.stop()
            with self.shared.client.restoring():
                reason = contain(containing, rule)
            self._record.episode(containing.episode("status", "contained"))
            raise reason
        for rule in bench.enabled_on_purpose():
            disarming = self.bench(f"safety/disarm-{rule}", (rule,))
            with self.shared.client.restoring():
                left = contain(disarming, rule)
            self._record.episode(disarming.episode("status", "disarmed"))
            if left.problem is not None:
                raise left

    def sign(self, rules: Iterable[str]) -> None:
        """Leave texts of the run's own in rules that rest now and hold others, so that who looks at them from another
        machine sees whose they are. On this machine locks say so."""
        if not self._profile.is_loopback:
            bench = self.bench("safety/sign", filter(self._is_unsigned, rules))
            renew(bench)
            if bench.exchanges:
                self._record.episode(bench.episode("status", "signed"))
                self.contain_where_needed(bench)

    def _is_unsigned(self, rule: str) -> bool:
        """Whether a rule holds texts that are neither its owner's nor a run's."""
        answered, found = self.known.answered.get(rule), self._found.get(rule)
        if answered is None or found is None or holds_own(self.shared.contract, answered):
            return False
        status = self.shared.contract.names.status
        return bool(changed_fields(self.shared.contract, found.state, {**answered, status: found.state.get(status)}))

    def give_back(self) -> None:
        """Put every rule back as it was found, disabled; `given_back` says of each what came of it."""
        written = {
            rule: original
            for rule, original in self._found.items()
            if rule in self._earlier or rule in self.known.states or rule in self.known.stale
        }
        for rule, reason in self._locks.take_all(written).items():
            del written[rule]
            self.given_back[rule] = reason
            self._record.restored(Restored(rule=rule, problem=reason))
        self.shared.guard.writable |= set(written)
        for restored, _ in restore_all(lambda rule: self.bench(f"safety/restore-{rule}", (rule,)), written):
            self.given_back[restored.rule] = restored.problem
            self._record.restored(restored)

    def close(self) -> None:
        """Let other runs have the rules."""
        self._locks.release()


def shared_for(shared: Shared, profile: Profile, *, readable: bool) -> Shared:
    """The same run with what is now known of the target."""
    world = msgspec.structs.replace(profile.world(shared.world.now))
    return msgspec.structs.replace(
        shared, profile=profile, world=world, guard=Guard(shared.contract, profile), readable=readable
    )


def share(
    contract: Contract,
    profile: Profile,
    client: Outgoing,
    hooks: Hooks,
    *,
    now: Any,
    seed: int,
    nonce: str,
    readable: bool = True,
    applicable: Any = lambda value: True,
) -> Shared:
    """What the benches of a run share."""
    world = profile.world(now)
    return Shared(
        contract=contract,
        profile=profile,
        world=world,
        guard=Guard(contract, profile),
        client=client,
        hooks=hooks,
        seed=seed,
        nonce=nonce,
        readable=readable,
        applicable=applicable,
    )


def watched(bench: Bench) -> str:
    """The rule of the bench that changes while nothing is sent to it; empty where none does."""
    bench.sleep(bench.shared.profile.limits.settle_seconds)
    for rule in bench.rules:
        first = bench.read(rule, existence=bench.existence(rule))
        for _ in range(WATCH_READS):
            bench.sleep(WATCH_SECONDS)
            again = bench.read(rule, existence=bench.existence(rule))
            if first is None or again is None or _is_late(bench, rule, again):
                continue
            if _differ(bench.contract, first, again):
                return rule
    return ""


def _is_late(bench: Bench, rule: str, state: Mapping[str, Any]) -> bool:
    """Whether a state is what our own last update was answered, so that it is the reads that come late."""
    answered = bench.answered(rule)
    return answered is not None and not changed_fields(bench.contract, answered, state)


def _differ(contract: Contract, first: Mapping[str, Any], again: Mapping[str, Any]) -> bool:
    """Whether somebody wrote to a rule between two reads."""
    updated = contract.names.updated_at
    return bool(changed_fields(contract, first, again)) or first.get(updated) != again.get(updated)


def renew(bench: Bench) -> None:
    """Give the rules of a bench another nickname, so that what a scenario leaves there shows a second time."""
    guard = bench.shared.guard
    for rule in bench.rules:
        if guard.is_open or rule not in guard.enabled:
            bench.renew(rule)
