"""`rules-harness restore`: what a run that was cut off left changed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from rules_harness.harness import journal
from rules_harness.harness.cli.options import contract_option
from rules_harness.harness.cli.output import Output
from rules_harness.harness.cli.progress import QuietProgress
from rules_harness.harness.cli.trusting import consent, trust_option
from rules_harness.harness.errors import CONFORMS, INTERRUPTED, NOT_JUDGED, UsageError
from rules_harness.harness.journal import FoundRule, Header, Journal
from rules_harness.harness.session.demands import contract_demands, demands_of, key_demands
from rules_harness.harness.session.opening import Opened, check_production
from rules_harness.harness.session.recorded import contract_for, header_of, needed_keys, unrestored
from rules_harness.harness.session.restoring import Restoration
from rules_harness.harness.session.signals import interruptible
from rules_harness.harness.target import reader as profile_reader
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract

_NOT_LISTED: Final = "not put back: the profile does not list it"


@click.command(short_help="Put back the rules of a run that was cut off.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--target", type=click.Path(path_type=Path), metavar="FILE", help="Your profile of the target.")
@trust_option
@contract_option
@click.pass_obj
def command(output: Output, run: Path, target: Path | None, is_own: bool, contract: Contract | None) -> int:
    """Put back the rules of RUN (its folder or its journal) as the run found them, disabled.

    The journal is kept, and says afterwards what was put back. Exit code 3 where a rule could not be. Without --target
    it asks before it does what the journal says.
    """
    path = journal.locate(run)
    left = unrestored(path)
    if not left:
        output.print("There is nothing to put back.")
        return CONFORMS
    header = header_of(path)
    held_to = contract_for(header, contract)
    asked = [*contract_demands(header, contract), *key_demands([original.state for original in left])]
    if target is None:
        recorded = demands_of(
            header, rules=[original.rule for original in left], credentials=needed_keys(left), hooks=False
        )
        consent(output, run, [*recorded.lines(), *asked], is_own=is_own)
        chosen = recorded.opened()
        restorable = left
    else:
        consent(output, run, asked, is_own=is_own)
        chosen = _opened(header, target, held_to)
        restorable = tuple(original for original in left if original.rule in chosen.profile.rules.all)
        _check_keys(target, chosen.profile, restorable)
    check_production(chosen.profile, held_to)
    clean = output.guard(chosen.keyring).clean_text
    continued = Journal(path.parent, clean=clean, append=True, name=path.name)
    restoration = Restoration(held_to, chosen, continued, QuietProgress(output), restorable)
    with interruptible(restoration):
        restoration.run()
    outcomes: dict[str, str | None] = {original.rule: _NOT_LISTED for original in left if original not in restorable}
    for original in restorable:
        outcomes[original.rule] = restoration.keeping.given_back.get(original.rule, "not put back")
    for rule, problem in outcomes.items():
        output.print(f"{rule}: {problem or 'put back, disabled'}")
    enabled = [original.rule for original in left if original.enabled]
    if enabled:
        output.print(f"Enabled before the run; a human re-enables: {', '.join(enabled)}")
    if restoration.interrupted:
        return INTERRUPTED
    if restoration.record.problem:
        output.error(restoration.record.problem)
    return NOT_JUDGED if any(outcomes.values()) or restoration.record.problem else CONFORMS


def _opened(header: Header, target: Path, contract: Contract) -> Opened:
    """The caller's profile and keys; raises `UsageError` where it is of another target."""
    profile, keyring = profile_reader.load(target, contract=contract, environ=os.environ)
    if profile.target.base_url != header.base_url:
        raise UsageError(
            f"{target}: target.base_url: is {profile.target.base_url}, and the run was against {header.base_url}. "
            "Give the profile of that target."
        )
    return Opened(profile, keyring, embedded=False, path=target)


def _check_keys(target: Path, profile: Profile, left: Iterable[FoundRule]) -> None:
    lacking = needed_keys(left) - set(profile.credentials)
    if lacking:
        raise UsageError(f"{target}: credentials: the run's {', '.join(sorted(lacking))} is missing. Add it.")
