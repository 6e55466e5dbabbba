"""Recorded runs: their target and contract, how they are judged, and which of their rules were never put back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from rules_harness.harness import journal
from rules_harness.harness.errors import UsageError
from rules_harness.harness.journal import Footer, FoundRule, Header, Restored
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.judging.outcome import Outcome
from rules_harness.harness.target.cleaning import named_in
from rules_harness.openapi.contract import Contract, load, recorded

EMBEDDED = "embedded"
"""The option of a header that says that the target ended with the run."""
OWN_CONTRACT = "own_contract"
"""The option of a header that says that the run was given another contract than the packaged one."""


def contract_for(header: Header, given: Contract | None) -> Contract:
    """The contract to judge a run by: the one given, the run's own, or else today's packaged one."""
    if given is not None:
        return given
    if not header.options.get(OWN_CONTRACT):
        return load()
    return msgspec.structs.replace(recorded(header.contract_document), sha256=header.contract_sha256)


def header_of(run: Path) -> Header:
    """The header of a RUN; raises `UsageError` where there is none."""
    header = next(journal.stream(run))
    assert isinstance(header, Header)  # stream yields it first, or raises
    return header


def judged(run: Path, contract: Contract) -> Outcome:
    """The outcome of a RUN by today's checks."""
    return outcome_of(journal.stream(run), contract)


def unrestored(run: Path) -> tuple[FoundRule, ...]:
    """The rules of a RUN that may still stand as it last wrote them.

    A run that was cut off may have written each rule that it found; a whole one has tried to put back what it wrote.
    """
    left: dict[str, FoundRule] = {}
    failed: set[str] = set()
    is_whole = False
    for record in journal.stream(run):
        match record:
            case Header(options=options) if options.get(EMBEDDED):
                return ()
            case FoundRule(rule=rule):
                left[rule] = record
                is_whole = False
            case Restored(rule=rule, problem=None):
                left.pop(rule, None)
                failed.discard(rule)
            case Restored(rule=rule):
                failed.add(rule)
            case Footer():
                is_whole = True
            case _:
                pass
    return tuple(original for rule, original in left.items() if rule in failed or not is_whole)


def needed_keys(left: Iterable[FoundRule]) -> set[str]:
    """The credentials whose keys it takes to put rules back: their owners', and those that stand in the rules."""
    names = {name for original in left for name in (original.credential, *named_in(original.state))}
    return {name.partition("#")[0] for name in names if ":" not in name}


def keep_unrestored(folder: Path) -> None:
    """Raise `UsageError` where a new journal would overwrite the only record of how rules stood."""
    path = journal.recorded_in(folder)
    if not path.is_file() or not path.stat().st_size:
        return
    try:
        left = unrestored(path)
    except UsageError as error:
        raise UsageError(f"{error}; it is not overwritten: remove it, or give another folder with --out") from error
    if left:
        raise UsageError(
            f"{path} is the only record of what an earlier run did not put back "
            f"({', '.join(original.rule for original in left)}); `rules-harness restore {folder} --target FILE` puts "
            "them back, or give another folder with --out"
        )
