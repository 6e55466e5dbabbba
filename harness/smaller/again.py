"""Sends a finding again, as often as it takes to say how reliably it fails, and judges what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from rules_harness.harness.errors import UsageError
from rules_harness.harness.exchange import Episode, TransportFault
from rules_harness.harness.judging.decisive import is_held, violation_of
from rules_harness.harness.judging.outcome import Violation
from rules_harness.harness.judging.tally import judge_episode
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.smaller.evidence import Evidence
from rules_harness.harness.smaller.minimise import REPLAYS, UNREPEATABLE, MakeBench
from rules_harness.harness.smaller.resending import resend
from rules_harness.harness.smaller.showing import shown_again
from rules_harness.harness.target.profile import Rules
from rules_harness.openapi.contract import Contract
from rules_harness.openapi.words import Noun

FAMILY: Final = "replay"


class Again(msgspec.Struct, frozen=True):
    """What came of sending a finding again; it could not be judged where ``problem`` says why not."""

    violation: Violation | None = None
    """The violation as it showed last."""
    shown: int = 0
    """Of `REPLAYS`."""
    problem: str = ""

    @property
    def reason(self) -> str:
        """What came of it, in words."""
        if self.shown:
            return f"still fails, {self.shown} of {REPLAYS}"
        return self.problem or f"no longer fails, {REPLAYS} times sent"


def send_again(
    contract: Contract,
    evidence: Evidence,
    rules: Mapping[str, str],
    make_bench: MakeBench,
    record: Callable[[Episode, Bench], None],
) -> Again:
    """Send a finding `REPLAYS` times; ``rules`` is what `places` gave, and ``record`` takes what was sent.

    Raises what the client raises.
    """
    wanted = violation_of(evidence.finding)
    seen: Violation | None = None
    times, is_judged, problem = 0, False, ""
    for number in range(1, REPLAYS + 1):
        bench = make_bench(f"{FAMILY}/{number}", tuple(rules.values()))
        try:
            positions = resend(bench, evidence.recording, rules)
        except UNREPEATABLE as reason:
            return Again(problem=f"could not tell, because the target cannot be prepared as it was: {reason}")
        episode = bench.episode(FAMILY, str(number))
        record(episode, bench)
        same = shown_again(contract, episode, wanted, positions)
        if same is not None:
            seen, times = same, times + 1
            continue
        proof = [positions[position] for position in wanted.shown_by]
        if is_held(wanted.requirement, episode, proof, contract):
            is_judged = True
        else:
            problem = _unjudged(wanted, episode, proof, contract)
    stability = evidence.finding.stability or ""
    if is_judged and not times and _is_rare(stability):
        return Again(
            problem=f"could not tell, {REPLAYS} times sent: when it was found it showed {stability} when sent alone"
        )
    return Again(seen, times, "" if is_judged or times else problem)


def _is_rare(stability: str) -> bool:
    """Whether a finding showed less than every second time: that it does not show says nothing then."""
    shown, _, tries = stability.partition(" of ")
    return tries.isdecimal() and 2 * int(shown) < int(tries)


def places(evidence: Evidence, here: Rules, noun: Noun) -> dict[str, str]:
    """For each rule of a finding the one of a profile that takes its place: itself, if the profile has it.

    Raises `UsageError` where none can.
    """
    recorded, wanted = evidence.rules, evidence.recording.rules
    spare = [rule for rule in here.writable if rule not in wanted]
    chosen: dict[str, str] = {}
    for rule in wanted:
        other: str | None
        if rule in here.all:
            other = rule
        elif rule == recorded.limited:
            other = here.limited
        elif rule == recorded.other_org:
            other = here.other_org
        else:
            other = spare.pop(0) if spare else None
        if other is None:
            raise UsageError(f"the profile has no {noun} that can take the place of {rule}; add one to its [rules]")
        chosen[rule] = other
    return chosen


def _unjudged(wanted: Violation, episode: Episode, proof: list[int], contract: Contract) -> str:
    """Why an episode says nothing of what was to be judged."""
    others = (judgement for judgement in judge_episode(episode, contract) if isinstance(judgement, Violation))
    other = next((judgement for judgement in others if judgement.requirement == wanted.requirement), None)
    if other is not None:
        return f"{wanted.requirement} fails in another way: {other.place}: {other.kind}; {other.actual}"
    outcomes = [episode.exchanges[position].outcome for position in proof]
    answers = ", ".join(
        outcome.detail if isinstance(outcome, TransportFault) else str(outcome.status) for outcome in outcomes
    )
    return f"nothing could be judged: no answer put {wanted.requirement} to the test (it came to {answers})"
