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
    """The same violation, if the exchanges at these positions show it.

    What was sent only to prepare the target does not count: it may show what an earlier attempt left behind.
    """

    def is_recorded(judgement: Judgement) -> bool:
        return not isinstance(judgement, Violation) or all(
            position in recorded or episode.exchanges[position].intent.operation == "read"
            for position in judgement.shown_by
        )

    return same_violation(violation, filter(is_recorded, judge_episode(episode, contract)))
