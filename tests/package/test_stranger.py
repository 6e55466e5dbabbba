"""A stranger's path: the built wheel, an empty folder, and what the documentation promises."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = (sys._base_executable, "-m", "rules_harness")  # type: ignore[attr-defined]  # not in the stubs
SELECT = ("--select", "request-id.on-errors,auth.missing")
OTHER_PLUGINS = ("-p", "no:schemathesis", "-p", "no:hypothesispytest")
"""Each session would import what these are about."""


class Stranger:
    """Somebody with a shell, in an empty folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = dict(environment)

    def __call__(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [*PROGRAM, *arguments], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def pytest(self, *arguments: str, code: int = 0) -> str:
        command = [PROGRAM[0], "-m", "pytest", "-q", "-p", "no:cacheprovider", *OTHER_PLUGINS, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def serving(self, *options: str) -> Iterator[None]:
        """`serve` in another terminal, its keys exported."""
        command = [*PROGRAM, "serve", "--port", "0", "--profile", "embedded.toml", *options]
        with subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            for line in server.stdout:
                if export := re.match(r"export (\w+)=(\S+)", line):
                    self.environment[export[1]] = export[2]
                if line.startswith("# The profile is in"):
                    break
            try:
                yield
            finally:
                server.send_signal(signal.SIGINT)

    def findings(self, out: str) -> list[str]:
        summary = json.loads((self.folder / out / "summary.json").read_text(encoding="utf-8"))
        return [finding["id"] for finding in summary["findings"]]


@pytest.fixture
def stranger(environment: Mapping[str, str], tmp_path: Path) -> Stranger:
    return Stranger(tmp_path, environment)


@pytest.mark.slow
def test_from_nothing_to_a_verdict_and_a_test(stranger: Stranger) -> None:
    stranger("init", "staging.toml")
    assert "RULES_KEY_FULL" in stranger("doctor", "--target", "staging.toml", code=2)
    with stranger.serving("--fault", "request-id.on-success-only"):
        assert "Next: rules-harness check --target embedded.toml" in stranger("doctor", "--target", "embedded.toml")
        told = stranger("check", "--target", "embedded.toml", *SELECT, "--out", "before", code=1)
        assert "request-id.on-errors" in told
        (first, *_) = stranger.findings("before")
        assert f"rules-harness replay before {first} --target embedded.toml" in told
        assert "still fails" in stranger("replay", "before", first, "--target", "embedded.toml", code=1)
        test = next((stranger.folder / "before/findings" / first).glob("test_*.py"))
        failing = stranger.pytest("--rules-target", "embedded.toml", str(test), code=1)
        assert "1 failed" in failing
    with stranger.serving():
        assert "no longer fails" in stranger("replay", "before", first, "--target", "embedded.toml")
        stranger("check", "--target", "embedded.toml", *SELECT, "--out", "after", "--quiet")
    assert stranger("report", "after", "--format", "html,markdown,github").count("wrote ") == 3
    assert "Fixed" in stranger("diff", "before", "after")
    assert "request-id.on-errors" in stranger("trend", "before", "after")


@pytest.mark.slow
def test_a_hunt(stranger: Stranger) -> None:
    told = stranger("fuzz", "--time", os.environ.get("RULES_HUNT", "2s"), "--out", "campaign", "--quiet")
    _, written = [line for line in told.splitlines() if line.startswith(("Conforms", "wrote"))]
    assert "summary.json" in written
    assert (stranger.folder / "campaign/corpus").is_dir()
