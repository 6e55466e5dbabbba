from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rules_harness.harness.cli import main
from rules_harness.harness.reference.process import ReferenceServer
from tests.gate.runs import NOW

KEY = "key-live-Zq7Xw2Rt9Lm4Vb6Nc8"


class Ended:
    """How a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def messages(self) -> list[str]:
        """What the command says about its own end; one line, however long."""
        return [line for line in self.err.splitlines() if line.startswith("rules-harness: ")]


class Shell:
    """Runs commands in this process, in an empty folder."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture

    def __call__(self, *arguments: str | Path) -> Ended:
        self._capture.readouterr()
        given = [str(argument) for argument in arguments]
        if given[0] == "check" and "--now" not in given:
            given += ["--now", NOW]
        with pytest.raises(SystemExit) as ended:
            main(given)
        captured = self._capture.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        assert "Traceback" not in captured.out + captured.err
        return Ended(code, captured.out, captured.err)

    def profile(self, base_url: str, *, rules: str = '"rule_a", "rule_b"', more: str = "", timeout: float = 2) -> Path:
        """A profile with one key, written to the folder."""
        accounts = "".join(f'[[accounts]]\nid = "acc_{type}"\ntype = "{type}"\n' for type in ("income_source", "pod"))
        path = self.folder / "profile.toml"
        path.write_text(
            f'[target]\nbase_url = "{base_url}"\n[credentials.full]\nkey_env = "TEST_KEY"\n'
            f"[rules]\nwritable = [{rules}]\n"
            f"[limits]\nrequests_per_second = 5000\ntimeout_seconds = {timeout}\n{accounts}{more}",
            encoding="utf-8",
        )
        return path

    def summary(self, out: str = "out") -> dict[str, Any]:
        summary: dict[str, Any] = json.loads((self.folder / out / "summary.json").read_text(encoding="utf-8"))
        return summary


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_KEY", KEY)
    monkeypatch.delenv("RULES_HARNESS_DEBUG", raising=False)
    for command in ("fuzz", "replay"):  # which have no --now
        clock = SimpleNamespace(now=lambda zone: datetime.fromisoformat(NOW).astimezone(zone))
        monkeypatch.setattr(f"rules_harness.harness.cli.{command}.datetime", clock)
    return Shell(tmp_path, capsys)


@pytest.fixture(scope="session")
def running() -> Iterator[ReferenceServer]:
    with ReferenceServer() as server:
        yield server


@pytest.fixture
def reference(running: ReferenceServer, monkeypatch: pytest.MonkeyPatch) -> ReferenceServer:
    """The embedded target in its first state, its keys in the environment."""
    running.configure()
    for name, key in running.environment.items():
        monkeypatch.setenv(name, key)
    return running


@pytest.fixture
def whole_profile(reference: ReferenceServer, shell: Shell) -> Path:
    """A profile that lacks nothing."""
    path = shell.folder / "whole.toml"
    path.write_text(reference.profile_toml, encoding="utf-8")
    return path


@pytest.fixture
def environment() -> dict[str, str]:
    """For commands in a process of their own."""
    return {**os.environ, "TEST_KEY": KEY}
