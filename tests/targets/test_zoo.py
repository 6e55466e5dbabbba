"""Two servers that nobody here wrote: what conforms comes through the whole gate."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.targets.results import CLEAN, Key
from tests.targets.running import run
from tests.targets.serving import serving
from tests.targets.stacks import STACKS

BY_NAME = {stack.name: stack for stack in STACKS}


WITHOUT_VALIDATION = (
    "request-id",
    "auth",
    "authz",
    "not-found",
    "update",
    "status",
    "idempotency",
    "http",
    "concurrency",
)
"""Two fifths of a gate are broken bodies; one stranger is enough for those, `make zoo` sends them to all."""


@pytest.mark.parametrize(("name", "families"), [("fastapi", ()), ("express", WITHOUT_VALIDATION)])
def test_a_stranger_comes_through(name: str, families: tuple[str, ...], tmp_path: Path) -> None:
    stack = BY_NAME[name]
    if not stack.is_ready() and not os.environ.get("CI"):
        pytest.skip(f"what {name} needs is not there: make zoo ZOO='--install --stacks {name}'")
    select = [f"{family}.*" for family in families]
    with serving(stack, {}) as server:
        server.limit(requests_per_second=1000, max_requests=20_000)
        result = run(server, Key(name, CLEAN, "gate", 1), tmp_path, search_seconds=0, select=select)
    assert result.requirements("failed") == ()
    assert result.exit_code == 0, result.reason
