"""A page for each requirement: `make docs` writes them to docs/requirements/."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from examples import examples

from rules_harness.harness.reference.faults import FAULTS
from rules_harness.harness.scenarios import all_scenarios
from rules_harness.harness.session.opening import specimen
from rules_harness.openapi.contract import Contract, Requirement, load

HERE = Path(__file__).parent
SCENARIOS_SHOWN = 8
ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
BASIS = {"quotation": "The documentation says", "standard": "By standard", "safety": "At stake", "inferred": "Inferred"}


def pages(contract: Contract) -> Iterator[tuple[str, str]]:
    """Of each requirement its id and its page, as Markdown."""
    profile = specimen(contract)
    sent: dict[str, list[str]] = {}
    for scenario in all_scenarios(contract, profile.world(ANY_TIME), profile):
        for id in scenario.requirements:
            sent.setdefault(id, []).append(scenario.id)
    found = examples(contract)
    for requirement in contract.requirements.values():
        lines = _lines(requirement, contract, sent.get(requirement.id, []), found.get(requirement.id))
        yield requirement.id, "\n".join(lines) + "\n"


def _lines(
    requirement: Requirement, contract: Contract, sent: list[str], example: Mapping[str, str] | None
) -> Iterator[str]:
    yield f"# {requirement.id}\n"
    yield f"A *{requirement.level}*, of the family [{requirement.family}](../requirements.md#{requirement.family}).\n"
    yield f"> {requirement.sentence}\n"
    if requirement.note:
        yield f"Level: {requirement.note}\n"
    yield f"{BASIS[requirement.basis_kind]}: “{requirement.basis}”\n"
    yield "## What is sent\n"
    if sent:
        yield f"{len(sent)} scenarios, where the profile lacks nothing, and whatever else is answered in the run:\n"
        yield from (f"- `{id}`" for id in sent[:SCENARIOS_SHOWN])
        if len(sent) > SCENARIOS_SHOWN:
            yield f"- and {len(sent) - SCENARIOS_SHOWN} more"
        yield ""
    else:
        yield "No scenario of its own: every answer of a run is judged by it.\n"
    readings = [one.id for one in contract.readings.values() if one.requirement == requirement.id]
    if readings:
        yield f"Readings that count against it: {', '.join(f'`{id}`' for id in readings)}.\n"
    if example:
        yield "## A finding\n"
        yield f"Of the embedded target with the fault `{example['fault']}`:\n"
        yield "| | |\n|---|---|"
        yield from (f"| {name} | {_cell(example[name])} |" for name in ("place", "kind", "expected", "actual"))
        yield ""
    yield "## The faults that prove the check\n"
    for fault in (fault for fault in FAULTS if fault.requirement == requirement.id):
        yield f"- `{fault.id}`: {fault.summary}"
    yield ""
    yield f"```sh\nrules-harness selftest --only {_first_fault(requirement.id)}\n```"


def _first_fault(requirement: str) -> str:
    return next(fault.id for fault in FAULTS if fault.requirement == requirement)


def _cell(text: str) -> str:
    shown = " ".join(text.split()).replace("`", "'").replace("|", "\\|")
    return f"`{shown}`" if shown else ""


def main() -> int:
    """Write all pages."""
    folder = HERE / "requirements"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    for id, text in pages(load()):
        (folder / f"{id}.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
