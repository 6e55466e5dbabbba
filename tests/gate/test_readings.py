"""Open questions are found out, whatever the target answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.reference.variants import VARIANTS
from rules_harness.openapi.contract import load
from tests.gate.runs import check

CONTRACT = load()


def _chosen() -> dict[str, tuple[str, str]]:
    """For each open question a variant that is named after its answer, and that answer.

    The last of several: where another body gets the original answer, nobody can see which bodies count as the same.
    """
    chosen: dict[str, tuple[str, str]] = {}
    for variant in VARIANTS:
        reading = CONTRACT.readings.get(variant.allowed_by)
        token = variant.id.rpartition(".")[2]
        if reading is not None and token in reading.tokens:
            chosen[variant.group or variant.id] = (variant.id, token)
    return chosen


@pytest.mark.slow
def test_variants_are_found_out(server: ReferenceServer, tmp_path: Path) -> None:
    chosen = _chosen()
    assert len(chosen) >= 12
    server.configure(variants=[variant for variant, _ in chosen.values()])
    profile = tmp_path / "profile.toml"
    profile.write_text(server.profile_toml, encoding="utf-8")
    allowed_by = {variant.id: variant.allowed_by for variant in VARIANTS}
    expected = {allowed_by[variant]: token for variant, token in chosen.values()}
    asked = ",".join(sorted({CONTRACT.readings[name].requirement for name in expected}))
    ended = check(profile, "--select", asked, environ=server.environment, out=tmp_path / "out")
    assert ended.code == 0, ended.out
    readings = ended.summary["readings"]
    assert {name: readings[name]["answer"] for name in expected} == expected
    assert all(row["accepted"] for row in readings.values())
