"""What showed rarely when it was found is not called gone because it does not show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from tests.reports.test_pytest_case import left, sent_again


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stability", "said"),
    [("3 of 3", ""), ("2 of 3", ""), ("1 of 4", "could not tell, 3 times sent"), ("0 of 3", "it showed 0 of 3")],
)
def test_a_finding_that_showed_rarely(
    server: ReferenceServer, profile: Path, tmp_path: Path, stability: str, said: str
) -> None:
    path = left(server, tmp_path / "run", "validation.type") / "finding.json"
    evidence = json.loads(path.read_bytes())
    evidence["finding"]["stability"] = stability
    path.write_text(json.dumps(evidence), encoding="utf-8")
    server.configure()
    told = sent_again(path.parent, profile, tmp_path / "after")
    assert bool(told) == bool(said)
    assert said in told
