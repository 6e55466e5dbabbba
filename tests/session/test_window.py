"""The two halves of a key's window: when the second may be asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from rules_harness.harness.errors import UsageError
from rules_harness.harness.journal import Footer, Header, Run
from rules_harness.harness.window import side_of

PLANTED = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
DAY = timedelta(hours=24)


def _run() -> Run:
    header = msgspec.convert(
        {
            "schema_version": 3,
            "tool_version": "0",
            "kind": "gate",
            "target": "t",
            "base_url": "http://127.0.0.1",
            "contract_version": "1",
            "contract_sha256": "",
            "contract_document": {},
            "profile": {},
            "seed": 1,
            "now": PLANTED.isoformat(),
            "started_at": PLANTED.isoformat(),
            "select": [],
            "fail_on": "must",
            "record": "header",
        },
        Header,
    )
    footer = Footer(1, 1.0, PLANTED.isoformat(), False, {})
    return Run(header, (), (), (), (), (), (), footer)


@pytest.mark.parametrize(("hours", "side"), [(23.5, "within"), (24.1, "beyond"), (48, "beyond")])
def test_side(hours: float, side: str) -> None:
    assert side_of(_run(), PLANTED + timedelta(hours=hours), DAY) == side


EARLY, CLOSE = "too early", "just now"


@pytest.mark.parametrize(("hours", "says"), [(0, EARLY), (12, EARLY), (22.9, EARLY), (24, CLOSE)])
def test_when_nothing_could_be_said(hours: float, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        side_of(_run(), PLANTED + timedelta(hours=hours), DAY)
