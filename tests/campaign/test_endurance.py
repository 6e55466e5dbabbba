"""A twenty-fifth of what `benchmarks.endurance` runs: the journal stays bounded however much is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rules_harness.harness.journal import read, unpack
from rules_harness.harness.reference.process import ReferenceServer
from tests.cli.conftest import Shell

REQUESTS = 8_000
BYTES_FOR_EACH = 1200
"""What is kept of each scenario included, which is most of it in a run as short as this one."""
BULKY_BYTES = 200_000
"""An episode that takes more, for its megabyte bodies, is kept once of its scenario, however much is sent."""


@pytest.mark.slow
def test_what_passed_is_counted(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> None:
    text = whole_profile.read_text().replace("requests_per_second = 5000", "requests_per_second = 1000000")
    whole_profile.write_text(text.replace("max_requests = 20000", "max_requests = 10000000"))
    ended = shell("fuzz", "--target", whole_profile, "--requests", str(REQUESTS), "--time", "10m", "--quiet")
    assert ended.code == 0, ended.out
    run = read(shell.folder / "out")
    assert run.footer is not None
    assert run.footer.requests > 0.9 * REQUESTS
    assert sum(len(episode.exchanges) for episode in run.episodes) < 0.5 * REQUESTS
    unpack(shell.folder / "out")
    lines = (shell.folder / "out" / "journal.jsonl").read_bytes().splitlines()
    bulky = [json.loads(line)["episode"]["scenario"] for line in lines if len(line) > BULKY_BYTES]
    assert len(bulky) == len(set(bulky))
    assert sum(len(line) for line in lines if len(line) <= BULKY_BYTES) < BYTES_FOR_EACH * REQUESTS
    assert shell.summary()["requirements"]["envelope.error"]["exercised"] > 0.5 * REQUESTS
