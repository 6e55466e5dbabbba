"""`rules-harness restore`: what a run that was cut off left changed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click

from rules_harness.harness import journal
from rules_harness.harness.cli.options import contract_option
from rules_harness.harness.cli.output import Output
from rules_harness.harness.cli.progress import QuietProgress
from rules_harness.harness.errors import CONFORMS, INTERRUPTED, NOT_JUDGED, UsageError
from rules_harness.harness.journal import FoundRule, Header, Journal
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.recorded import contract_for, header_of, needed_keys, recorded_target, unrestored
from rules_harness.harness.session.restoring import Restoration
from rules_harness.harness.session.signals import interruptible
from rules_harness.harness.target import reader as profile_reader
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.secrets import Keyring
from rules_harness.openapi.contract import Contract


@click.command(short_help="Put back the rules of a run that was cut off.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--target", type=click.Path(path_type=Path), metavar="FILE", help="The profile, instead of the recorded one."
)
@contract_option
@click.pass_obj
def command(output: Output, run: Path, target: Path | None, contract: Contract | None) -> int:
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
    clean = output.guard(keyring).clean_text
    continued = Journal(path.parent, clean=clean, append=True, name=path.name)
    restoration = Restoration(held_to, Opened(profile, keyring, embedded=False), continued, QuietProgress(output), left)
    with interruptible(restoration.stop, path.parent):
        restoration.run()
    outcomes = {found.rule: restoration.keeping.given_back.get(found.rule, "not put back") for found in left}
    for rule, problem in outcomes.items():
        output.print(f"{rule}: {problem or 'put back, disabled'}")
    enabled = [found.rule for found in left if found.enabled]
    if enabled:
        output.print(f"Enabled before the run; a human re-enables: {', '.join(enabled)}")
    if restoration.interrupted:
        return INTERRUPTED
    if restoration.record.problem:
        output.error(restoration.record.problem)
    return NOT_JUDGED if any(outcomes.values()) or restoration.record.problem else CONFORMS


def _profile(
    header: Header, left: Iterable[FoundRule], target: Path | None, contract: Contract
) -> tuple[Profile, Keyring]:
    """The profile to restore with; raises `UsageError` where it is of another target, or lacks a key."""
    if target is None:
        return recorded_target(header, needed_keys(left))
    profile, keyring = profile_reader.load(target, contract=contract, environ=os.environ)
    if profile.target.base_url != header.base_url:
        raise UsageError(
            f"{target}: target.base_url: is {profile.target.base_url}, and the run was against {header.base_url}. "
            "Give the profile of that target."
        )
    lacking = needed_keys(left) - set(profile.credentials)
    if lacking:
        raise UsageError(f"{target}: credentials: the run's {', '.join(sorted(lacking))} is missing. Add it.")
    return profile, keyring
