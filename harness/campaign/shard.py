"""Works a shard off: lanes for its rules and one for no rule, side by side, until its budget or its time is spent."""

from __future__ import annotations

import itertools
import math
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from typing import Final

import msgspec

from rules_harness.harness.campaign.choosing import Attempt, Chooser
from rules_harness.harness.campaign.coverage import Coverage, map_of
from rules_harness.harness.campaign.drawing import Drawer, Supplies, Wish
from rules_harness.harness.campaign.messages import Report, Shard
from rules_harness.harness.campaign.recording import TELLING_SECONDS, Added, Recorder
from rules_harness.harness.exchange import Request
from rules_harness.harness.journal import Note, Skipped
from rules_harness.harness.judging.outcome import Judgement
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.known import Known
from rules_harness.harness.scenarios.unmet import NotBegun, Unmet
from rules_harness.harness.session.confirming import Confirming, confirm
from rules_harness.harness.session.endings import Ending, ending_of
from rules_harness.harness.session.keeping import share
from rules_harness.harness.session.putting_back import contain
from rules_harness.harness.target.hooks import HookFailed, Hooks
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.safety import SafetyError
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.wire.client import BudgetSpent, Client, Sent, Stopped, TargetDown
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.histories import Abilities
from rules_harness.strategies.world import World

ROUNDS: Final = 12
"""A batch is so many times as large as what is in flight: then little of its time is spent waiting for its last."""
SMALLEST_BATCH: Final = 48
SLOWEST_BATCH: Final = 4
LARGEST_BATCH: Final = 512
OFF_RULE_LANES: Final = 2
"""While what one has sent is judged, the other sends."""
OFF_RULE_SHARE: Final = 0.3
"""Of the budget, at most, for ids that do not exist: they tell less than requests to rules."""
IDLE_SECONDS: Final = 0.005
LAST_ANSWERS_SECONDS: Final = 1.0
"""How long what is under way at the end may still take."""
SWITCH_SECONDS: Final = 0.0005
"""A thread that computes lets those that send go on after so long; Python's own five milliseconds would starve them."""


class Equipment(msgspec.Struct, frozen=True):
    """What a worker process has of its own: never sent anywhere."""

    contract: Contract
    keyring: Keyring
    drawer: Drawer


class _Counting(Client):
    """The client, and how many requests are with it right now."""

    def __init__(self, profile: Profile, keyring: Keyring, *, run_seed: int) -> None:
        super().__init__(profile, keyring, run_seed=run_seed)
        self._counting = threading.Lock()
        self.under_way = 0

    def send(self, request: Request) -> Sent:
        with self._counted(1):
            return super().send(request)

    def send_many(self, requests: Sequence[Request]) -> list[Sent]:
        with self._counted(len(requests)):
            return super().send_many(requests)

    def send_together(self, requests: Sequence[Request]) -> list[Sent]:
        with self._counted(len(requests)):
            return super().send_together(requests)

    @contextmanager
    def _counted(self, number: int) -> Iterator[None]:
        with self._counting:
            self.under_way += number
        try:
            yield
        finally:
            with self._counting:
                self.under_way -= number


class Work:
    """One shard at work. `stop` may be called from any thread."""

    def __init__(self, shard: Shard, equipment: Equipment, emit: Callable[[Report], None]) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        contract, keyring, profile = equipment.contract, equipment.keyring, shard.profile
        self._shard = shard
        self._client = _Counting(profile, keyring, run_seed=shard.seed)
        self._shared = share(
            contract,
            profile,
            self._client,
            Hooks(profile, keyring),
            now=shard.now,
            seed=shard.seed,
            nonce=f"{shard.nonce}/{shard.number}",
            readable=shard.readable,
            applicable=keyring.applicable,
        )
        guard = self._shared.guard
        guard.writable |= set(shard.rules)
        self._coverage = Coverage(map_of(contract, self._shared.world, risky=guard.is_open), shard.reached)
        supplies = Supplies(equipment.drawer, _wish(shard, self._shared.world))
        self._chooser = Chooser(
            contract, self._shared.world, shard, self._coverage, supplies, open_shapes=guard.is_open
        )
        self._recorder = Recorder(contract, shard, self._coverage, emit)
        self._choosing = threading.Lock()
        self._knowns: list[Known] = []
        """What each lane knows of its rules: nobody else's reads and writes change it."""
        self._confirming = Confirming()
        self._deadline = time.monotonic() + shard.seconds
        self._is_cut = False
        self._off_rule = 0
        self._ending: Note | None = None
        size = min(max(SMALLEST_BATCH, ROUNDS * profile.limits.in_flight), LARGEST_BATCH, shard.requests // 8)
        # A batch lasts a second at most where the rate is low: a campaign ends between two of them.
        self._size = max(1, min(size, max(SLOWEST_BATCH, int(profile.limits.requests_per_second))))

    def stop(self) -> None:
        """Let nothing leave from now on; `run` returns soon."""
        self._deadline = 0.0
        self._client.stop()

    def run(self) -> None:
        """Work until the time or the budget is spent, and tell everything."""
        shard = self._shard
        lanes: list[Callable[[], None]] = [self._alone]
        if shard.stage == "in turn":
            lanes = [self._in_turn]
        elif shard.stage == "side by side":
            lanes = [*(partial(self._rule_lane, rule) for rule in shard.rules), *[self._off_rule_lane] * OFF_RULE_LANES]
        end = threading.Timer(shard.at_most, self._cut)
        end.start()
        try:
            with ThreadPoolExecutor(len(lanes), thread_name_prefix="lane") as threads:
                working = {threads.submit(self._lane, lane) for lane in lanes}
                while working:
                    done, working = wait(working, TELLING_SECONDS)
                    for future in done:
                        future.result()
                    self._recorder.tell(self._client.requests_sent)
        finally:
            end.cancel()
            self._client.close()
            self._shared.hooks.close()
            self._recorder.tell(
                self._client.requests_sent,
                written=tuple(sorted({rule for known in self._knowns for rule in (*known.states, *known.stale)})),
                is_last=True,
                ending=self._ending,
            )

    def _cut(self) -> None:
        """The campaign's time is over: what an attempt has sent so far is a part, and judged by nobody.

        What is under way is waited for, a moment: what is abandoned may change a rule after somebody else has read it.
        """
        self._is_cut = True
        self._client.drain()
        until = time.monotonic() + LAST_ANSWERS_SECONDS
        while self._client.under_way and time.monotonic() < until:
            time.sleep(IDLE_SECONDS)
        self.stop()

    @property
    def _goes_on(self) -> bool:
        return time.monotonic() < self._deadline

    def _lane(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (Stopped, BudgetSpent):
            return
        except BaseException as reason:  # noqa: BLE001 - what ends one lane ends the campaign, and is told there
            self._end(ending_of(reason))

    def _end(self, ending: Ending) -> None:
        """End the campaign, not this shard alone; the first reason is told."""
        if self._ending is None:
            self._ending = ending.note
        self.stop()

    def _new_known(self) -> Known:
        known = Known()
        self._knowns.append(known)
        return known

    def _rule_lane(self, rule: str) -> None:
        known = self._new_known()
        while self._goes_on:
            with self._choosing:
                attempt = self._chooser.next_for_rule(self._size)
            self._try(attempt, (rule,), known)

    def _in_turn(self) -> None:
        """What the lanes of all rules, and the one without a rule, do; nothing at once with anything else."""
        known = self._new_known()
        for rule in itertools.cycle((*self._shard.rules, None)):
            if not self._goes_on:
                return
            if rule is None:
                self._try(self._chooser.next_off_rule(self._size), self._shard.profile.rules.writable, known)
            else:
                self._try(self._chooser.next_for_rule(self._size), (rule,), known)

    def _off_rule_lane(self) -> None:
        """Fills what the rules' lanes leave of the room in flight, once they have less to tell."""
        known = self._new_known()
        room = self._shard.profile.limits.in_flight
        left = OFF_RULE_SHARE * self._shard.requests if self._shard.rules else math.inf
        while self._goes_on and self._off_rule < left:
            if self._shard.rules and (self._client.under_way >= room or self._chooser.puts_off_unknown_ids):
                time.sleep(IDLE_SECONDS)
                continue
            with self._choosing:
                self._off_rule += self._size
                attempt = self._chooser.next_off_rule(self._size)
            self._try(attempt, self._shard.profile.rules.writable, known)

    def _alone(self) -> None:
        known = self._new_known()
        rules = self._shard.profile.rules
        others = {"limited": rules.limited, "foreign": rules.other_org}
        usable = tuple(rule for rule in rules.writable if rule in self._shard.rules)
        for attempt in self._chooser.next_alone(self._shard.stage):
            if not self._goes_on:
                return
            own = others.get(attempt.scenario.lane)
            every = self._shard.rules if attempt.scenario.lane in ("first", "alone") else usable
            self._try(attempt, (own,) if own else every, known)

    def _try(self, attempt: Attempt, rules: tuple[str, ...], known: Known) -> None:
        """Send one scenario, judge it, and confirm what another writer could have caused."""
        scenario = attempt.scenario
        bench = self._bench(scenario.id, rules=rules, known=known)
        try:
            scenario.run(bench)
        except NotBegun:
            pass  # its requirements stay without a judgement, as those of whatever else was not reached
        except (Unmet, HookFailed) as reason:
            self._recorder.skip(Skipped(scenario=scenario.id, requirements=scenario.requirements, reason=str(reason)))
        except (Stopped, BudgetSpent, TargetDown, SafetyError):
            if self._is_cut:
                self._contain(bench, known)
            elif bench.exchanges:
                self._recorder.keep(attempt, self._judged(attempt, bench))
                self._contain(bench, known)
            raise
        if self._is_cut:
            self._contain(bench, known)
        elif bench.exchanges:
            self._conclude(attempt, bench, rules, known)
        self._recorder.tell(self._client.requests_sent)

    def _conclude(self, attempt: Attempt, bench: Bench, rules: tuple[str, ...], known: Known) -> None:
        """Judge an attempt, confirm it where that is due, and keep both together."""
        first, again = self._judged(attempt, bench), list[Added]()

        def record(bench: Bench, disturbed: str) -> list[Judgement]:
            again.append(self._judged(attempt, bench, confirms=attempt.scenario.id, disturbed=disturbed))
            self._contain(bench, known)
            return again[-1].judgements

        try:
            self._contain(bench, known)
            doubtful = self._confirming.due(first.judgements)
            if doubtful:
                make_bench = partial(self._bench, rules=rules, known=known)
                confirm(attempt.scenario, doubtful, make_bench, record)
        finally:
            self._recorder.keep(attempt, first, again)

    def _judged(self, attempt: Attempt, bench: Bench, *, confirms: str = "", disturbed: str = "") -> Added:
        scenario = attempt.scenario
        episode = bench.episode(
            scenario.family, attempt.name, about=scenario.requirements, confirms=confirms, disturbed=disturbed
        )
        added = self._recorder.add(attempt, episode)
        with self._choosing:
            self._chooser.learn(added.accepted, attempt.base if added.is_new else None)
        return added

    def _contain(self, bench: Bench, known: Known) -> None:
        """Off loopback, leave no rule enabled; one that is enabled where it must not be ends the campaign."""
        if self._shared.guard.is_open:
            return
        unexpected = bench.unexpectedly_enabled()
        for rule in (*unexpected, *bench.enabled_on_purpose()):
            with self._client.restoring():
                left = contain(self._bench(f"safety/disarm-{rule}", rules=(rule,), known=known), rule)
            if unexpected or left.problem is not None:
                self._end(ending_of(left))
                raise Stopped

    def _bench(self, scenario_id: str, attempt: int = 0, *, rules: tuple[str, ...], known: Known) -> Bench:
        return Bench(self._shared, known, scenario_id, rules, attempt=attempt)


def _wish(shard: Shard, world: World) -> Wish:
    profile = shard.profile
    return Wish(
        kind="bodies",
        number=random.Random(f"{shard.seed}/{shard.number}").randrange(2**40),
        world=world,
        known=profile.rules.all,
        expose_key=profile.permissions.expose_key,
        abilities=Abilities(
            enable="enable_rule" in profile.hooks and shard.readable,
            clock="advance_clock" in profile.hooks and shard.stage == "alone",
            together=profile.limits.in_flight > 1 and shard.readable,
        ),
    )
