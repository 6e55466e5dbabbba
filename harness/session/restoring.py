"""What a run that was cut off left changed is put back; nothing is judged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rules_harness.harness.journal import FoundRule, Journal
from rules_harness.harness.scenarios.scenario import Situation
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.session import Remarks, Session, Settings
from rules_harness.openapi.contract import Contract


class Restoration(Session):
    """Puts rules back as an earlier run found them, and goes on with that run's journal. Call `run` once."""

    kind: ClassVar[str] = "restore"

    def __init__(
        self, contract: Contract, target: Opened, journal: Journal, remarks: Remarks, left: Iterable[FoundRule]
    ) -> None:
        super().__init__(contract, target, journal, Settings(), remarks, earlier={rule.rule: rule for rule in left})

    def begin(self) -> None:
        """The journal is the earlier run's: it has its header."""

    def survey(self) -> Situation | None:
        """What the rules are now says nothing of what they were."""
        return None

    def work(self, situation: Situation) -> None:
        """Nothing but putting back is to be done."""

    def finish(self) -> None:
        """The earlier run stays what it was: cut off."""
        self.record.close()
