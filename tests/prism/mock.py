"""Prism as a server for tests, where it is installed."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

import pytest

START_SECONDS: Final = 60


class Prism:
    """A mock of a document on a free loopback port, in a process group of its own; skips where Prism is not."""

    def __init__(self, document: Path, log: Path) -> None:
        command = _command()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "mock", "--host", "127.0.0.1", "--port", str(self.port), str(document)],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._await(log)

    def _await(self, log: Path) -> None:
        for _ in range(START_SECONDS * 10):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.end()
        pytest.fail(f"Prism does not start: {log.read_text(errors='replace')[-2000:]}")

    def is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=10)


def _command() -> list[str]:
    """RULES_PRISM, or what npx finds installed; skips the test where there is none."""
    given = os.environ.get("RULES_PRISM")
    if given:
        return shlex.split(given)
    if shutil.which("npx") is None:
        pytest.skip("npx is not installed, and RULES_PRISM does not point at Prism")
    command = ["npx", "--no-install", "prism"]
    if subprocess.run([*command, "--version"], capture_output=True, check=False, timeout=START_SECONDS).returncode:
        pytest.skip("Prism is not installed where npx looks, and RULES_PRISM does not point at it")
    return command
