"""A run against a target that exists in memory only: what would be sent, without sending anything.

The pretended target conforms, has every rule of the profile, disabled, and answers at the profile's rate, so that the
gate itself, unchanged, says how many requests it takes.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from rules_harness.harness import journal
from rules_harness.harness.dry_run.target import PretendedTarget
from rules_harness.harness.exchange import Answer, Request
from rules_harness.harness.gate import Gate
from rules_harness.harness.journal import Journal
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.session import Settings, Silent
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.harness.target.hooks import Hooks
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.secrets import Keyring
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.places import body_place, visited
from rules_harness.strategies.validity import is_valid_body

PUTTING_BACK: Final = "putting back"


class Plan(msgspec.Struct, frozen=True):
    """What a run would send, and what it could not judge.

    ``seconds`` is what the rate allows at best; a slow target takes longer.
    """

    requests: int
    seconds: float
    by_family: dict[str, int]
    rules: tuple[str, ...]
    """The rules that would be overwritten and put back."""
    largest_amount: int | None
    """In cents."""
    skipped: dict[str, tuple[str, ...]]
    """By reason, the requirements that not every scenario is run for."""
    unjudged: tuple[str, ...]
    """Requirements that no scenario would put to the test."""
    notes: tuple[str, ...]
    """Why the run would end early."""


def rehearse(contract: Contract, profile: Profile, keyring: Keyring, settings: Settings) -> Plan:
    """Go through a whole run; nothing is sent, and what is written is removed again."""
    sender = Rehearsal(contract, profile, settings.now)
    # Waiting for reads to catch up is part of the estimate, not of the rehearsal.
    quick = msgspec.structs.replace(profile, limits=msgspec.structs.replace(profile.limits, settle_seconds=0))
    with TemporaryDirectory() as folder:
        target = Opened(quick, keyring, embedded=False)
        gate = Gate(
            contract,
            target,
            Journal(Path(folder)),
            # What the pretended target does wrong is no finding that anybody wants to have smaller.
            msgspec.structs.replace(settings, smaller=False),
            Silent(),
            client=sender,
            hooks=sender.hooks(keyring),
        )
        outcome = gate.run()
        run = journal.read(Path(folder))
    by_family = Counter[str]()
    for episode in run.episodes:
        by_family[episode.family] += len(episode.exchanges)
    by_family[PUTTING_BACK] = sender.requests_sent - by_family.total()
    skipped: dict[str, dict[str, None]] = {}
    for record_of_scenario in run.skipped:
        skipped.setdefault(record_of_scenario.reason, {}).update(dict.fromkeys(record_of_scenario.requirements))
    return Plan(
        requests=sender.requests_sent,
        seconds=sender.now() + profile.limits.settle_seconds * sender.lagging_reads,
        by_family=dict(by_family),
        rules=tuple(rule for rule in profile.rules.all if rule in sender.written),
        largest_amount=max(sender.amounts, default=None),
        skipped={reason: tuple(requirements) for reason, requirements in skipped.items()},
        unjudged=tuple(requirement.id for requirement in outcome.requirements.values() if not requirement.exercised),
        notes=tuple(note.text for note in run.notes),
    )


class _Sent(msgspec.Struct, frozen=True):
    outcome: Answer
    started: float
    ended: float
    resent: bool = False


class Rehearsal:
    """Takes the place of the client; each request takes its share of the profile's rate, on a clock of its own."""

    def __init__(self, contract: Contract, profile: Profile, now: datetime) -> None:
        self.requests_sent = 0
        self.cleaner = Cleaner(Keyring({}))
        """No key is ever put into a request here."""
        self.lagging_reads = 0
        """Reads that follow a write of the same rule."""
        self.written: set[str] = set()
        self.amounts: set[int] = set()
        self._target = PretendedTarget(contract, profile, now)
        self._contract = contract
        self._profile = profile
        self._seconds = 0.0
        self._unsettled: set[str] = set()
        self._lock = threading.RLock()

    @property
    def most_together(self) -> int:
        """How many requests may be released at one moment."""
        return self._profile.limits.in_flight

    def now(self) -> float:
        """Seconds since the run would have begun."""
        return self._seconds

    def wait(self, seconds: float) -> None:
        """Let the time pass that a run would wait."""
        self._seconds += seconds

    def stop(self) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Nothing is open."""

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """As the client has it; nothing limits a rehearsal."""
        yield

    def send(self, request: Request) -> _Sent:
        """Answer one request."""
        return self.send_together([request])[0]

    def send_many(self, requests: Sequence[Request]) -> list[_Sent]:
        """Answer several, one after the other."""
        return [self.send(request) for request in requests]

    def send_together(self, requests: Sequence[Request]) -> list[_Sent]:
        """Answer several that are under way at one time."""
        with self._lock:
            started = self._seconds
            self._seconds += len(requests) / self._profile.limits.requests_per_second
            self.requests_sent += len(requests)
            answers = [self._target.answer(request, self._seconds) for request in requests]
            for request, answer in zip(requests, answers, strict=True):
                self._note(request, answer)
            return [_Sent(answer, started, self._seconds) for answer in answers]

    def hooks(self, keyring: Keyring) -> Hooks:
        """Hooks that work on the pretended target."""
        return _Hooks(self._profile, keyring, self._target)

    def _note(self, request: Request, answer: Answer) -> None:
        rule = self._target.rule_of(request.target)
        if request.method == "GET":
            self.lagging_reads += rule in self._unsettled
            self._unsettled.discard(rule)
        elif answer.is_success:
            self.written.add(rule)
            self._unsettled.add(rule)
        if request.body is not None and is_valid_body(self._contract, request.body.content):
            body = json.loads(request.body.content)
            for place, _, value in visited(body_place(self._contract), body):
                if place.offers("amount") and isinstance(value, int):
                    self.amounts.add(value)


class _Hooks(Hooks):
    def __init__(self, profile: Profile, keyring: Keyring, target: PretendedTarget) -> None:
        super().__init__(profile, keyring)
        self._target = target

    def enable_rule(self, rule_id: str) -> None:
        self._target.enable(rule_id)

    def advance_clock(self, seconds: float) -> None:
        self._target.moved += seconds
