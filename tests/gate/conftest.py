from __future__ import annotations

from collections.abc import Iterator

import pytest

from rules_harness.harness.reference.process import ReferenceServer


@pytest.fixture(scope="package")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer() as server:
        yield server
