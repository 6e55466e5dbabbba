"""Two servers that nobody here wrote: what conforms comes through a run of every family."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.targets.results import CLEAN, Key
from tests.targets.running import run
from tests.targets.serving import serving
from tests.targets.stacks import STACKS

BY_NAME = {stack.name: stack for stack in STACKS}


REQUESTS = 600
"""Of the three and a half thousand of a gate those that tell most; `make zoo` sends all of them, to every stranger."""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fastapi", "express"])
def test_a_stranger_comes_through(name: str, tmp_path: Path) -> None:
    stack = BY_NAME[name]
    if not stack.is_ready() and not os.environ.get("CI"):
        pytest.skip(f"what {name} needs is not there: make zoo ZOO='--install --stacks {name}'")
    with serving(stack, {}) as server:
        server.limit(requests_per_second=1000, max_requests=20_000)
        result = run(server, Key(name, CLEAN, "gate", 1), tmp_path, search_seconds=0, requests=REQUESTS)
    assert result.requirements("failed") == ()
    assert result.exit_code == 0, result.reason
