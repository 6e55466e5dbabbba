"""docs/zoo.md says nothing of a server that its runs do not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.targets.document import render
from tests.targets.results import CLEAN, NO_REPORT, UNJUDGED, Finding, Key, Result, Results

MISTAKE = "mistake truthy-boolean"


def _result(condition: str, exit_code: int | None, outcome: str, *findings: Finding) -> Result:
    return Result(Key("ruby", condition, "gate", 1), exit_code, outcome, None, 1, 1.0, "abc", findings=findings)


def _row(results: Results, begins: str) -> str:
    [row] = [line for line in render(results).splitlines() if line.startswith(begins)]
    return row


@pytest.mark.parametrize("outcome", UNJUDGED)
@pytest.mark.parametrize("exit_code", [0, 1, None])
def test_a_run_without_a_report_judges_nothing(tmp_path: Path, outcome: str, exit_code: int | None) -> None:
    results = Results(tmp_path / "results.json")
    results.add(_result(CLEAN, exit_code, outcome))
    results.add(_result(MISTAKE, exit_code, outcome))
    assert f"could not judge ({outcome})" in _row(results, "| clean |")
    assert _row(results, "| truthy-boolean |").endswith("| could not judge |")


def test_a_finding_counts_whatever_became_of_the_run(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.json")
    finding = Finding("f", "validation.type", "failed", "/status", "kind", "expected", "actual", None)
    results.add(_result(CLEAN, 0, "conforms"))
    results.add(_result(MISTAKE, 1, "violates", finding))
    assert _row(results, "| truthy-boolean |").endswith("| gate: validation.type |")
    assert not Results(tmp_path / "results.json").beyond_clean(_result(CLEAN, None, NO_REPORT))
