"""The state of one server."""

from datetime import timedelta

import msgspec

from rules_harness.harness.reference.clock import Clock
from rules_harness.harness.reference.idempotency import IdempotencyKeys
from rules_harness.harness.reference.race import Race
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.store import Store
from rules_harness.harness.reference.validation import Configuration


class Service:
    """Clock, rules and idempotency keys; `request_in_hand` and `last_written` are read by faults alone."""

    def __init__(self) -> None:
        self.race = Race()
        self.clock = Clock()
        self.store = Store()
        self.keys = IdempotencyKeys(self.clock, self.race)
        self.request_in_hand: Configuration
        self.last_written = ""

    def reset(self) -> None:
        """As at the start, the clock included."""
        self.clock.reset()
        self.store.reset()
        self.keys.reset()

    def enable(self, rule: Rule) -> Rule:
        """What a human does in the app: review the rule and enable it."""
        enabled = msgspec.structs.replace(
            rule, status="enabled", updated_at=rule.updated_at + timedelta(milliseconds=1)
        )
        self.store.put(enabled)
        return enabled
