"""`rules-harness explain`: one requirement or reading, in full."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from rules_harness.harness.cli.options import contract_option
from rules_harness.harness.cli.output import Output
from rules_harness.harness.cli.verdict import finding_lines, verdict_lines
from rules_harness.harness.errors import UsageError
from rules_harness.harness.journal import locate
from rules_harness.harness.judging.checks import CHECKS
from rules_harness.harness.reference.faults import FAULTS
from rules_harness.harness.reference.variants import VARIANTS
from rules_harness.harness.scenarios import ANY_TIME, all_scenarios
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.session.opening import specimen
from rules_harness.harness.session.recorded import contract_for, header_of
from rules_harness.openapi.contract import Contract, Reading, Requirement, load
from rules_harness.reports.text import counted

MOST_WORDS: Final = 2
_FINDING: Final = re.compile(r"[0-9a-f]{1,12}")
"""The id of a finding, or how it begins."""
_SCENARIOS_SHOWN: Final = 12
_BASIS: Final = {
    "quotation": "The documentation says",
    "standard": "By standard",
    "safety": "At stake",
    "inferred": "Inferred",
}


@click.command(short_help="Explain one requirement or reading, or a finding of a run.")
@click.argument("words", nargs=-1, required=True, metavar="[RUN] ID")
@contract_option
@click.pass_obj
def command(output: Output, words: tuple[str, ...], contract: Contract | None) -> None:
    """Explain ID, a requirement or a reading: what it rests on, what is sent to judge it, and what proves the check.

    With RUN, a recorded run (its folder or its journal): why the requirement ID has the verdict that it has there, or
    what the finding ID is, which may be how its id begins.
    """
    if len(words) > MOST_WORDS:
        raise UsageError(f"explain takes [RUN] ID, and got {len(words)} words")
    id = words[-1]
    path = locate(Path(words[0])) if len(words) == MOST_WORDS else None
    known = contract or load() if path is None else contract_for(header_of(path), contract)
    if path is not None and id in known.requirements:
        lines = verdict_lines(path, id, known)
    elif id in known.requirements:
        lines = _requirement(known.requirements[id], known)
    elif id in known.readings:
        lines = _reading(known.readings[id], known)
    elif id in known.unpromised:
        lines = iter([f"{id} is not promised by this contract: {known.unpromised[id]}"])
    elif path is not None and _FINDING.fullmatch(id):
        lines = finding_lines(Path(words[0]), id, known)
    elif _FINDING.fullmatch(id):
        raise UsageError(f"{id} is in a run: `rules-harness explain RUN {id}` tells of a finding")
    else:
        ids = [*known.requirements, *known.readings]
        close = difflib.get_close_matches(id, ids, n=3, cutoff=0.4)
        hint = f"close to it: {', '.join(close)}" if close else "`rules-harness list requirements` names all of them"
        raise UsageError(f"there is no requirement and no reading {id!r}; {hint}")
    for line in lines:
        output.print(line)


def _requirement(requirement: Requirement, contract: Contract) -> Iterator[str]:
    yield f"{requirement.id}  ({requirement.level})"
    yield f"  {requirement.sentence}"
    if requirement.note:
        yield f"  Level: {requirement.note}"
    yield f"  {_BASIS[requirement.basis_kind]}: {requirement.basis}"
    yield ""
    if not any(requirement.id in check.about for check in CHECKS):
        yield "Not checked yet: its verdict is inconclusive."
    scenarios = _scenarios(requirement.id, contract)
    yield f"Sent to judge it ({len(scenarios)} scenarios, and whatever else is answered in the run):"
    for scenario in scenarios[:_SCENARIOS_SHOWN]:
        needs = f"  (needs {', '.join(str(need) for need in scenario.needs)})" if scenario.needs else ""
        yield f"  {scenario.id}{needs}"
    if len(scenarios) > _SCENARIOS_SHOWN:
        yield f"  … and {len(scenarios) - _SCENARIOS_SHOWN} more"
    readings = [reading.id for reading in contract.readings.values() if reading.requirement == requirement.id]
    if readings:
        yield f"Readings that count against it: {', '.join(readings)}"
    yield ""
    faults = [fault for fault in FAULTS if fault.requirement == requirement.id]
    if faults and not _is_packaged(contract):
        yield f"Proved by {counted(len(faults), 'fault')} of the embedded target, which has a contract of its own."
    elif faults:
        yield "Faults of the embedded target that prove the check:"
        for fault in faults:
            yield f"  {fault.id}: {fault.summary}"
    else:
        yield "No fault proves the check yet."
    if faults:
        yield f"  See it fail: rules-harness serve --fault {faults[0].id}"


def _is_packaged(contract: Contract) -> bool:
    return contract.sha256 == load().sha256


def _scenarios(requirement: str, contract: Contract) -> list[Scenario]:
    """The scenarios that are run for a requirement, against a target that has everything."""
    profile = specimen(contract)
    world = profile.world(ANY_TIME)
    scenarios = all_scenarios(contract, world, profile, wanted=[requirement])
    return [scenario for scenario in scenarios if requirement in scenario.requirements]


def _reading(reading: Reading, contract: Contract) -> Iterator[str]:
    yield f"{reading.id}  (reading)"
    yield f"  {reading.question}"
    yield f"  Answers: {', '.join(reading.tokens)}"
    yield f"  Accepted where the profile says nothing: {', '.join(reading.accepted)}"
    yield f"  Another answer, or two answers to one kind of input, counts against {reading.requirement}."
    tokens = ", ".join(f'"{token}"' for token in reading.accepted)
    yield f'  In a profile: [readings] "{reading.id}" = [{tokens}]'
    variants = [variant for variant in VARIANTS if variant.allowed_by == reading.id and _is_packaged(contract)]
    if variants:
        yield ""
        yield "Variants of the embedded target that answer otherwise:"
    for variant in variants:
        yield f"  {variant.id}: {variant.summary}"
