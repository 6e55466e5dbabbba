"""One finding of a recorded run, sent again several times, with the rules that it takes in custody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from rules_harness.harness.errors import CONFORMS, NOT_JUDGED, VIOLATED
from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import Journal
from rules_harness.harness.judging.judge import CONTAINED
from rules_harness.harness.judging.outcome import Outcome
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.scenario import Situation
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.session import Remarks, Session, Settings
from rules_harness.harness.smaller.again import Again, send_again
from rules_harness.harness.smaller.evidence import Evidence
from rules_harness.harness.target.profile import Rules
from rules_harness.openapi.contract import Contract


class Replaying(Session):
    """Sends a finding again, and says how often it showed. Make it, call `run` once."""

    kind: ClassVar[str] = "replay"
    knows_endpoint: ClassVar[bool] = True

    def __init__(
        self,
        contract: Contract,
        target: Opened,
        journal: Journal,
        settings: Settings,
        remarks: Remarks,
        *,
        evidence: Evidence,
        rules: Mapping[str, str],
        is_own: bool = False,
    ) -> None:
        """``rules``, from `places`, says which rule takes the place of which recorded one; no other is touched.

        What the evidence says of its requests is believed only where it ``is_own``.
        """
        only = _only(target.profile.rules, set(rules.values()))
        profile = msgspec.structs.replace(target.profile, rules=only)
        super().__init__(contract, msgspec.structs.replace(target, profile=profile), journal, settings, remarks)
        self.again = Again(problem="nothing was sent")
        self._evidence = evidence
        self._rules = rules
        self._is_own = is_own

    def work(self, situation: Situation) -> None:
        """Send the finding as often as it takes to say how reliably it fails."""
        if not self._is_own:
            self.keeping.shared.guard.distrust()
        if situation.reasons:
            reasons = "; ".join(f"{rule}: {reason}" for rule, reason in situation.reasons.items())
            self.again = Again(
                problem=f"{self.contract.noun.with_article} that this finding takes cannot be used: {reasons}"
            )
        else:
            self.again = send_again(self.contract, self._evidence, self._rules, self.bench, self._sent)
        if self.again.problem:
            self.stop_for(self.again.problem)

    def conclude(self, select: tuple[str, ...] | None = None) -> Outcome:
        """The outcome of what was sent; whether the finding showed decides."""
        outcome = super().conclude((self._evidence.finding.requirement,) if select is None else select)
        if self.interrupted or any(note.kind == CONTAINED for note in self.record.notes):
            return outcome
        if self.again.shown:
            return msgspec.structs.replace(outcome, conclusion="violates", exit_code=VIOLATED, reason=self.again.reason)
        if self.again.problem:
            return msgspec.structs.replace(outcome, conclusion="inconclusive", exit_code=NOT_JUDGED)
        return msgspec.structs.replace(outcome, conclusion="conforms", exit_code=CONFORMS, reason=self.again.reason)

    def _sent(self, episode: Episode, bench: Bench) -> None:
        self.record.episode(episode)
        self.keeping.contain_where_needed(bench)


def _only(rules: Rules, wanted: set[str]) -> Rules:
    return Rules(
        writable=tuple(rule for rule in rules.writable if rule in wanted),
        limited=rules.limited if rules.limited in wanted else None,
        other_org=rules.other_org if rules.other_org in wanted else None,
    )
