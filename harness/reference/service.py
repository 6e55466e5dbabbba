"""The state of one server. Records are frozen: an update replaces one, so that a reader never sees half of it."""

import asyncio
from datetime import timedelta

import msgspec

from rules_harness.harness.reference.clock import ServerClock
from rules_harness.harness.reference.keys import IdempotencyKeys
from rules_harness.harness.reference.rules import Rule, first_rules


class Store:
    """Rules by id, each with the version before it and a lock."""

    def __init__(self) -> None:
        self._rules = {rule.id: rule for rule in first_rules()}
        self._previous: dict[str, Rule] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self.executions: list[str] = []

    def get(self, rule_id: str) -> Rule | None:
        """The rule with exactly that id, or None."""
        return self._rules.get(rule_id)

    def put(self, rule: Rule) -> None:
        """Store the rule in place of the one with its id."""
        self._previous[rule.id] = self._rules.get(rule.id, rule)
        self._rules[rule.id] = rule

    def existing(self, rule_id: str) -> Rule:
        """The rule with that id, which is known to be there: rules are never deleted."""
        return self._rules[rule_id]

    def previous(self, rule_id: str) -> Rule:
        """The rule as it was before it was last stored."""
        return self._previous.get(rule_id, self._rules[rule_id])

    def all(self) -> tuple[Rule, ...]:
        """Every rule of every organization, in the order they were made."""
        return tuple(self._rules.values())

    def lock(self, rule_id: str) -> asyncio.Lock:
        """The lock that an update of that rule holds from its first read to its last write."""
        return self._locks.setdefault(rule_id, asyncio.Lock())


class Service:
    """Clock, rules and idempotency keys."""

    def __init__(self, latency_ms: int = 0) -> None:
        self.latency_ms = latency_ms
        self.in_flight = 0
        """API requests that have come in and are not answered yet."""
        self.reset()

    def reset(self) -> None:
        """As at the start, the clock included."""
        self.clock = ServerClock()
        self.store = Store()
        self.keys = IdempotencyKeys(self.clock)

    def enable(self, rule: Rule) -> Rule:
        """What a human does in the app: review the rule and enable it."""
        moment = rule.updated_at + timedelta(milliseconds=1)
        enabled = msgspec.structs.replace(rule, status="enabled", updated_at=moment)
        self.store.put(enabled)
        return enabled
