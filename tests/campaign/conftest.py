from __future__ import annotations

import json
from collections.abc import Callable
from urllib.request import urlopen

import pytest

from rules_harness.harness.reference.process import ReferenceServer
from tests.cli.conftest import reference, running, shell, whole_profile

__all__ = ["reference", "running", "shell", "whole_profile"]

Rules = dict[str, dict[str, object]]


@pytest.fixture
def rules(reference: ReferenceServer) -> Callable[[], Rules]:
    """The configuration of each rule of the target, as it stands."""

    def look() -> Rules:
        with urlopen(f"{reference.control_url}/state") as response:
            found: Rules = json.loads(response.read())["rules"]
        return {id: {name: rule[name] for name in ("nickname", "trigger", "steps")} for id, rule in found.items()}

    return look
