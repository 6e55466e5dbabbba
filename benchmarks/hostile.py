"""What a hostile target costs: `python -m benchmarks.hostile [NAME …]`.

One conformance run against each: the embedded target behind a front that makes its answers worse, or a server that only
puts off.  The memory is the most that the run had resident, by the count of the operating system (Linux).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rules_harness.harness.reference.process import ReferenceServer
from tests.safety.proxy import Proxy
from tests.wire.servers import answer

ROOT: Final = Path(__file__).parents[1]
SELECTED: Final = ("auth.*", "request-id.*", "status.*")
MEBIBYTE: Final = 2**20


class Front(Proxy):
    """Passes everything on, and makes what comes back worse."""

    def __init__(self, server: ReferenceServer, worsen: Callable[[bytes, bytes], bytes]) -> None:
        """``worsen`` gets the head and the body of an answer."""
        super().__init__(server.base_url)
        self._worsen = worsen

    def _asked(self, content: bytes) -> bytes:
        head, _, body = super()._asked(content).partition(b"\r\n\r\n")
        self.passed.clear()
        return self._worsen(head, body)


def padded(body: bytes, size: int) -> bytes:
    """A JSON object with so many bytes more in it."""
    return body[:-1] + b',"padding":"' + b"x" * size + b'"}' if body.startswith(b"{") else body


def without_length(head: bytes) -> bytes:
    """A head that does not say how long the body is."""
    return b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length"))


def whole(head: bytes, body: bytes) -> bytes:
    """An answer with the length of this body."""
    return without_length(head) + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def chunks_of_one_byte(head: bytes, body: bytes) -> bytes:
    """300,000 bytes, a chunk each."""
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in padded(body, 300_000))
    return without_length(head) + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def many_headers(head: bytes, body: bytes) -> bytes:
    """Ten thousand header fields."""
    fields = b"".join(b"\r\nX-%d: y" % number for number in range(10_000))
    return whole(head + fields, body)


def large_ids(head: bytes, body: bytes) -> bytes:
    """A request id of three megabytes in each body."""
    return whole(head, padded(body.replace(b'"request_id":"', b'"request_id":"' + b"r" * 3_000_000, 1), 0))


def many_values(head: bytes, body: bytes) -> bytes:
    """A million values of JSON in each body."""
    return whole(head, body[:-1] + b',"more":[' + b"0," * 1_000_000 + b"0]}" if body.startswith(b"{") else body)


def deep(head: bytes, body: bytes) -> bytes:
    """Lists in lists, a hundred thousand deep."""
    return whole(head, body[:-1] + b',"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}" if body[:1] == b"{" else body)


def put_off(seconds: int, status: str) -> Callable[[bytes, bytes], bytes]:
    """Nothing but "come again later"."""
    return lambda head, body: answer(status=status, headers=f"Retry-After: {seconds}\r\n")


TARGETS: Final[Mapping[str, Callable[[bytes, bytes], bytes]]] = {
    "as it is": whole,
    "chunks of one byte": chunks_of_one_byte,
    "ten thousand headers": many_headers,
    "request ids of 3 MB": large_ids,
    "a million values": many_values,
    "nested 100,000 deep": deep,
    "429, again in 1 s": put_off(1, "429 Too Many Requests"),
    "503, again in 86400 s": put_off(86_400, "503 Service Unavailable"),
}


def main() -> None:
    """Run against each, and print what it took."""
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    print(f"{'target':<24}{'exit':>5}{'seconds':>9}{'memory':>12}{'journal':>12}")
    for name in sys.argv[1:] or TARGETS:
        with (
            ReferenceServer() as server,
            Front(server, TARGETS[name]) as front,
            tempfile.TemporaryDirectory() as folder,
        ):
            code, seconds, memory, journal = attacked(server, front, Path(folder))
        sizes = f"{memory / MEBIBYTE:>8.0f} MiB{journal / MEBIBYTE:>8.1f} MiB"
        print(f"{name:<24}{code:>5}{seconds:>9.1f}{sizes}", flush=True)


def attacked(server: ReferenceServer, front: Front, folder: Path) -> tuple[int, float, int, int]:
    """The exit code of a run, its seconds, the most memory that it had and the size of its journal, in bytes."""
    profile = folder / "profile.toml"
    text = server.profile_toml.replace(server.base_url, f"{front.address}{urlsplit(server.base_url).path}")
    profile.write_text(text.replace("timeout_seconds = 10", "timeout_seconds = 5"), encoding="utf-8")
    select = [argument for pattern in SELECTED for argument in ("--select", pattern)]
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "rules_harness", "check", "--target", str(profile), "--quiet", *select],
        cwd=folder,
        env={**os.environ, **server.environment, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    most = 0
    while process.poll() is None:
        most = max(most, resident(process.pid))
        time.sleep(0.02)
    journal = folder / "out" / "journal.jsonl"
    return process.returncode, time.monotonic() - began, most, journal.stat().st_size


def resident(pid: int) -> int:
    """The most memory that a process has had so far, in bytes."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


if __name__ == "__main__":
    main()
