"""The Python API: what the commands `check`, `fuzz` and `judge` do, for a program that is not a shell.

It prints nothing, reads keys where the profile says that they are, and writes the same folder as the commands. Versions
are semantic: what `rules_harness.__all__` lists, and the records of the journal, change incompatibly only with a new
major version. Nothing else is public.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Final, Literal

from rules_harness.harness.campaign.corpus import open_corpus
from rules_harness.harness.campaign.crew import Processes
from rules_harness.harness.campaign.run import Campaign
from rules_harness.harness.campaign.settings import CampaignSettings, Nobody
from rules_harness.harness.cli.leaving import leave_findings
from rules_harness.harness.errors import UsageError
from rules_harness.harness.gate import Gate
from rules_harness.harness.journal import Journal, locate
from rules_harness.harness.judging.outcome import Outcome
from rules_harness.harness.session.folder import make_room
from rules_harness.harness.session.opening import (
    Chosen,
    Opened,
    check_now,
    check_production,
    opened,
)
from rules_harness.harness.session.recorded import (
    EMBEDDED,
    OWN_CONTRACT,
    contract_for,
    header_of,
    judged,
)
from rules_harness.harness.session.reporting import ALWAYS, cleaned, report_of, write_reports
from rules_harness.harness.session.selecting import patterns_of
from rules_harness.harness.session.session import Session, Settings, Silent
from rules_harness.harness.session.signals import interruptible
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.openapi.contract import Contract, load
from rules_harness.reports.formats import FORMATS
from rules_harness.reports.model import RunReport

StrPath = str | PathLike[str]
_OUT: Final = "out"


class Profile:
    """A target: where it is, with which keys, on which rules, and what it is held to. Safe to keep: it holds no key."""

    def __init__(
        self,
        path: StrPath | None = None,
        *,
        base_url: str | None = None,
        key_env: str | None = None,
        rules: Sequence[str] = (),
        contract: StrPath | None = None,
        overlays: Sequence[StrPath] = (),
    ) -> None:
        """The profile in a TOML file, or what ``base_url``, ``key_env`` (the environment variable that holds a key) and
        ``rules`` (ids that may be overwritten) stand for; without any of these the embedded target.

        ``contract`` is an OpenAPI document instead of the packaged one, ``overlays`` are applied to it. Raises
        `UsageError` where the profile is wrong or a key is missing, and `ContractError` where the contract is.
        """
        own = contract is not None or bool(overlays)
        document = None if contract is None else Path(contract)
        self._contract = load(document, [Path(overlay) for overlay in overlays])
        self._options = {OWN_CONTRACT: own}
        self._chosen = Chosen(None if path is None else Path(path), base_url, key_env, tuple(rules))
        if path is not None or base_url is not None:
            with self._opened():
                pass
        elif key_env is not None or rules:
            raise UsageError("key_env and rules go with base_url; with a profile, name them in it")

    def _opened(self) -> AbstractContextManager[Opened]:
        return opened(self._chosen, self._contract)


class Run:
    """A recorded run: its folder with the journal, which is all that its outcome and its reports are made of."""

    def __init__(self, journal: Path, contract: Contract, outcome: Outcome) -> None:
        self.journal: Final = journal
        """The path of the journal."""
        self.outcome: Final = outcome
        """The verdicts, readings and findings, and the exit code that the command would have had."""
        self._contract: Final = contract

    @property
    def folder(self) -> Path:
        """Where the journal and the reports are."""
        return self.journal.parent

    def report(self, *names: str, out: StrPath | None = None) -> list[Path]:
        """Write reports, such as ``html`` and ``sarif``, and return their paths.

        Raises `UsageError` for a name that is not a format, and where they cannot be written.
        """
        for name in names:
            if name not in FORMATS:
                raise UsageError(f"{name!r} is not a format; there are {', '.join(FORMATS)}")
        report = report_of(self.journal, self.outcome, self._contract)
        return write_reports(self.folder if out is None else Path(out), names, report)


def check(
    profile: Profile,
    *,
    out: StrPath = _OUT,
    select: Sequence[str] = (),
    fail_on: Literal["must", "should"] = "must",
    seed: int = 1,
    now: datetime | None = None,
) -> Run:
    """Judge a target by its contract: every scenario once.

    ``select`` are families, ids and patterns of requirements, ``fail_on`` is the lowest level that violates, ``now``
    (aware) is what dates ahead are counted from. Writes the journal, junit.xml and summary.json to ``out``, and puts
    the rules back whatever happens; the first Ctrl-C ends the run so too, where this is called in the main thread.
    Raises `UsageError` where nothing may be sent or written, and `HarnessError` where the target is not there.
    """
    moment = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    patterns = tuple(patterns_of("select", select, profile._contract))

    def gate(target: Opened, journal: Journal) -> Gate:
        check_now(target.profile, moment)
        options = {**profile._options, EMBEDDED: target.embedded}
        settings = Settings(seed=seed, now=moment, select=patterns, fail_on=fail_on, options=options)
        return Gate(profile._contract, target, journal, settings, Silent())

    return _run(profile, Path(out), gate)


def fuzz(
    profile: Profile,
    *,
    out: StrPath = _OUT,
    seconds: float = 600,
    requests: int | None = None,
    workers: int = 1,
    seed: int = 1,
) -> Run:
    """Look for what nobody asked: random requests and histories, judged like those of `check`.

    ``seconds`` is how long to search, ``requests`` how many to send at most for it, ``workers`` how many processes
    send; they are forked, so call it while this process has one thread. Writes what `check` does, ``corpus/``, and a
    folder with a script and a test for each finding to ``out``. Raises what `check` raises.
    """
    if seconds <= 0 or workers < 1 or (requests is not None and requests < 1):
        raise UsageError("seconds, requests and workers are numbers above 0")
    now, folder = datetime.now(UTC).replace(microsecond=0), Path(out)

    def campaign(target: Opened, journal: Journal) -> Campaign:
        contract = profile._contract
        corpus = open_corpus(str(folder / "corpus"), contract, target.profile.world(now), folder / "corpus")
        settings = CampaignSettings(
            seconds=seconds,
            requests=requests,
            seed=seed,
            now=now,
            entries=corpus.load(),
            options={**profile._options, EMBEDDED: target.embedded},
        )
        count = min(workers, max(1, len(target.profile.rules.writable)))
        crew = partial(Processes, contract, target.keyring, count)
        return Campaign(contract, target, journal, settings, Nobody(), crew, keep=corpus.save)

    return _run(profile, folder, campaign, further=partial(leave_findings, folder))


def load_run(path: StrPath) -> Run:
    """A recorded run by its folder or its journal, judged with today's checks by the contract that it was held to.

    Raises `UsageError` where there is none, or it cannot be read.
    """
    journal = locate(Path(path))
    contract = contract_for(header_of(journal), None)
    return Run(journal, contract, judged(journal, contract))


def judge(run: Run | StrPath, *, contract: StrPath | None = None, overlays: Sequence[StrPath] = ()) -> Outcome:
    """Judge a recorded run again with today's checks, by its own contract or by another one; nothing is sent.

    Raises `UsageError` where it cannot be read, and `ContractError` where the contract is wrong.
    """
    journal = run.journal if isinstance(run, Run) else locate(Path(run))
    given = None
    if contract is not None or overlays:
        document = None if contract is None else Path(contract)
        given = load(document, [Path(overlay) for overlay in overlays])
    return judged(journal, contract_for(header_of(journal), given))


def _run(
    profile: Profile,
    folder: Path,
    session: Callable[[Opened, Journal], Session],
    further: Callable[[RunReport], Iterable[Path]] = lambda report: (),
) -> Run:
    """Open the target, run, and write what a run leaves."""
    with profile._opened() as target:
        check_production(target.profile, profile._contract)
        make_room(folder)
        cleaner = Cleaner(target.keyring)
        running = session(target, Journal(folder, clean=cleaner.clean_text))
        with interruptible(running):
            outcome = cleaned(running.run(), cleaner)
    run = Run(running.record.journal.path, profile._contract, outcome)
    report = report_of(run.journal, outcome, profile._contract)
    write_reports(run.folder, ALWAYS, report)
    further(report)
    return run
