"""The harness against a server, in a process of its own, with a limit on its time."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.targets.results import NO_REPORT, TOO_LONG, Finding, Key, Result
from tests.targets.serving import Server
from tests.targets.stacks import ROOT

GATE_SECONDS = 600
AFTER_SEARCH_SECONDS = 240
INTERRUPT_SECONDS = 60
_SHOWN = 300


def run(
    server: Server,
    key: Key,
    folder: Path,
    *,
    search_seconds: int,
    select: Sequence[str] = (),
    requests: int | None = None,
) -> Result:
    """One gate or campaign, or the most telling ``requests`` of one; its journal and reports are in ``folder``
    afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    profile = folder / "profile.toml"
    profile.write_text(server.profile, encoding="utf-8")
    arguments = ["check"] if key.kind == "gate" else ["fuzz", "--time", f"{search_seconds}s"]
    arguments += [part for pattern in select for part in ("--select", pattern)]
    arguments += [] if requests is None else ["--requests", str(requests)]
    arguments += ["--target", str(profile), "--seed", str(key.seed), "--out", str(folder / "out"), "--quiet"]
    limit = GATE_SECONDS if key.kind == "gate" else search_seconds + AFTER_SEARCH_SECONDS
    process = subprocess.Popen(
        [sys.executable, "-m", "rules_harness", *arguments],
        cwd=folder,
        env={**os.environ, **server.keys},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, was_stopped = process.communicate(timeout=limit)[0], False
    except subprocess.TimeoutExpired:
        said, was_stopped = _stop(process), True
    except BaseException:
        _stop(process)
        raise
    (folder / "said.txt").write_text(said, encoding="utf-8")
    result = _result(key, None if was_stopped else process.returncode, folder / "out/summary.json", said)
    return msgspec.structs.replace(result, is_partial=bool(select) or requests is not None)


def _stop(process: subprocess.Popen[str]) -> str:
    """Interrupt the harness, which then puts back what it wrote; end it where it does not."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=INTERRUPT_SECONDS)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0]


def _result(key: Key, exit_code: int | None, path: Path, said: str) -> Result:
    if not path.exists():
        reason = " ".join(said.strip().splitlines()[-2:])[-_SHOWN:]
        return Result(key, exit_code, NO_REPORT, reason, 0, 0.0, revision())
    summary = json.loads(path.read_text(encoding="utf-8"))
    verdicts = {id: row["verdict"] for id, row in summary["requirements"].items()}
    return Result(
        key=key,
        exit_code=exit_code,
        outcome=TOO_LONG if exit_code is None else summary["outcome"],
        reason=summary["reason"],
        requests=summary["requests"],
        seconds=summary["seconds"],
        revision=revision(),
        findings=tuple(_finding(row, verdicts) for row in summary["findings"]),
        inconclusive=tuple(id for id, verdict in verdicts.items() if verdict in ("inconclusive", "error")),
    )


def _finding(row: dict[str, Any], verdicts: dict[str, str]) -> Finding:
    return Finding(
        id=row["id"],
        requirement=row["requirement"],
        verdict="failed" if row["level"] == "must" else "warned",
        place=str(row["place"]),
        kind=str(row["kind"]),
        expected=str(row["expected"])[:_SHOWN],
        actual=str(row["actual"])[:_SHOWN],
        stability=row["stability"],
    )


def revision() -> str:
    """The commit of the harness that runs."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
