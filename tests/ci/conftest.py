"""What the recipes of all systems are tried with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from tests.reports.recorded import record

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SELECT = "auth.challenge"


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer() as running:
        yield running


@pytest.fixture(scope="module")
def base(server: ReferenceServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base branch's last run."""
    return record(server, tmp_path_factory.mktemp("base") / "run", select=[SELECT])
