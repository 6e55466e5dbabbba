"""`rules-harness restore`: what a run that was cut off left changed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from rules_harness.harness import journal
from rules_harness.harness.cli.output import Output
from rules_harness.harness.cli.recorded import recorded_target
from rules_harness.harness.cli.runs import contract_for, header_of, unrestored
from rules_harness.harness.cli.targets import contract_option
from rules_harness.harness.errors import CONFORMS, NOT_JUDGED, UsageError
from rules_harness.harness.journal import FoundRule, Header, Record
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.planner import Known
from rules_harness.harness.session.custody import restore_all
from rules_harness.harness.session.keeping import share
from rules_harness.harness.target import reader as profile_reader
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.harness.target.hooks import Hooks
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.wire.client import Client
from rules_harness.openapi.contract import Contract


@click.command(short_help="Put back the rules of a run that was cut off.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--target", type=click.Path(path_type=Path), metavar="FILE", help="The profile, instead of the recorded one."
)
@contract_option
@click.pass_obj
def command(output: Output, run: Path, target: Path | None, contract: Path | None) -> int:
    """Put back the rules of RUN (its folder or its journal) as the run found them, disabled.

    The journal is kept, and says afterwards what was put back. Exit code 3 where a rule could not be.
    """
    path = journal.locate(run)
    left = unrestored(path)
    if not left:
        output.print("There is nothing to put back.")
        return CONFORMS
    header = header_of(path)
    held_to = contract_for(header, contract)
    profile, keyring = _profile(header, left, target, held_to)
    cleaner = output.guard(keyring)
    problems = 0
    for record in _restored(held_to, profile, keyring, left):
        _append(path, record, cleaner)
        problems += record.problem is not None
        output.print(f"{record.rule}: {record.problem or 'put back, disabled'}")
    enabled = [found.rule for found in left if found.enabled]
    if enabled:
        output.print(f"Enabled before the run; a human re-enables: {', '.join(enabled)}")
    return NOT_JUDGED if problems else CONFORMS


def _restored(
    contract: Contract, profile: Profile, keyring: Keyring, left: Iterable[FoundRule]
) -> Iterable[journal.Restored]:
    rules = {found.rule: found for found in left}
    client = Client(profile, keyring)
    shared = share(contract, profile, client, Hooks(profile, keyring), now=datetime.now(UTC), seed=1, nonce="restore")
    shared.guard.writable |= set(rules)
    try:
        for record, _ in restore_all(lambda rule: Bench(shared, Known(), f"safety/restore-{rule}", (rule,)), rules):
            yield record
    finally:
        client.close()


def _profile(
    header: Header, left: Iterable[FoundRule], target: Path | None, contract: Contract
) -> tuple[Profile, Keyring]:
    """The profile to restore with; raises `UsageError` where it is of another target, or lacks a key."""
    if target is None:
        return recorded_target(header, {found.credential for found in left})
    profile, keyring = profile_reader.load(target, contract=contract, environ=os.environ)
    if profile.target.base_url != header.base_url:
        raise UsageError(
            f"{target}: target.base_url: is {profile.target.base_url}, and the run was against {header.base_url}. "
            "Give the profile of that target."
        )
    lacking = {found.credential for found in left} - set(profile.credentials)
    if lacking:
        raise UsageError(f"{target}: credentials: the run's {', '.join(sorted(lacking))} is missing. Add it.")
    return profile, keyring


def _append(path: Path, record: Record, cleaner: Cleaner) -> None:
    """Add a record to a journal whose last line may be torn, and have it on the disk."""
    with path.open("ab+") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            torn = file.read() != b"\n"
            file.write((b"\n" if torn else b"") + cleaner.clean_text(msgspec.json.encode(record)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
