"""A crew on a Dask cluster: each shard is a task, run in a process beside the Dask worker that takes it."""

from __future__ import annotations

import hashlib
import importlib
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from rules_harness.harness.campaign.crew import Crew, Lost
from rules_harness.harness.campaign.messages import Report, Shard, encode, report_from, shard_from
from rules_harness.harness.campaign.remote import Setup, reader, setup_for, write
from rules_harness.harness.campaign.serving import STOP
from rules_harness.harness.errors import Unreachable, UsageError
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract

CONNECT_SECONDS: Final = 5
SHARD_SECONDS: Final = 3.0
"""Shards are short: what they find is told when they end."""
AGAIN_SECONDS: Final = 2.0
"""A shard that is run again waits so long: what its first run had under way has ended by then."""
_LOOK_SECONDS: Final = 0.2


def joined(address: str, contract: Contract, profile: Profile, members: int | None) -> Callable[[], Crew]:
    """A crew on the cluster of this scheduler, one member for each Dask worker unless another number is given.

    Raises `UsageError` without the extra, `Unreachable` where there is no cluster or it has no worker.
    """
    try:
        connect = _distributed().Client
    except ImportError as error:
        raise UsageError("--cluster needs the extra: pip install 'sequence-rules-harness[cluster]'") from error
    setup = setup_for(profile, contract)
    try:
        client = connect(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise Unreachable(f"--cluster {address}: no scheduler answers there ({error})") from error
    workers = len(client.scheduler_info(n_workers=-1)["workers"])
    if not workers:
        client.close()
        raise Unreachable(f"--cluster {address}: the cluster has no worker")
    return lambda: Cluster(client, setup, members or workers)


def _distributed() -> Any:
    """The library, which has no types; an extra, so it is imported where it is used."""
    return importlib.import_module("distributed")


class Cluster:
    """See `harness.campaign.crew.Crew`."""

    def __init__(self, client: Any, setup: Setup, size: int) -> None:
        self.size = size
        self._client = client
        self._setup = msgspec.json.encode(setup)
        self._run = f"rules-harness-{secrets.token_hex(4)}"
        self._stop = _distributed().Event(f"{self._run}-stop", client=client)
        self._futures: dict[int, tuple[Shard, Any]] = {}
        self._done: queue.SimpleQueue[int] = queue.SimpleQueue()

    def assign(self, member: int, shard: Shard) -> None:
        """Submit a shard; the cluster decides where it is run, and runs it again where a worker is lost."""
        short = msgspec.structs.replace(shard, seconds=min(shard.seconds, SHARD_SECONDS))
        future = self._client.submit(
            _work,
            encode(short),
            self._setup,
            self._run,
            key=f"{self._run}-{shard.number}",
            pure=False,
        )
        self._futures[member] = (shard, future)
        future.add_done_callback(lambda _: self._done.put(member))

    def reports(self, timeout: float) -> list[tuple[int, Report] | Lost]:
        """What the shards that have ended told."""
        try:
            member = self._done.get(timeout=timeout)
        except queue.Empty:
            return []
        shard, future = self._futures.pop(member)
        if future.status != "finished":
            return [Lost(member, shard, f"shard {shard.number} failed: {future.exception()}")]
        return [(member, report_from(content)) for content in future.result()]

    def stop(self) -> None:
        """Let nothing leave any more."""
        self._stop.set()

    def close(self) -> None:
        """Leave the cluster; what it still runs of this campaign is stopped."""
        self._stop.set()
        self._client.cancel([future for _, future in self._futures.values()])
        self._client.close()


class _Beside:
    """A process beside a Dask worker, which has threads and may not fork."""

    def __init__(self, setup: bytes) -> None:
        self.setup = setup
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rules_harness.harness.campaign.remote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin
        self._told: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._read = reader(self._process.stdout)
        threading.Thread(target=self._listen, daemon=True).start()
        write(self._input, setup)

    def send(self, message: bytes) -> None:
        write(self._input, message)

    def next(self, timeout: float) -> bytes | None:
        """What it tells next; raises `queue.Empty`. ``None`` says that it has ended."""
        return self._told.get(timeout=timeout)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        try:
            while True:
                self._told.put(self._read())
        except (EOFError, OSError):
            self._told.put(None)


_IDLE: Final[list[_Beside]] = []
"""The processes beside this Dask worker that have nothing to do."""
_LOCK: Final = threading.Lock()


def _with_own_keys(content: bytes) -> bytes:
    """A shard whose Idempotency-Keys meet none of an earlier run of it, which a target would answer with replays."""
    shard = shard_from(content)
    return encode(msgspec.structs.replace(shard, nonce=f"{shard.nonce}/{secrets.token_hex(8)}"))


def _work(shard: bytes, setup: bytes, run: str) -> list[bytes]:
    """The task: work one shard off; returns what is told of it."""
    distributed = _distributed()
    client = distributed.get_client()
    stop = distributed.Event(f"{run}-stop", client=client)
    begun = distributed.Event(f"{run}-{hashlib.sha256(shard).hexdigest()}", client=client)
    if begun.is_set():
        time.sleep(AGAIN_SECONDS)
    begun.set()
    with _LOCK:
        beside = next((worker for worker in _IDLE if worker.setup == setup), None)
        if beside is None:
            beside = _Beside(setup)
        else:
            _IDLE.remove(beside)
    lines: list[bytes] = []
    beside.send(_with_own_keys(shard))
    is_stopped = False
    while True:
        try:
            message = beside.next(_LOOK_SECONDS)
        except queue.Empty:
            if not is_stopped and stop.is_set():
                is_stopped = True
                beside.send(STOP)
            continue
        if message is None:
            raise RuntimeError("the process that worked on the shard has ended; its own message is in the worker's log")
        lines.append(message)
        if report_from(message).is_last:
            break
    if is_stopped:
        beside.close()
    else:
        with _LOCK:
            _IDLE.append(beside)
    return lines
