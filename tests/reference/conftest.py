from __future__ import annotations

from collections.abc import Iterator

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from tests.reference.api import Api


@pytest.fixture(scope="session")
def running() -> Iterator[ReferenceServer]:
    with ReferenceServer() as server:
        yield server


@pytest.fixture
def api(running: ReferenceServer) -> Iterator[Api]:
    running.configure()
    with Api(running) as client:
        yield client
