"""One shard at work against the embedded target: what it leaves when its time is over."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from rules_harness.harness.campaign.drawing import Drawer
from rules_harness.harness.campaign.messages import Report, Shard
from rules_harness.harness.campaign.shard import Equipment, Work
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.target import reader
from rules_harness.openapi.contract import load

LATENCY_SECONDS = 0.4


def _states(reference: ReferenceServer) -> Any:
    with urlopen(f"{reference.control_url}/state") as response:
        return json.loads(response.read())["rules"]


@pytest.mark.slow
def test_nothing_changes_any_more_after_the_end(reference: ReferenceServer, whole_profile: Path) -> None:
    """What was under way when the time was over has come to an end: the next shard reads states that stay."""
    contract = load()
    profile, keyring = reader.load(whole_profile, contract=contract, environ=reference.environment)
    reference.configure(latency_ms=int(1000 * LATENCY_SECONDS))
    drawer = Drawer(contract)
    told: list[Report] = []
    for number in range(1, 4):
        shard = Shard(
            number=number,
            seed=number,
            now=datetime.now(UTC),
            nonce="",
            profile=profile,
            rules=profile.rules.writable,
            seconds=2.5,
            at_most=2.5,
            readable=True,
        )
        Work(shard, Equipment(contract, keyring, drawer), told.append).run()
        left = _states(reference)
        time.sleep(LATENCY_SECONDS)
        assert _states(reference) == left
    drawer.close()
    assert sum(report.requests for report in told if report.is_last) > 0
