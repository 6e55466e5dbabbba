"""Runs of the command line in this process, and what they leave behind."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest

from rules_harness.harness.cli import main
from rules_harness.harness.journal import Run, read, unpack

NOW = datetime.now(UTC).isoformat(timespec="seconds")
"""One time for all runs of this process, so that what is drawn for them is drawn once."""


class Ended(msgspec.Struct, frozen=True):
    """How a command ended, what it printed, and the folder it wrote to."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def summary(self) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
        return summary

    @property
    def requirements(self) -> dict[str, dict[str, Any]]:
        requirements: dict[str, dict[str, Any]] = self.summary["requirements"]
        return requirements

    @property
    def verdicts(self) -> dict[str, str]:
        return {name: row["verdict"] for name, row in self.requirements.items()}

    @property
    def run(self) -> Run:
        return read(self.folder)

    def with_verdict(self, *verdicts: str) -> set[str]:
        return {name for name, verdict in self.verdicts.items() if verdict in verdicts}


def command(*arguments: str | Path, environ: Mapping[str, str], folder: Path) -> Ended:
    """Run one command to its end, with these variables in the environment; ``folder`` is where it is told to write."""
    if arguments[0] == "check" and "--now" not in arguments:
        arguments += ("--now", NOW)
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environ),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        main([str(argument) for argument in arguments])
    assert isinstance(ended.value.code, int)
    unpack(folder)  # tests look for what is in it, and cut it
    return Ended(ended.value.code, out.getvalue(), err.getvalue(), folder)


def check(profile: Path, *arguments: str, environ: Mapping[str, str], out: Path) -> Ended:
    """One conformance run of the target in a profile."""
    return command("check", "--target", profile, "--quiet", "--out", out, *arguments, environ=environ, folder=out)
