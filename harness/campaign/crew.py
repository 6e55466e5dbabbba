"""The workers of a campaign: processes on this machine, each with a pipe; one that ends early is replaced."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.connection import Connection, wait
from typing import Any, Final, Protocol

import msgspec

from rules_harness.harness.campaign.drawing import Drawer
from rules_harness.harness.campaign.messages import Report, Shard, encode, report_from
from rules_harness.harness.campaign.serving import STOP, Worker
from rules_harness.harness.campaign.shard import Equipment
from rules_harness.harness.session.signals import leave_to_director
from rules_harness.harness.target.secrets import Keyring
from rules_harness.openapi.contract import Contract

PATIENCE_SECONDS: Final = 2.0
"""How long a worker may take to end by itself."""


class Lost(msgspec.Struct, frozen=True):
    """A worker ended in the middle of a shard; another has taken its place."""

    member: int
    shard: Shard | None
    why: str


class Crew(Protocol):
    """Whoever works shards off; members are numbered from 0."""

    size: int

    def assign(self, member: int, shard: Shard) -> None: ...

    def reports(self, timeout: float) -> list[tuple[int, Report] | Lost]: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...


class Processes:
    """A crew of processes. Make it while this process has one thread; close it when done."""

    def __init__(self, contract: Contract, keyring: Keyring, size: int) -> None:
        self.size = size
        self._contract = contract
        self._keyring = keyring
        self._context = multiprocessing.get_context("fork")
        self._connections: list[Connection] = []
        self._processes: list[Any] = []
        self._shards: list[Shard | None] = []
        for _ in range(size):
            self._start(len(self._processes))

    def assign(self, member: int, shard: Shard) -> None:
        """Give a member its next shard; one that has ended is noticed by `reports`."""
        self._shards[member] = shard
        try:
            self._connections[member].send_bytes(encode(shard))
        except OSError:
            return

    def reports(self, timeout: float) -> list[tuple[int, Report] | Lost]:
        """What was told within so many seconds."""
        reports: list[tuple[int, Report] | Lost] = []
        for connection in wait(self._connections, timeout):
            member = self._connections.index(connection)  # type: ignore[arg-type]
            try:
                report = report_from(self._connections[member].recv_bytes())
            except (EOFError, OSError):
                reports.append(self._replace(member))
                continue
            if report.is_last:
                self._shards[member] = None
            reports.append((member, report))
        return reports

    def stop(self) -> None:
        """Let nothing leave any more; each member tells its last."""
        for connection in self._connections:
            try:
                connection.send_bytes(STOP)
            except OSError:
                continue

    def close(self) -> None:
        """End every process."""
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.join(PATIENCE_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()

    def _start(self, member: int) -> None:
        ours, theirs = self._context.Pipe()
        foreign = [*self._connections[:member], *self._connections[member + 1 :], ours]
        process = self._context.Process(target=_work, args=(theirs, foreign, self._contract, self._keyring))
        process.start()
        theirs.close()
        if member == len(self._processes):
            self._processes.append(process)
            self._connections.append(ours)
            self._shards.append(None)
        else:
            self._processes[member], self._connections[member] = process, ours

    def _replace(self, member: int) -> Lost:
        shard, self._shards[member] = self._shards[member], None
        process = self._processes[member]
        process.join(PATIENCE_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
        self._connections[member].close()
        self._start(member)
        return Lost(member, shard, f"worker process {process.pid} ended with {process.exitcode}")


def _work(connection: Connection, foreign: list[Connection], contract: Contract, keyring: Keyring) -> None:
    """What a worker process runs."""
    leave_to_director()
    for other in foreign:
        # An end of a pipe that stays open here would hide that its owner is gone.
        other.close()
    drawer = Drawer(contract, (connection,))
    try:
        Worker(connection.recv_bytes, connection.send_bytes, Equipment(contract, keyring, drawer)).serve()
    finally:
        drawer.close()
        connection.close()
        # Threads that wait for the target must not hold the process up.
        os._exit(0)
