"""The rules, in memory. Records are frozen: an update replaces the record, so that a reader never sees half of one."""

import asyncio

from rules_harness.harness.reference.rules import Rule, first_rules


class Store:
    """Rules by id, with a lock for each."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}
        self._previous: dict[str, Rule] = {}
        self.read_cache: dict[str, Rule] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self.executions: list[str] = []
        self.reset()

    def reset(self) -> None:
        """Forget everything and put the first rules back."""
        self._rules = {rule.id: rule for rule in first_rules()}
        self._previous = {}
        self.read_cache = {}
        self._locks = {}
        self.executions = []

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

    def before_last_update(self, rule_id: str) -> Rule:
        """The rule as it was before it was last stored."""
        return self._previous.get(rule_id, self._rules[rule_id])

    def all(self) -> tuple[Rule, ...]:
        """Every rule of every organization, in the order they were made."""
        return tuple(self._rules.values())

    def lock(self, rule_id: str) -> asyncio.Lock:
        """The lock that an update of that rule holds from its first read to its last write."""
        lock = self._locks.get(rule_id)
        if lock is None:
            lock = self._locks[rule_id] = asyncio.Lock()
        return lock
