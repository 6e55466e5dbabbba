"""A stack's server for as long as it is needed, its profile, and somebody else who writes there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.targets.stacks import NotStarted, Stack

START_SECONDS = 60
END_SECONDS = 10
WRITER_PAUSE = 0.7


class Server:
    """A server on a free port of loopback, with a process group and a folder of its own."""

    def __init__(self, stack: Stack, switches: Mapping[str, str], *, minimal: bool = False) -> None:
        self.stack = stack
        self.keys = _keys(stack)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port: int = free.getsockname()[1]
        profile = stack.folder / ("minimal.toml" if minimal else "profile.toml")
        self.profile = profile.read_text(encoding="utf-8").replace(f"127.0.0.1:{stack.port}", f"127.0.0.1:{self._port}")
        self._folder = Path(tempfile.mkdtemp(prefix=f"zoo-{stack.name}-"))
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["sh", "run.sh"],
                cwd=stack.folder,
                env={
                    **os.environ,
                    **stack.environment,
                    **switches,
                    "PORT": str(self._port),
                    "TMPDIR": str(self._folder),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def limit(self, **limits: float) -> None:
        """Set limits of the profile."""
        kept = [line for line in self.profile.splitlines() if line.partition("=")[0].strip() not in limits]
        if "[limits]" not in kept:
            kept.append("[limits]")
        at = kept.index("[limits]") + 1
        self.profile = "\n".join([*kept[:at], *(f"{name} = {value}" for name, value in limits.items()), *kept[at:], ""])

    def wait(self) -> None:
        """Until the first writable rule can be read. Raises `NotStarted`."""
        request, until = self.request(), time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with urlopen(request, timeout=5):
                    return
            except (URLError, OSError):
                time.sleep(0.1)
        raise NotStarted(self.log().strip()[-200:])

    def request(self, body: dict[str, Any] | None = None) -> Request:
        """A request for the first writable rule with the full credential: reading it, or updating it."""
        profile = tomllib.loads(self.profile)
        key = self.keys[profile["credentials"]["full"]["key_env"]]
        url = f"{profile['target']['base_url']}/rules/{profile['rules']['writable'][0]}"
        headers = {"Authorization": f"ApiKey {key}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        return Request(url, content, headers, method="GET" if body is None else "PUT")

    def log(self) -> str:
        """What the server has printed."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def end(self) -> None:
        """End the server and whatever it started, and remove what it kept."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self._process.pid, number)
                try:
                    self._process.wait(END_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
        until = time.monotonic() + END_SECONDS
        while self._is_listening() and time.monotonic() < until:
            time.sleep(0.05)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


def _keys(stack: Stack) -> dict[str, str]:
    """The API keys that keys.sh exports."""
    script = "env -i PATH=\"$PATH\" sh -c '. ./keys.sh; env'"
    output = subprocess.run(["sh", "-c", script], cwd=stack.folder, capture_output=True, text=True, check=True).stdout
    pairs = (line.split("=", 1) for line in output.splitlines() if "=" in line)
    return {name: value for name, value in pairs if value.startswith("sk_")}


@contextmanager
def serving(stack: Stack, switches: Mapping[str, str], *, minimal: bool = False) -> Iterator[Server]:
    """A server that answers. Raises `NotStarted`."""
    server = Server(stack, switches, minimal=minimal)
    try:
        server.wait()
        yield server
    finally:
        server.end()


@contextmanager
def another_writer(server: Server) -> Iterator[None]:
    """A colleague who updates the first writable rule every now and then, each time to something else."""
    with urlopen(server.request()) as response:
        rule = json.loads(response.read())["data"]
    body = {name: rule[name] for name in ("nickname", "trigger", "steps")} | {"status": "disabled"}
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.wait(WRITER_PAUSE):
            number += 1
            try:
                urlopen(server.request(body | {"description": f"A colleague's version {number}"}), timeout=10).close()
            except OSError:  # a server that is busy, or gone, is the run's concern
                continue

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        done.set()
        writer.join()
