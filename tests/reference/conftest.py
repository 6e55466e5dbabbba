from __future__ import annotations

from collections.abc import Iterator

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from tests.reference.api import Api


@pytest.fixture(scope="session")
def running() -> Iterator[ReferenceServer]:
    with ReferenceServer() as server:
        yield server


@pytest.fixture(scope="session")
def client(running: ReferenceServer) -> Iterator[Api]:
    """One for all tests: to make one reads the system's certificates, which takes longer than most tests."""
    with Api(running) as made:
        yield made


@pytest.fixture
def api(client: Api) -> Api:
    client.server.configure()
    return client
