"""A page for a campaign that goes on, on loopback: where it stands, and what it has found by its journal."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import msgspec

from rules_harness.harness import journal
from rules_harness.harness.campaign.settings import State, Watcher
from rules_harness.harness.errors import UsageError
from rules_harness.harness.journal import EpisodeRecord
from rules_harness.harness.judging.tally import Tally
from rules_harness.openapi.contract import Contract
from rules_harness.reports.html import live
from rules_harness.reports.text import line

HOST: Final = "127.0.0.1"
_FINDINGS_SHOWN: Final = 200


class LiveWatch:
    """Keeps what the campaign says of itself, and passes it on."""

    def __init__(self, watcher: Watcher, findings: Callable[[], list[dict[str, Any]]]) -> None:
        self._watcher = watcher
        self._found = findings
        self._state: State | None = None
        self._notes: list[str] = []

    def state(self, state: State) -> None:
        self._state = state
        self._watcher.state(state)

    def note(self, text: str) -> None:
        self._notes.append(line(text, 1000))
        self._watcher.note(text)

    def told(self) -> dict[str, Any]:
        """Everything for the page, as JSON values."""
        state = {} if self._state is None else msgspec.to_builtins(self._state)
        return {"state": state, "notes": self._notes[-5:], "findings": self._found()}


class Found:
    """The findings that a journal shows so far, judged as it grows."""

    def __init__(self, path: Path, contract: Contract) -> None:
        self._path = path
        self._tally = Tally(contract)
        self._read = 0
        self._lock = threading.Lock()

    def __call__(self) -> list[dict[str, Any]]:
        with self._lock:
            for record in self._new():
                if isinstance(record, EpisodeRecord):
                    self._tally.add(record.episode)
            findings = self._tally.findings()[:_FINDINGS_SHOWN]
        fields = ("id", "requirement", "level", "place", "kind", "expected", "actual", "count")
        return [{name: _safe(getattr(finding, name)) for name in fields} for finding in findings]

    def _new(self) -> Iterator[journal.Record | None]:
        """The records since the last look; a line that is still being written waits."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                text = file.read()
        except OSError:
            return
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        yield from map(journal.record_of, whole.splitlines())


def _safe(value: object) -> object:
    return line(value, 500) if isinstance(value, str) else value


@contextmanager
def served(port: int, watcher: Watcher, path: Path, contract: Contract) -> Iterator[tuple[LiveWatch, str]]:
    """What watches a campaign inside the `with` block, and the address of its page. Raises `UsageError`."""
    watch = LiveWatch(watcher, Found(path, contract))

    class Handler(_Handler):
        """The answers of this campaign."""

    Handler.watch, Handler.page = watch, live.render()
    try:
        server = ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        raise UsageError(f"cannot listen on port {port}: {error.strerror}; choose another with --serve") from error
    Handler.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True, name="live page").start()
    try:
        yield watch, f"http://{HOST}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    watch: LiveWatch
    page: str
    port: int

    def do_GET(self) -> None:
        host, _, port = self.headers.get("Host", "").partition(":")
        if host not in (HOST, "localhost") or port != str(self.port):
            self._answer(403, "text/plain", b"This page is for this machine alone.\n")  # another name leads here
        elif self.path == "/":
            self._answer(200, "text/html; charset=utf-8", self.page.encode())
        elif self.path == "/state.json":
            self._answer(200, "application/json", json.dumps(self.watch.told()).encode())
        else:
            self._answer(404, "text/plain", b"There is / and /state.json.\n")

    def _answer(self, status: int, media_type: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the terminal shows the campaign."""
