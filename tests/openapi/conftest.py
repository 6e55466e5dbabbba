"""Changed copies of the packaged contract document."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rules_harness.openapi.contract import load

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Edit], Path]:
    """Writes the packaged document, changed, to a file."""

    def write(edit: Edit) -> Path:
        document = copy.deepcopy(dict(load().document))
        edit(document)
        path = tmp_path / "changed.yaml"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return write
