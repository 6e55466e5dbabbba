"""Deals shards to workers until budget or time is spent: each rule to one of them, to each its share of the rate."""

from __future__ import annotations

import time
from typing import Final, Protocol

from rules_harness.harness.campaign.crew import Crew, Lost
from rules_harness.harness.campaign.messages import Report, Shard, Stage
from rules_harness.harness.scenarios.scenario import Situation

GRACE_SECONDS: Final = 2.0
"""How long workers may take to tell their last after a stop."""
LOST_AT_MOST: Final = 5
"""So many lost workers end a campaign: something is wrong that another one will not mend."""
UNTOLD: Final = 400
"""Requests that a lost worker may have sent without having told."""
_POLL_SECONDS: Final = 0.1


class Director(Protocol):
    """The campaign, as a search needs it."""

    def shard(
        self,
        situation: Situation,
        rules: tuple[str, ...],
        *,
        requests: int,
        seconds: float,
        at_most: float,
        share: float,
        stage: Stage,
    ) -> Shard: ...

    def take(self, report: Report) -> None: ...

    def lost(self, lost: Lost) -> int: ...

    def end(self, text: str) -> None: ...

    def goes_on(self) -> bool: ...


class Search:
    """One stretch of a campaign. Make it, call `run` once."""

    def __init__(
        self,
        director: Director,
        crew: Crew,
        situation: Situation,
        *,
        requests: int,
        until: float,
        shard_seconds: float,
        stage: Stage = "side by side",
    ) -> None:
        """``until`` is a moment of `time.monotonic`. Other stages than *side by side* give all rules to one worker;
        *first* and *alone* are one shard."""
        self._director = director
        self._crew = crew
        self._situation = situation
        self._left = requests
        self._until = until
        self._shard_seconds = shard_seconds
        self._stage = stage
        self._is_one_shard = stage in ("first", "alone")
        self._members = min(crew.size, max(1, len(situation.usable))) if stage == "side by side" else 1
        self._at_work: dict[int, Shard] = {}
        self._lost = 0
        self._dealt = 0

    @property
    def left(self) -> int:
        """Its requests that nobody has used."""
        return self._left

    def run(self) -> None:
        """Return once nothing is left to be dealt and every worker has told its last."""
        while self._director.goes_on():
            self._deal()
            if not self._at_work:
                return
            self._listen(_POLL_SECONDS)
        self._crew.stop()
        latest = time.monotonic() + GRACE_SECONDS
        while self._at_work and time.monotonic() < latest:
            self._listen(_POLL_SECONDS)

    def _deal(self) -> None:
        idle = [member for member in range(self._members) if member not in self._at_work]
        if self._is_one_shard and self._dealt and not self._lost:
            return
        at_most = self._until - time.monotonic()
        seconds = at_most if self._is_one_shard else min(self._shard_seconds, at_most)
        for position, member in enumerate(idle):
            requests = self._left // (len(idle) - position)
            if requests < 1 or seconds <= 0:
                continue
            shard = self._director.shard(
                self._situation,
                self._rules(member),
                requests=requests,
                seconds=seconds,
                at_most=at_most,
                share=1 / self._members,
                stage=self._stage,
            )
            self._left -= requests
            self._dealt += 1
            self._at_work[member] = shard
            self._crew.assign(member, shard)

    def _rules(self, member: int) -> tuple[str, ...]:
        situation, rules = self._situation, self._situation.profile.rules
        if not self._is_one_shard:
            return situation.usable[member :: self._members]
        others = ((rules.limited, situation.limited), (rules.other_org, situation.foreign))
        return (*situation.usable, *(rule for rule, usable in others if usable and rule is not None))

    def _listen(self, seconds: float) -> None:
        for heard in self._crew.reports(seconds):
            if isinstance(heard, Lost):
                self._replace(heard)
                continue
            member, report = heard
            self._director.take(report)
            shard = self._at_work.get(member)
            if report.is_last and shard is not None and shard.number == report.shard:
                self._left += shard.requests - min(report.requests, shard.requests)
                del self._at_work[member]

    def _replace(self, lost: Lost) -> None:
        """What a lost worker had not used of its budget is dealt again."""
        known = self._director.lost(lost)
        shard = self._at_work.pop(lost.member, None)
        if shard is not None:
            self._left += shard.requests - min(shard.requests, known + UNTOLD)
        self._lost += 1
        if self._lost > LOST_AT_MOST:
            self._director.end(f"{self._lost} workers ended early, the last one because {lost.why}")
