"""Rules of the repository that no linter knows."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ("openapi", "strategies", "harness", "reports")
FOLDERS = (*PACKAGE, "tests", "benchmarks")
STRANGERS = ROOT / "tests/targets/fastapi"
"""A server by other hands, as its author wrote it."""


def test_modules_fit_in_a_head() -> None:
    modules = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    modules = [path for path in modules if STRANGERS not in path.parents]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in modules}
    assert {path: length for path, length in lengths.items() if length > 350} == {}


def test_no_two_public_classes_share_a_name() -> None:
    places = defaultdict(list)
    for path in (path for folder in PACKAGE for path in (ROOT / folder).rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path.relative_to(ROOT).as_posix())
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


def test_lock_names_versions_and_hashes_and_no_place() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for line in lock.splitlines():
        assert re.fullmatch(r"|#.*|[a-z0-9._-]+==\S+ \\|    --hash=sha256:[0-9a-f]{64}(?: \\)?", line), line
    assert not re.search(r"://|index-url|find-links", lock)
