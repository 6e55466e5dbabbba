"""Whether what was sent again shows what it showed first."""

from __future__ import annotations

from collections.abc import Collection

from rules_harness.harness.exchange import Episode
from rules_harness.harness.judging.outcome import Judgement, Violation
from rules_harness.harness.judging.tally import judge_episode, same_violation
from rules_harness.openapi.contract import Contract


def shown_again(
    contract: Contract, episode: Episode, violation: Violation, recorded: Collection[int]
) -> Violation | None:
    """The same violation, if what was sent last of those that show it is at one of these positions.

    What was sent only to prepare the target does not count: it may show what an earlier attempt left behind.
    """

    def is_recorded(judgement: Judgement) -> bool:
        shown_by = judgement.shown_by if isinstance(judgement, Violation) else ()
        sent = [position for position in shown_by if episode.exchanges[position].intent.operation != "read"]
        return not sent or sent[-1] in recorded

    return same_violation(violation, filter(is_recorded, judge_episode(episode, contract)))
