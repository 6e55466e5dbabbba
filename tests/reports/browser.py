"""Headless Chromium, driven by its own DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import websocket

EXECUTABLE = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
IS_SKIPPED = EXECUTABLE is None and not os.environ.get("CI")
"""Where there is no Chromium the tests that need it are skipped, but fail where CI should have installed it."""
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)
PATIENCE = 30.0


class Page:
    """One tab. What it logs, throws and requests is kept from the beginning."""

    def __init__(self, socket: websocket.WebSocket):
        self._socket = socket
        self._numbers = itertools.count(1)
        self.console: list[str] = []
        self.requests: list[str] = []
        self._loaded = False
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """One DevTools command and its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._notice(message)

    def _notice(self, message: dict[str, Any]) -> None:
        about = message.get("params", {})
        match message.get("method"):
            case "Runtime.consoleAPICalled":
                self.console.append(f"{about['type']}: {about['args']}")
            case "Runtime.exceptionThrown":
                self.console.append(f"exception: {about['exceptionDetails']}")
            case "Log.entryAdded":
                self.console.append(f"log: {about['entry'].get('text')}")
            case "Network.requestWillBeSent":
                self.requests.append(about["request"]["url"])
            case "Page.loadEventFired":
                self._loaded = True

    def open(self, url: str) -> None:
        """Load a page, and wait until it is there."""
        self._loaded = False
        self.call("Page.navigate", url=url)
        self.wait(lambda: self._loaded)

    def wait(self, condition: Callable[[], Any]) -> None:
        """Until the condition holds; DevTools messages are taken meanwhile."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError
            self.call("Runtime.evaluate", expression="0")

    def evaluate(self, expression: str) -> Any:
        """The value of a script, promises awaited."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(str(result["exceptionDetails"]))
        return result["result"].get("value")

    def size(self, width: int, height: int, *, phone: bool = False) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def prefer(self, scheme: str) -> None:
        """The system's colour scheme: light or dark."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def press(self, key: str) -> None:
        codes = {"Tab": 9, "Enter": 13}
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **text)

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def serious_faults(self) -> list[tuple[str, str, str]]:
        """What axe finds that keeps people out, with everything opened: its rule, the element, what is wrong."""
        self.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        script = resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
        self.evaluate(script + "; 0")
        found: dict[str, Any] = self.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
        return [
            (one["id"], one["nodes"][0]["html"][:200], str(one["nodes"][0].get("failureSummary"))) for one in serious
        ]

    def screenshot(self, *, whole: bool = False) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"])


@contextmanager
def browser() -> Iterator[Page]:
    """A browser with nothing in it and one empty tab; it ends with the block."""
    if EXECUTABLE is None:
        raise RuntimeError("no Chromium is installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [EXECUTABLE, *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port = _port(Path(folder) / "DevToolsActivePort", process)
            tabs = httpx.get(f"http://127.0.0.1:{port}/json/list", trust_env=False, timeout=PATIENCE).json()
            address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
            socket = websocket.create_connection(address, timeout=PATIENCE, http_no_proxy=["127.0.0.1"])
            try:
                yield Page(socket)
            finally:
                socket.close()
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(file: Path, process: subprocess.Popen[bytes]) -> int:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"Chromium ended with {process.returncode} before it listened")
        if file.exists() and (lines := file.read_text().split()):
            return int(lines[0])
        time.sleep(0.05)
    raise TimeoutError("Chromium does not listen")
