"""The page of requirements is made from the contract, and says all of it."""

from __future__ import annotations

from pathlib import Path

from rules_harness.openapi.contract import load
from rules_harness.reports.requirements import page

DOCUMENT = Path(__file__).parents[2] / "docs" / "requirements.md"


def test_page_in_the_repository_is_what_the_contract_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == page(load()), "docs/requirements.md is stale: run `make docs`"


def test_every_requirement_and_reading_is_one_row() -> None:
    contract = load()
    rows = [line.split(" | ") for line in page(contract).splitlines() if line.startswith("| ")]
    assert [row[0].removeprefix("| ") for row in rows if "." in row[0]] == [*contract.requirements, *contract.readings]
    said = {row[0].removeprefix("| "): row[2] if len(row) > 3 else row[1] for row in rows}
    for requirement in contract.requirements.values():
        assert said[requirement.id] == requirement.sentence
    for reading in contract.readings.values():
        assert said[reading.id] == reading.question
