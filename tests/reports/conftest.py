from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rules_harness.harness.reference.process import ReferenceServer


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    """The embedded target, its keys in the environment."""
    with ReferenceServer() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server


@pytest.fixture
def profile(server: ReferenceServer, tmp_path: Path) -> Path:
    """A profile of it that lacks nothing."""
    path = tmp_path / "target.toml"
    path.write_text(server.profile_toml, encoding="utf-8")
    return path
