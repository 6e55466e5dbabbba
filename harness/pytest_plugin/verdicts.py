"""The verdicts of a session: one conformance run, of what was selected, however many processes take part."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import pytest

from rules_harness.harness.errors import INTERRUPTED, HarnessError
from rules_harness.harness.files import write_private
from rules_harness.harness.gate import Gate
from rules_harness.harness.journal import Journal, Note
from rules_harness.harness.judging.judge import CONTAINED, STOPPED
from rules_harness.harness.pytest_plugin import TARGET, contract_of, has_own_contract, shared_folder
from rules_harness.harness.pytest_plugin.sessions import journal_folder, turn
from rules_harness.harness.session.folder import make_room
from rules_harness.harness.session.opening import Chosen, Opened, check_production, opened
from rules_harness.harness.session.recorded import OWN_CONTRACT
from rules_harness.harness.session.reporting import cleaned, report_of
from rules_harness.harness.session.session import Settings, Silent
from rules_harness.harness.session.signals import interruptible
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.openapi.contract import Contract
from rules_harness.openapi.errors import ContractError
from rules_harness.reports import plain
from rules_harness.reports.model import RunReport

_FILE_NAME: Final = "verdicts.json"
_SEED: Final = 1
_STOPS: Final = (STOPPED, CONTAINED)


class Told(msgspec.Struct, frozen=True):
    """The verdict on one requirement, its reason or findings in words, and the ids of the findings."""

    verdict: str
    text: str
    findings: tuple[str, ...] = ()


class Verdicts(msgspec.Struct, frozen=True):
    """What a session was told: verdicts by requirement, the folder of the run, and why there is no run."""

    told: dict[str, Told] = {}
    run: str = ""
    problem: str = ""


def verdicts_of(config: pytest.Config, selected: tuple[str, ...]) -> Verdicts:
    """The verdicts on these requirements.

    Of several processes one judges, so that rules and rate have one owner; the others wait and read what it left.
    """
    shared = shared_folder(config)
    if shared is None:
        return _judged(config, selected)
    with turn(config):
        left = left_by_worker(shared)
        if left is None:
            left = _judged(config, selected)
            write_private(shared / _FILE_NAME, [msgspec.json.encode(left)])
        return left


def left_by_worker(shared: Path) -> Verdicts | None:
    """What a worker has judged; `None` where none has."""
    path = shared / _FILE_NAME
    return msgspec.json.decode(path.read_bytes(), type=Verdicts) if path.is_file() else None


def _judged(config: pytest.Config, selected: tuple[str, ...]) -> Verdicts:
    try:
        contract = contract_of(config)
        with opened(Chosen(target=config.stash[TARGET]), contract) as target:
            check_production(target.profile, contract)
            folder = journal_folder(config)
            make_room(folder)
            report = _run(contract, target, folder, selected, is_own=has_own_contract(config))
    except (HarnessError, ContractError) as error:
        return Verdicts(problem=str(error))
    return Verdicts(_told(report), str(folder))


def _run(contract: Contract, target: Opened, folder: Path, selected: tuple[str, ...], *, is_own: bool) -> RunReport:
    """One conformance run. Raises KeyboardInterrupt, with the rules put back, where it was interrupted."""
    is_whole = set(selected) == set(contract.requirements)
    select = () if is_whole else selected
    settings = Settings(seed=_SEED, now=this_hour(), select=select, options={OWN_CONTRACT: is_own})
    cleaner = Cleaner(target.keyring)
    gate = Gate(contract, target, Journal(folder, clean=cleaner.clean_text), settings, Silent())
    with interruptible(gate):
        outcome = cleaned(gate.run(), cleaner)
    if outcome.exit_code == INTERRUPTED:
        raise KeyboardInterrupt
    return report_of(gate.record.journal.path, outcome, contract)


def this_hour() -> datetime:
    """The time that dates ahead are counted from: the same for all of a session, so that drawing is done once."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _told(report: RunReport) -> dict[str, Told]:
    """Verdicts in words; where the run was stopped, what it did not come to is an error, and nobody skipped it."""
    stopped = next((note.text for note in report.records() if isinstance(note, Note) and note.kind in _STOPS), "")
    told = {}
    for row in report.requirements:
        views = [view for view in report.findings if view.finding.requirement == row.id]
        text = plain.findings(views, report) if views else row.reason or ""
        is_left = bool(stopped) and row.verdict in ("skipped", "inconclusive")
        told[row.id] = Told("error", stopped) if is_left else Told(row.verdict, text, tuple(view.id for view in views))
    return told
