"""The frame that every kind of run has: it opens, surveys, keeps the rules and gives them back, and ends in one way."""

from __future__ import annotations

import os
import secrets
import shlex
import traceback
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

import msgspec

from rules_harness import __version__
from rules_harness.harness.errors import DEBUG
from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import FILE_NAME, SCHEMA_VERSION, Footer, FoundRule, Header, Journal, Note
from rules_harness.harness.judging.coverage import coverage_of
from rules_harness.harness.judging.judge import conclude
from rules_harness.harness.judging.outcome import Outcome
from rules_harness.harness.judging.tally import Tally
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.outgoing import Outgoing
from rules_harness.harness.scenarios.scenario import Scenario, Situation
from rules_harness.harness.session.endings import Ending, ending_of, stopped
from rules_harness.harness.session.keeping import Keeping, share
from rules_harness.harness.session.locks import RuleLocks
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.record import RunRecord
from rules_harness.harness.target.hooks import Hooks
from rules_harness.harness.wire.client import Client
from rules_harness.openapi.contract import Contract


class Progress(Protocol):
    """Whoever shows a run while it goes on."""

    def planned(self, scenarios: int) -> None: ...

    def finished(self, scenario: Scenario, episode: Episode) -> None: ...

    def doing(self, text: str) -> None: ...

    def note(self, text: str) -> None: ...


class Remarks(Protocol):
    """Whoever is told what must not be missed."""

    def note(self, text: str) -> None: ...


class Silent:
    """Nobody looks on."""

    def planned(self, scenarios: int) -> None:
        """Say nothing."""

    def finished(self, scenario: Scenario, episode: Episode) -> None:
        """Say nothing."""

    def doing(self, text: str) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


class Settings(msgspec.Struct, frozen=True):
    """What a run is given besides the target."""

    seed: int = 1
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    select: tuple[str, ...] = ()
    fail_on: str = "must"
    requests: int | None = None
    """About how many requests a short run may send."""
    max_failures: int | None = None
    """How many findings end the run before its time."""
    smaller: bool = False
    """Findings are made as small as they get, within the profile's limits and the requests of a short run once more."""
    options: dict[str, Any] = {}
    """What the journal must know of the command line; see `Header`."""


class Totals(msgspec.Struct, frozen=True):
    """What a run took, and what it reached."""

    requests: int
    seconds: float
    coverage: dict[str, Any]


class Session(ABC):
    """One run against one target; each kind of run says what `work` is. Make it, call `run` once.

    `stop` may be called at any time, in a signal handler too.
    """

    kind: ClassVar[str]
    """What the header of the journal says that this is."""
    is_sampled: ClassVar[bool] = False
    """Only some of what could be sent is sent: what did not show is not gone."""
    knows_endpoint: ClassVar[bool] = False
    """A run before it found the endpoint there."""

    def __init__(
        self,
        contract: Contract,
        target: Opened,
        journal: Journal,
        settings: Settings,
        remarks: Remarks,
        *,
        client: Outgoing | None = None,
        hooks: Hooks | None = None,
        record: RunRecord | None = None,
        earlier: Mapping[str, FoundRule] | None = None,
    ) -> None:
        """``client`` and ``hooks`` take the place of the real ones; ``earlier`` are rules as an earlier part of the run
        found them, which is how they are put back."""
        self.contract = contract
        self.profile = target.profile
        self.settings = settings
        self.record = RunRecord(journal, Tally(contract)) if record is None else record
        self.client: Outgoing = client or Client(target.profile, target.keyring, run_seed=settings.seed)
        self.hooks = hooks or Hooks(target.profile, target.keyring)
        self.nonce = secrets.token_hex(8)
        shared = share(
            contract,
            target.profile,
            self.client,
            self.hooks,
            now=settings.now,
            seed=settings.seed,
            nonce=self.nonce,
            applicable=target.keyring.applicable,
        )
        locks = RuleLocks(target.profile.target.base_url if client is None else None)
        self.keeping = Keeping(shared, target.profile, self.record, earlier or {}, locks, is_known=self.knows_endpoint)
        self.interrupted = False
        self._path = target.path
        self._remarks = remarks

    @property
    def restore_command(self) -> str:
        """What puts back the rules that this run leaves changed, for a shell."""
        journal = self.record.journal.path
        run = journal.parent if journal.name == FILE_NAME else journal
        own = () if self._path is None else ("--target", str(self._path))
        return shlex.join(("rules-harness", "restore", str(run), *own))

    def stop(self) -> None:
        """Let nothing leave from now on; `run` puts rules back and returns."""
        self.interrupted = True
        self.client.stop()

    def run(self) -> Outcome:
        """Survey, work, put the rules back, conclude. It ends so whatever happens in between."""
        try:
            self.begin()
            situation = self.survey()
            if situation is not None:
                self.work(situation)
        except BaseException as reason:  # noqa: BLE001 - every ending, a defect of ours too, becomes one outcome
            self._end(reason)
        self.record.is_ending = True
        try:
            self._give_back()
        except BaseException as reason:  # noqa: BLE001 - the record is ended and told of all the same
            self._end(reason)
        try:
            self._close()
        except BaseException as reason:  # noqa: BLE001 - as above
            self._end(reason)
        self.finish()
        return self.conclude()

    @abstractmethod
    def work(self, situation: Situation) -> None:
        """What this kind of run does between survey and put-back. May raise: see `endings`."""

    def begin(self) -> None:
        """Begin the record."""
        self.record.write(header_of(self), sync=True)

    def survey(self) -> Situation | None:
        """Look at the target and take its rules into custody; ``None`` where that shows that nothing can be judged."""
        situation = self.keeping.take()
        if situation is None and self.keeping.stop is not None:
            self.note(self.keeping.stop)
        for rule, reason in (situation.reasons if situation is not None else {}).items():
            self.note(Note("unused", f"{rule} is not used: {reason}"))
        return situation

    def finish(self) -> None:
        """End the record."""
        totals = self.totals()
        self.record.end(
            Footer(
                requests=totals.requests,
                seconds=round(totals.seconds, 3),
                ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
                interrupted=self.interrupted,
                coverage=totals.coverage,
            )
        )

    def totals(self) -> Totals:
        """What the run took, and what it reached."""
        return Totals(self.client.requests_sent, self.client.now(), coverage_of(self.contract, self.record.tally))

    def conclude(self, select: tuple[str, ...] | None = None) -> Outcome:
        """The outcome of what was recorded, for what was selected or for ``select`` instead."""
        return conclude(
            self.record.tally,
            profile=self.profile_record(),
            skipped=self.record.skipped,
            notes=self.record.notes,
            select=self.settings.select if select is None else select,
            fail_on=self.settings.fail_on,
            interrupted=self.interrupted,
        )

    def profile_record(self) -> dict[str, Any]:
        """The profile as the journal holds it."""
        return dict(msgspec.to_builtins(self.profile))

    def bench(self, scenario_id: str, rules: tuple[str, ...], attempt: int = 0) -> Bench:
        """A bench on which these rules may be used."""
        return self.keeping.bench(scenario_id, rules, attempt=attempt)

    def stop_for(self, text: str) -> None:
        """Note why not everything can be judged; what was found counts all the same."""
        self.note(stopped(text, beats_findings=False))

    def note(self, note: Note) -> None:
        """Note something that the outcome depends on."""
        self.record.note(note)
        self._remarks.note(note.text)

    def _end(self, reason: BaseException) -> None:
        ending: Ending = ending_of(reason)
        if ending.is_defect and os.environ.get(DEBUG):
            self._remarks.note("".join(traceback.format_exception(reason)))
        self.interrupted |= ending.is_interruption
        self.record.is_ending = True
        if ending.note is not None:
            self.note(ending.note)

    def _give_back(self) -> None:
        with self.client.restoring():
            self.keeping.give_back()
        for rule, problem in self.keeping.given_back.items():
            if problem is None:
                continue
            self._remarks.note(f"{rule} could not be put back: {problem}; try again with: {self.restore_command}")

    def _close(self) -> None:
        with ExitStack() as closing:
            for used in (self.client, self.hooks, self.keeping):
                closing.callback(used.close)


def header_of(session: Session) -> Header:
    """The header of a run that begins now."""
    profile, contract, settings = session.profile, session.contract, session.settings
    return Header(
        schema_version=SCHEMA_VERSION,
        tool_version=__version__,
        kind=session.kind,
        target=profile.target.name,
        base_url=profile.target.base_url,
        contract_version=contract.version,
        contract_sha256=contract.sha256,
        contract_document=dict(contract.document),
        profile=session.profile_record(),
        seed=settings.seed,
        now=settings.now.isoformat(),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        select=settings.select,
        fail_on=settings.fail_on,
        options=settings.options,
    )
