"""One episode of a recorded run, sent again several times, with the rules in custody."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from rules_harness.harness.errors import CONFORMS, NOT_JUDGED, VIOLATED
from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import Journal
from rules_harness.harness.judging.judge import CONTAINED
from rules_harness.harness.judging.outcome import Outcome, Violation
from rules_harness.harness.scenarios.scenario import Situation
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.session import Remarks, Session, Settings
from rules_harness.harness.smaller.minimise import REPLAYS, UNREPEATABLE, Minimiser
from rules_harness.harness.smaller.resending import Recording
from rules_harness.openapi.contract import Contract


class Replaying(Session):
    """Sends an episode again, and says how often its violation showed. Make it, call `run` once."""

    kind: ClassVar[str] = "replay"

    def __init__(
        self,
        contract: Contract,
        target: Opened,
        journal: Journal,
        settings: Settings,
        remarks: Remarks,
        *,
        episode: Episode,
        recorded_at: datetime,
        violation: Violation,
    ) -> None:
        """``recorded_at`` is what the episode's dates were counted from."""
        super().__init__(contract, target, journal, settings, remarks)
        self.shown: int | None = None
        """How often the violation showed again, of `REPLAYS`; ``None`` where that cannot be said."""
        self._recording = Recording.of(episode, recorded_at)
        self._violation = violation

    def work(self, situation: Situation) -> None:
        """Send the episode as often as it takes to say how reliably it fails."""
        minimiser = Minimiser(self.contract, self.keeping.shared.world, self.bench, self._rules)
        shown = 0
        for number in range(REPLAYS):
            try:
                sent = minimiser.attempt(self._recording, f"replay/{number + 1}")
            except UNREPEATABLE as reason:
                self.stop_for(f"could not tell, because the target cannot be prepared as it was: {reason}")
                return
            self.record.episode(sent)
            shown += minimiser.shows(sent, self._violation) is not None
        self.shown = shown

    def conclude(self, select: tuple[str, ...] | None = None) -> Outcome:
        """The outcome of what was sent; whether the violation showed decides."""
        outcome = super().conclude((self._violation.requirement,) if select is None else select)
        if self.interrupted or any(note.kind == CONTAINED for note in self.record.notes):
            return outcome
        if self.shown is None:
            return msgspec.structs.replace(outcome, conclusion="inconclusive", exit_code=NOT_JUDGED)
        if self.shown:
            reason = f"still fails, {self.shown} of {REPLAYS}"
            return msgspec.structs.replace(outcome, conclusion="violates", exit_code=VIOLATED, reason=reason)
        reason = f"no longer fails, {REPLAYS} times sent"
        return msgspec.structs.replace(outcome, conclusion="conforms", exit_code=CONFORMS, reason=reason)

    def _rules(self, recording: Recording) -> dict[str, str]:
        """Each rule itself where the profile has it; another target's rules take the others' places in their order."""
        own = self.profile.rules.all
        spare = [rule for rule in self.profile.rules.writable if rule not in recording.rules]
        return {rule: rule if rule in own or not spare else spare.pop(0) for rule in recording.rules}
