"""An earlier run may have moved the target's clock: dates that are to lie ahead lie ahead of its present."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from rules_harness.harness.reference.process import ReferenceServer
from tests.gate.runs import check

YEAR_SECONDS = 366 * 24 * 3600


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0, YEAR_SECONDS])
def test_plausible_dates_follow_the_clock_of_the_target(server: ReferenceServer, tmp_path: Path, seconds: int) -> None:
    server.configure()
    httpx.post(f"{server.control_url}/clock", json={"advance_seconds": seconds}).raise_for_status()
    profile = tmp_path / "profile.toml"
    profile.write_text(server.profile_toml, encoding="utf-8")
    selected = ("--select", "update.documented-example", "--select", "update.accepts-valid")
    ended = check(profile, *selected, environ=server.environment, out=tmp_path / "out")
    assert ended.code == 0, ended.out
    present = datetime.now(UTC) + timedelta(seconds=seconds)
    sent = [
        one.request.body for episode in ended.run.episodes for one in episode.exchanges if episode.family == "update"
    ]
    triggers = [json.loads(body.content)["trigger"] for body in sent if body is not None]
    starts = [datetime.fromisoformat(trigger["start_date"]) for trigger in triggers if "start_date" in trigger]
    assert starts
    assert all(start > present + timedelta(days=1) for start in starts)
