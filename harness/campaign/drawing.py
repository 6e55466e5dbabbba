"""Draws bodies, odd requests and histories in a process of its own, ahead of those who send them.

Hypothesis computes without pause and moves the interpreter's limit of recursion while it does: beside threads that
send and judge it would both hold them up and, where they read a deeply nested answer, end them.
"""

from __future__ import annotations

import functools
import multiprocessing
import signal
from collections import deque
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, Final, Literal, TypeVar

import msgspec
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from rules_harness.harness.session.signals import leave_to_director
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import Body, bodies
from rules_harness.strategies.histories import Abilities, History, histories
from rules_harness.strategies.requests import OddRequest, odd_requests
from rules_harness.strategies.world import World

T = TypeVar("T")
Kind = Literal["bodies", "odd", "histories"]
_AT_ONCE: Final = 16
"""Starting Hypothesis costs as much as a few draws."""
_AHEAD: Final = 12
"""Fewer at hand than these, and more are asked for."""


class Wish(msgspec.Struct, frozen=True):
    """What is to be drawn, for which world; ``number`` decides what it will be."""

    kind: Kind
    number: int
    world: World
    known: tuple[str, ...]
    expose_key: bool
    abilities: Abilities


_TYPES: Final[dict[Kind, Any]] = {
    "bodies": msgspec.msgpack.Decoder(list[Body]),
    "odd": msgspec.msgpack.Decoder(list[OddRequest]),
    "histories": msgspec.msgpack.Decoder(list[History]),
}


class Drawer:
    """The process that draws, as its only user sees it. Make it while this process has one thread; close it last."""

    def __init__(self, contract: Contract, foreign: Sequence[Connection] = ()) -> None:
        """``foreign`` are ends of pipes that the new process must not keep open."""
        context = multiprocessing.get_context("fork")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, (self._connection, *foreign), contract), daemon=True
        )
        self._process.start()
        theirs.close()
        self._waiting: deque[Kind] = deque()

    def ask(self, wish: Wish) -> None:
        """Have something drawn; `take` hands it over."""
        self._connection.send_bytes(msgspec.msgpack.encode(wish))
        self._waiting.append(wish.kind)

    def next(self) -> tuple[Kind, list[Any]]:
        """What was asked for first, once it is there."""
        kind = self._waiting.popleft()
        return kind, _TYPES[kind].decode(self._connection.recv_bytes())

    def is_ready(self) -> bool:
        """Whether `next` hands something over at once."""
        return self._connection.poll()

    def drop(self) -> None:
        """Do without whatever was asked for and not taken."""
        while self._waiting:
            self.next()

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.terminate()
        self._process.join()


class Supplies:
    """Drawn values for one shard; used by one thread at a time."""

    def __init__(self, drawer: Drawer, wish: Wish) -> None:
        drawer.drop()
        self._drawer = drawer
        self._wish = wish
        self._number = wish.number
        self._at_hand: dict[str, deque[Any]] = {kind: deque() for kind in _TYPES}
        self._asked: set[Kind] = set()

    def body(self) -> Body | None:
        """A plausible body, if one is drawn by now."""
        body: Body | None = self._take("bodies")
        return body

    def odd(self) -> OddRequest | None:
        """An odd request, if one is drawn by now."""
        odd: OddRequest | None = self._take("odd")
        return odd

    def history(self, *, wait: bool = False) -> History | None:
        """A history, if one is drawn by now, or once it is."""
        history: History | None = self._take("histories")
        if history is None and wait:
            self._receive()
            return self.history(wait=True)
        return history

    def _take(self, kind: Kind) -> Any:
        while self._asked and self._drawer.is_ready():
            self._receive()
        at_hand = self._at_hand[kind]
        if len(at_hand) < _AHEAD:
            self._ask(kind)
        return at_hand.popleft() if at_hand else None

    def _receive(self) -> None:
        arrived, values = self._drawer.next()
        self._asked.discard(arrived)
        self._at_hand[arrived].extend(values)

    def _ask(self, kind: Kind) -> None:
        if kind not in self._asked:
            self._number += 1
            self._asked.add(kind)
            self._drawer.ask(msgspec.structs.replace(self._wish, kind=kind, number=self._number))


def _serve(connection: Connection, foreign: Sequence[Connection], contract: Contract) -> None:
    """Draw what is asked for, until nobody asks any more."""
    leave_to_director()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in foreign:
        other.close()
    wishes = msgspec.msgpack.Decoder(Wish)
    while True:
        try:
            wish = wishes.decode(connection.recv_bytes())
            strategy = _strategy(contract, msgspec.structs.replace(wish, number=0))
            connection.send_bytes(msgspec.msgpack.encode(draw(strategy, _AT_ONCE, wish.number)))
        except (EOFError, OSError):
            return


@functools.lru_cache(maxsize=16)
def _strategy(contract: Contract, wish: Wish) -> SearchStrategy[Any]:
    if wish.kind == "bodies":
        return bodies(contract, wish.world)
    if wish.kind == "odd":
        return odd_requests(contract, wish.world, wish.known, expose_key=wish.expose_key)
    return histories(wish.abilities)


def draw(strategy: SearchStrategy[T], count: int, number: int) -> list[T]:
    """Some values of a strategy, at least one and at most ``count``; the same for the same ``number``."""
    values: list[T] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: T) -> None:
        values.append(value)

    collect()
    return values
