"""`rules-harness doctor`: a profile against the live target."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import Any, Final

import click

from rules_harness.harness.cli.options import chosen, contract_option, contract_words, target_options
from rules_harness.harness.cli.output import Output
from rules_harness.harness.doctor import Diagnosis, Prospect, examine
from rules_harness.harness.errors import CONFORMS, NOT_JUDGED
from rules_harness.harness.session.opening import Chosen, check_production, opened
from rules_harness.harness.wire.client import BudgetSpent, Client, TargetDown
from rules_harness.openapi.contract import Contract, load
from rules_harness.reports.text import counted, line

_MARKS: Final = {"ok": "ok     ", "advice": "look   ", "problem": "PROBLEM"}
_WIDTH: Final = 1000


@click.command(short_help="Check a profile against the live target.")
@target_options
@contract_option
@click.pass_obj
def command(output: Output, /, contract: Contract | None, **given: Any) -> int:
    """Check a profile against the live target, by reading only: nothing is written, no hook is called.

    Says what a run will be able to judge, and what to do about the rest. Exit code 3 where a run could judge nothing.
    """
    held_to = contract or load()
    options = chosen(given)
    with opened(options, held_to) as target:
        check_production(target.profile, held_to)
        output.guard(target.keyring)
        client = Client(target.profile, target.keyring)
        try:
            diagnosis = examine(held_to, target.profile, client)
        except (BudgetSpent, TargetDown) as reason:
            diagnosis = Diagnosis((), obstacle=f"the target could not be looked at to the end: {reason}")
        finally:
            client.close()
    for text in (_conclusion(diagnosis),) if output.quiet else (*_lines(diagnosis), ""):
        output.print(text)
    output.print(f"Next: {_next(options, diagnosis, is_near=target.profile.is_loopback)}")
    return CONFORMS if diagnosis.obstacle is None else NOT_JUDGED


def _next(options: Chosen, diagnosis: Diagnosis, *, is_near: bool) -> str:
    """The command to type now; what is not on this machine is rehearsed first."""
    words = ["rules-harness", "check" if diagnosis.obstacle is None else "doctor", *contract_words()]
    if options.target is not None:
        words += ["--target", str(options.target)]
    if options.base_url is not None:
        words += ["--base-url", options.base_url, "--key-env", str(options.key_env)]
        words += [word for rule in options.rules for word in ("--rule", rule)]
    if diagnosis.obstacle is None and not is_near:
        words.append("--dry-run")
    return shlex.join(words)


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    for remark in diagnosis.remarks:
        yield f"{_MARKS[remark.state]}  {remark.subject}: {line(remark.text, _WIDTH)}"
    if diagnosis.obstacle is not None:
        yield _conclusion(diagnosis)
        return
    judged = [prospect for prospect in diagnosis.prospects if prospect.is_judged]
    yield ""
    yield _conclusion(diagnosis)
    unchecked = [prospect.requirement for prospect in diagnosis.prospects if not prospect.checked]
    if unchecked:
        yield f"Not checked yet: {', '.join(unchecked)}"
    skipped = [prospect for prospect in diagnosis.prospects if prospect.checked and not prospect.is_judged]
    yield from _grouped("Skipped", skipped)
    yield from _grouped("Judged, with fewer scenarios", [prospect for prospect in judged if prospect.reasons])


def _conclusion(diagnosis: Diagnosis) -> str:
    if diagnosis.obstacle is not None:
        return f"A run could judge nothing: {line(diagnosis.obstacle, _WIDTH)}"
    judged = sum(prospect.is_judged for prospect in diagnosis.prospects)
    return f"A run would judge {judged} of {counted(len(diagnosis.prospects), 'requirement')}."


def _grouped(heading: str, prospects: Iterable[Prospect]) -> Iterator[str]:
    """Requirements by the reason for which scenarios of theirs cannot be run."""
    by_reason: dict[str, list[str]] = {}
    for prospect in prospects:
        for reason in prospect.reasons:
            by_reason.setdefault(reason, []).append(prospect.requirement)
    for reason, requirements in by_reason.items():
        yield f"{heading}, because {line(reason, _WIDTH)}: {', '.join(requirements)}"
