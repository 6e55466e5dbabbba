"""Rules of the repository that no linter knows."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("openapi", "strategies", "harness", "reports", "tests", "benchmarks")


def test_modules_fit_in_a_head() -> None:
    modules = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in modules}
    assert {path: length for path, length in lengths.items() if length > 350} == {}


def test_lock_names_versions_and_hashes_and_no_place() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for line in lock.splitlines():
        assert re.fullmatch(r"|#.*|[a-z0-9._-]+==\S+ \\|    --hash=sha256:[0-9a-f]{64}(?: \\)?", line), line
    assert not re.search(r"://|index-url|find-links", lock)
