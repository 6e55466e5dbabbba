"""The embedded target as a child process."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from rules_harness.harness.reference.profile_text import key_environment, profile_text

_STOP_SECONDS = 5
_ROOT = Path(__file__).parents[3]


class ServerError(Exception):
    """The server did not start, or refused what the control plane was asked."""


class ReferenceServer:
    """A context manager: the server runs inside the `with` block, on loopback, and ends with it or with its parent."""

    def __init__(self, *, faults: Sequence[str] = (), variants: Sequence[str] = ()) -> None:
        """Prepare a server, on a free port."""
        self._command = [sys.executable, "-m", "rules_harness.harness.reference"]
        for fault_id in faults:
            self._command += ["--fault", fault_id]
        for variant_id in variants:
            self._command += ["--variant", variant_id]
        self._process: subprocess.Popen[str] | None = None
        self.base_url = ""
        self.control_url = ""
        self.environment: Mapping[str, str] = key_environment()

    def __enter__(self) -> Self:
        """Start the server and wait until it answers.

        Raises:
            ServerError: it ended instead, with what it said.
        """
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C reaches all that a terminal runs; the target must live on until the rules are put back.
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            self._close()
            raise ServerError(f"the embedded target did not start (exit status {status}); its own message stands above")
        ready = json.loads(line)
        self.base_url, self.control_url = ready["base_url"], ready["control_url"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return
        process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        self._process = None

    @property
    def profile_toml(self) -> str:
        """A complete profile for this server, as text."""
        return profile_text(self.base_url, self.control_url)

    def configure(self, faults: Sequence[str] = (), variants: Sequence[str] = (), latency_ms: int = 0) -> None:
        """Switch the running server over; rules, keys and clock go back to the start.

        `latency_ms` is added to each answer, jittered by half of it.

        Raises:
            ServerError: an id is unknown, or two variants exclude each other.
        """
        wanted = {"faults": list(faults), "variants": list(variants), "latency_ms": latency_ms}
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.control_url}/configure", json.dumps(wanted).encode(), headers, method="POST")
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=10) as response:
                response.read()
        except HTTPError as error:
            raise ServerError(json.loads(error.read())["error"]) from error
