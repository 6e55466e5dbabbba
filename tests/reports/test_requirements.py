"""The page of requirements is made from the contract, and says all of it."""

from __future__ import annotations

import re
from pathlib import Path

from rules_harness.harness.reference.faults import FAULTS
from rules_harness.openapi.contract import load
from rules_harness.reports.requirements import page

LINKED = re.compile(r"\[(.*?)\]\(.*?\)")
DOCUMENT = Path(__file__).parents[2] / "docs" / "requirements.md"


def test_page_in_the_repository_is_what_the_contract_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == page(load()), "docs/requirements.md is stale: run `make docs`"


def test_every_requirement_and_reading_is_one_row() -> None:
    contract = load()
    rows = [line.split(" | ") for line in page(contract).splitlines() if line.startswith("| ")]
    ids = [LINKED.sub(r"\1", row[0].removeprefix("| ")) for row in rows]
    assert [id for id in ids if "." in id] == [*contract.requirements, *contract.readings]
    said = {LINKED.sub(r"\1", row[0].removeprefix("| ")): row[2] if len(row) > 3 else row[1] for row in rows}
    for requirement in contract.requirements.values():
        assert said[requirement.id] == requirement.sentence
    for reading in contract.readings.values():
        assert said[reading.id] == reading.question


def test_every_requirement_has_a_page_with_what_it_rests_on_and_what_proves_it() -> None:
    requirements = load().requirements
    folder = DOCUMENT.parent / "requirements"
    assert {path.stem for path in folder.glob("*.md")} == set(requirements), "run `make docs`"
    for id, requirement in requirements.items():
        text = (folder / f"{id}.md").read_text(encoding="utf-8")
        assert f"> {requirement.sentence}\n" in text, "run `make docs`"
        assert requirement.basis in text
        assert {f"`{fault.id}`" for fault in FAULTS if fault.requirement == id} <= set(re.findall("`[^`]+`", text))
        assert "\n## What is sent\n" in text
        assert "\n## A finding\n" in text
