"""What a scenario works with: one lane of rules, the world, and one way to send.

A bench sends on behalf of one scenario, records every exchange with its intent, and hands over the episode.  It knows
the state of its rules as last read, so that an episode begins with known facts and no request is spent twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from rules_harness.harness.exchange import Episode, Exchange, Facts, Request
from rules_harness.harness.intent import Intent, Meaning
from rules_harness.harness.judging.states import state_shown
from rules_harness.harness.scenarios.cases import sent_and_read
from rules_harness.harness.scenarios.details import ReadDetails, UpdateDetails
from rules_harness.harness.scenarios.known import Known
from rules_harness.harness.scenarios.own_texts import own
from rules_harness.harness.scenarios.planner import Planned, Planner, Shared
from rules_harness.harness.scenarios.unmet import NotBegun, NotEnabled, Unmet
from rules_harness.strategies.bodies import Body


class Bench(Planner):
    """One scenario at work: it sends, records every exchange with its intent, and hands over the episode."""

    def __init__(self, shared: Shared, known: Known, scenario_id: str, rules: Sequence[str], *, attempt: int = 0):
        super().__init__(shared, known, scenario_id, rules, attempt=attempt)
        self.exchanges: list[Exchange] = []
        self.notes: list[str] = []
        self._before: dict[str, Any] = {}
        self._groups = 0
        self._enabled_by_operator: set[str] = set()
        self._enabled_after_update: set[str] = set()

    def episode(
        self,
        family: str,
        scenario: str,
        *,
        about: tuple[str, ...] = (),
        confirms: str = "",
        disturbed: str = "",
    ) -> Episode:
        """Everything that was exchanged so far, as a record holds it; ``about`` is what it was to judge."""
        facts = Facts(
            before=dict(self._before),
            accounts=tuple(account.id for account in self.world.accounts),
            readable=self.readable,
            settle_seconds=self.shared.profile.limits.settle_seconds,
        )
        episode = Episode(
            id=self._scenario_id + (f"~again-{self._attempt}" if confirms else ""),
            family=family,
            scenario=scenario,
            exchanges=tuple(self.exchanges),
            facts=facts,
            about=about,
            confirms=confirms,
            disturbed=disturbed,
            notes=tuple(self.notes),
        )
        return self.shared.client.cleaner.recorded(episode)

    def renew(self, rule: str) -> None:
        """Give a rule a nickname that it never had, and read it back."""
        self.begin(rule)
        body = self.own_body(rule, own(f"Renewed {self.random.randrange(10**6):06d}"))
        self.update(
            body,
            rule=rule,
            caller=self.owner(rule),
            existence=self.existence(rule),
            purpose="setup",
            acceptance="open",
            label="renewed",
        )
        self.read(rule, existence=self.existence(rule))

    def update(self, body: Body | Mapping[str, Any] | bytes | None, /, **details: Unpack[UpdateDetails]) -> Exchange:
        """Send one update; see `plan_update`."""
        return self.send(*self.plan_update(body, **details))

    def adopt(self, shared: Shared) -> None:
        """Go on with what has become known of the target since."""
        self.shared = shared
        self.world = shared.world

    def leave(self, name: str) -> None:
        """Keep what was exchanged so far for a later scenario."""
        self._known.kept[name] = tuple(self.exchanges)

    def take_up(self, name: str) -> None:
        """Go on from what an earlier scenario left. Raises `NotBegun` where none did."""
        if name not in self._known.kept:
            raise NotBegun(f"nothing was left under {name} to go on from")
        self.exchanges += self._known.kept[name]

    @property
    def keys_used(self) -> int:
        """How many keys this run has used: what is refused uses none for certain."""
        return self._known.keys

    def resume(self, earlier: Episode) -> None:
        """Go on from an episode of an earlier run."""
        cleaner = self.shared.client.cleaner
        self.exchanges += map(cleaner.recalled, earlier.exchanges)
        self._before |= cleaner.recalled_value(earlier.facts.before)

    def read(self, rule: str | None = None, **details: Unpack[ReadDetails]) -> dict[str, Any] | None:
        """Read a rule and remember its state; ``None`` where it cannot be read.

        Waits for reads to catch up first, where the profile says that they may lag.
        """
        if not self.readable:
            return None
        rule = self.rule if rule is None else rule
        if rule in self._known.stale and self.shared.profile.limits.settle_seconds > 0:
            self.shared.client.wait(self.shared.profile.limits.settle_seconds)
        state = state_shown(self.contract, self.send(*self.plan_read(rule, **details)))
        return None if state is None else dict(state)

    def begin(self, *rules: str) -> None:
        """Make the state of rules known before anything is sent to them."""
        for rule in rules or (self.rule,):
            if rule in self._known.states and rule not in self._known.stale:
                self._before.setdefault(rule, self._known.states[rule])
            elif self.readable:
                self.read(rule)

    def begin_anew(self, *rules: str) -> None:
        """As `begin`, whatever was known: what was sent before may have changed a rule that it was not sent to."""
        self._known.stale.update(rules)
        self.begin(*rules)

    def trigger(self, caller: str, **meaning: Unpack[Meaning]) -> Exchange:
        """Ask for an execution; only where the profile allows it (`Guard.check`)."""
        if self.contract.trigger is None:
            raise Unmet("the contract has no trigger")
        operation = self.contract.trigger
        request = Request(operation.method, operation.path_for(self.rule), key=self.key_of(caller))
        meaning["purpose"] = meaning["operation"] = "trigger"
        return self.send(request, Intent(caller=caller, rule=self.rule, case=self.cases.current, **meaning))

    def send(self, request: Request, intent: Intent) -> Exchange:
        """Send one request, record it, and return the exchange."""
        return self.send_all([(request, intent)])[0]

    def send_all(self, planned: Sequence[Planned], *, together: bool = False) -> list[Exchange]:
        """Send several requests, up to the profile's number in flight at once, or released at one moment."""
        for request, intent in planned:
            self.shared.guard.check(request, intent)
            if intent.operation != "read":
                self._known.stale.add(intent.rule)
        requests = [request for request, _ in planned]
        if together:
            self._groups += 1
            group = self._groups
            planned = [(request, intent.but(group=group)) for request, intent in planned]
            results = self.shared.client.send_together(requests)
        elif len(requests) == 1:
            results = [self.shared.client.send(requests[0])]
        else:
            results = self.shared.client.send_many(requests)
        sent = [
            Exchange(request, result.outcome, intent, result.started, result.ended, result.resent)
            for (request, intent), result in zip(planned, results, strict=True)
        ]
        self.exchanges += sent
        self._known.count_keys(sum(map(_is_first_use, sent)))
        written = {intent.rule for _, intent in planned if intent.operation != "read"}
        for exchange in sent:
            self._watch_status(exchange)
            # A read beside an update shows its rule before it or after it: nobody can tell.
            if exchange.intent.rule not in written:
                self._remember(exchange)
        return sent

    def read_apart(self, case: str) -> None:
        """Read the rule, which a short run may leave out behind a case."""
        for _ in self.cases.of(sent_and_read(case)[1:], str):
            self.read()

    def enable(self, rule: str | None = None) -> bool:
        """Have the operator's hook enable a rule, and read it to be sure; whether it is enabled now."""
        rule = self.rule if rule is None else rule
        self.enable_unseen(rule)
        state = self.read(rule)
        return state is not None and state.get(self.names.status) == self.names.enabled

    def begin_enabled(self, body: Body | Mapping[str, Any] | None = None, rule: str | None = None) -> Mapping[str, Any]:
        """Have a rule enabled that holds the usual body, or another one; its state then.

        Raises `NotEnabled`, and `Unmet` where the rule holds something else that could move money.
        """
        body = self.usual() if body is None else body
        caller = self.owner(self.rule if rule is None else rule)
        self.update(body, rule=rule, caller=caller, purpose="setup", acceptance="open", label="before it is enabled")
        state = self.read(rule)
        if state is None or not self.enable(rule):
            raise NotEnabled(self.contract)
        return self.state(rule) or state

    def enable_unseen(self, rule: str | None = None) -> None:
        """Have the operator's hook enable a rule, and let nobody read it.

        Raises `Unmet` where the rule holds what could move money: the body that it was to hold may have been refused.
        """
        rule = self.rule if rule is None else rule
        self.shared.guard.check_enabling(rule)
        if rule in self._known.stale:
            self.read(rule)
        if not self.shared.guard.may_be_enabled(self._known.states.get(rule, {})):
            raise Unmet(f"{rule} holds what could move money, and is not enabled")
        self.shared.guard.enabled.add(rule)
        self._enabled_by_operator.add(rule)
        self.shared.hooks.enable_rule(rule)
        self._known.stale.add(rule)

    def unexpectedly_enabled(self) -> list[str]:
        """Rules that a read or an answer of this bench showed enabled after an update that was executed."""
        return sorted(self._enabled_after_update)

    def enabled_on_purpose(self) -> list[str]:
        """Rules that the operator's hook enabled here, and that no update has disabled since."""
        return sorted(self._enabled_by_operator)

    def answered(self, rule: str) -> Mapping[str, Any] | None:
        """What the last successful update of a rule in this run was answered, on whatever bench."""
        return self._known.answered.get(rule)

    def sleep(self, seconds: float) -> None:
        self.shared.client.wait(seconds)

    def _remember(self, exchange: Exchange) -> None:
        """Keep what a read shows; what was written stays unknown until it is read."""
        state = state_shown(self.contract, exchange)
        if state is not None:
            self._known.states[exchange.intent.rule] = dict(state)
            self._known.first.setdefault(exchange.intent.rule, dict(state))
            self._known.stale.discard(exchange.intent.rule)

    def _watch_status(self, exchange: Exchange) -> None:
        """Follow which rules may be enabled, and notice one that is where it must not be."""
        intent, answer, guard = exchange.intent, exchange.answer, self.shared.guard
        if answer is None or not answer.is_success or intent.existence not in ("own", "foreign"):
            return
        data = answer.part(self.names.data)
        status = data.get(self.names.status)
        if intent.operation == "update" and intent.repeats is None and data:
            self._known.answered[intent.rule] = data
        must_disable = intent.rule in self._enabled_by_operator or guard.says(exchange.request) != self.names.enabled
        if intent.operation == "update" and intent.repeats is None and must_disable:
            guard.enabled.discard(intent.rule)
            self._enabled_by_operator.discard(intent.rule)
        if status == self.names.enabled and intent.rule not in guard.enabled:
            self._enabled_after_update.add(intent.rule)
            guard.enabled.add(intent.rule)


def _is_first_use(exchange: Exchange) -> bool:
    """Whether a key was used that no earlier request had."""
    is_first = exchange.intent.key is not None and exchange.intent.repeats is None
    return is_first and exchange.answer is not None and exchange.answer.is_success
