"""Makes a failing episode as small as it gets while it still fails, and says how reliably it fails."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from rules_harness.harness.exchange import Episode, Exchange, Payload
from rules_harness.harness.judging.outcome import TRIES_AGAIN, Violation
from rules_harness.harness.judging.states import sent_body, state_shown
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.planner import encode
from rules_harness.harness.scenarios.unmet import Unmet
from rules_harness.harness.smaller.recording import Recording, as_it_stood
from rules_harness.harness.smaller.resending import resend, smaller_bodies
from rules_harness.harness.smaller.showing import shown_again, writes_what_stays
from rules_harness.harness.target.hooks import HookFailed
from rules_harness.harness.target.safety import SafetyError
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.accounts import accounts_in
from rules_harness.strategies.bodies import body_of, is_suitable
from rules_harness.strategies.mutations import apply, catalogue
from rules_harness.strategies.validity import is_valid_body
from rules_harness.strategies.world import World

REPLAYS: Final = TRIES_AGAIN
UNREPEATABLE: Final = (Unmet, HookFailed, SafetyError)
"""Why an episode cannot be sent again here."""

MakeBench = Callable[[str, tuple[str, ...]], Bench]
"""A bench for a scenario's id and the rules that it may use."""


class Smallest(msgspec.Struct, frozen=True):
    """What came of it: the smallest episode that shows the violation, how often it did, and what that took."""

    episode: Episode | None
    shown: int
    tries: int
    """How often it was sent again."""
    requests: int

    @property
    def is_certain(self) -> bool:
        """Whether it was sent again, and showed each time."""
        return 0 < self.tries == self.shown

    @property
    def stability(self) -> str:
        """Empty where it could not be sent again."""
        return f"{self.shown} of {self.tries}" if self.tries else ""


class Resent(msgspec.Struct, frozen=True):
    """What came of sending a recording: the episode, and where in it each recorded exchange stands."""

    episode: Episode
    positions: tuple[int, ...]


class _Spent(Exception):
    pass


class Minimiser:
    """Shrinks episodes on one target."""

    def __init__(
        self,
        contract: Contract,
        world: World,
        make_bench: MakeBench,
        after: Callable[[Bench], None],
    ) -> None:
        """``after`` is called with each bench that something was sent on, and leaves its rules as they may stand."""
        self.contract = contract
        self._world = world
        self._make_bench = make_bench
        self._after = after
        self._mutations = {mutation.name: mutation for mutation in catalogue(contract)}

    def minimise(
        self, recording: Recording, violation: Violation, *, name: str, budget: int, until: float = math.inf
    ) -> Smallest:
        """The smallest part of a recording that still shows a violation.

        ``budget`` are requests, ``until`` is a moment of `time.monotonic`; what is smallest by then is sent a few times
        more.  Raises what the client raises.
        """
        pointed = msgspec.structs.replace(recording, shown_by=violation.shown_by)
        return _Search(self, pointed, violation, name, budget, until).run()

    def attempt(self, recording: Recording, name: str) -> Resent:
        """Send a recording again.

        Raises one of `UNREPEATABLE` where the target cannot be prepared as it was, and what the client raises.
        """
        bench = self._make_bench(name, recording.rules)
        try:
            positions = resend(bench, recording, {rule: rule for rule in recording.rules})
        finally:
            self._after(bench)
        return Resent(bench.episode(name.partition("/")[0], name.partition("/")[2]), positions)

    def shows(self, sent: Resent, positions: tuple[int, ...], violation: Violation) -> bool:
        """Whether these exchanges of what was sent show the same violation."""
        part = _part(sent.episode, positions)
        recorded = {number for number, position in enumerate(positions) if position in sent.positions}
        return part is not None and shown_again(self.contract, part, violation, recorded) is not None

    def shows_enabled(self, exchange: Exchange) -> bool:
        """Whether a read shows its rule enabled."""
        state, names = state_shown(self.contract, exchange), self.contract.names
        return state is not None and state.get(names.status) == names.enabled

    def simpler(self, exchange: Exchange) -> Iterator[Exchange]:
        """The exchange with a simpler body that claims the same."""
        intent, body = exchange.intent, exchange.request.body
        if body is None or intent.operation != "update":
            return
        mutation = self._mutations.get(intent.label)
        if mutation is not None and intent.body == "broken":
            yield _with_body(exchange, apply(self.contract, self._world, mutation))
        elif intent.body in ("valid", "open"):
            for smaller in smaller_bodies(sent_body(exchange)):
                content = encode(smaller)
                if len(content) < len(body.content) and self._claims_as_much(exchange, smaller, content):
                    yield _with_body(exchange, content)

    def _claims_as_much(self, exchange: Exchange, body: dict[str, Any], content: bytes) -> bool:
        """Whether what the contract says of a smaller body is what it said of the first."""
        if not is_valid_body(self.contract, content):
            return False
        if exchange.intent.body == "open" or not is_suitable(self.contract, self._world):
            return True
        # Nothing need accept a body that names an account which is not there.
        if not _accounts(self.contract, body) <= _accounts(self.contract, sent_body(exchange)):
            return False
        return body_of(self.contract, self._world, body).acceptance != "open"


def _accounts(contract: Contract, body: Mapping[str, Any]) -> set[tuple[Any, Any]]:
    """The accounts that a body names, each by its id and its type."""
    return {(named.id, named.type) for named in accounts_in(contract, body)}


class _Search:
    def __init__(
        self,
        minimiser: Minimiser,
        recording: Recording,
        violation: Violation,
        name: str,
        budget: int,
        until: float,
    ) -> None:
        self._minimiser = minimiser
        self._recording = recording
        self._length = len(recording.exchanges)
        self._violation = violation
        self._name = name
        self._budget = budget
        self._until = until
        self._spent = 0
        self._tries = 0
        self._best: Resent | None = None
        self._fixed = 0
        """So many exchanges at the start stay, and as they are."""
        self._has_its_own = False
        """The recording itself wrote what it shows was not cleared, and so must every part of it."""
        self._in_a_row = 1
        """How often it must show, one after the other."""

    def run(self) -> Smallest:
        """What does not show each time is tried once more with its rules written as they stood before: what a target
        keeps of a rule must be there.  What only the state before can have left is tried so first.  If neither helps,
        only what shows twice in a row counts: what shows once may do so for what a larger part has left behind."""
        first = self._recording
        prepared = as_it_stood(self._minimiser.contract, first)
        ways = [first] if prepared is None else [first, prepared]
        if not self._writes_what_stays(first.exchanges) and self._writes_what_stays(ways[-1].exchanges):
            ways.reverse()
        best = Smallest(None, 0, 0, 0)
        for recording in ways:
            if not best.is_certain:
                best = self._better(best, recording)
        if best.shown < best.tries:
            self._in_a_row = 2
            best = self._better(best, first if prepared is None else prepared)
        return msgspec.structs.replace(best, requests=self._spent)

    def _better(self, best: Smallest, recording: Recording) -> Smallest:
        """The smallest part of this recording, if it shows more often than the best so far."""
        self._recording, self._best = recording, None
        self._fixed = len(recording.exchanges) - self._length
        self._has_its_own = self._writes_what_stays(recording.exchanges)
        again = self._searched()
        return again if again.shown > best.shown or not best.tries else best

    def _searched(self) -> Smallest:
        last, until = REPLAYS * len(self._recording.exchanges), self._until
        try:
            if self._shows(self._recording):
                self._leave_out()
                self._simplify()
        except _Spent:
            pass
        self._budget, self._until = max(self._budget, self._spent) + last, math.inf
        seen = [again for _ in range(REPLAYS) if (again := self._replay()) is not None]
        if self._best is not None and not any(seen):
            # It was seen when it was first sent again.
            seen.append(True)
        self._until = until
        return Smallest(None if self._best is None else self._bare(self._best), sum(seen), len(seen), self._spent)

    def _bare(self, sent: Resent) -> Episode:
        """The episode without what was sent to prepare it, as far as the violation is told without.

        The first of the reads that show a rule enabled stays: whoever sends the episode again learns from it to enable
        the rule.
        """
        kept, previous = tuple(range(len(sent.episode.exchanges))), None
        while kept != previous:
            previous = kept
            for position in sorted(set(kept) - set(sent.positions), reverse=True):
                others = tuple(other for other in kept if other != position)
                is_needed = self._tells_of_enabling(sent.episode, kept, position)
                is_needed |= self._lacks_its_own(sent.episode.exchanges[other] for other in others)
                if not is_needed and self._minimiser.shows(sent, others, self._violation):
                    kept = others
        return _part(sent.episode, kept) or sent.episode

    def _tells_of_enabling(self, episode: Episode, kept: tuple[int, ...], position: int) -> bool:
        """Whether a read shows a rule enabled that what is kept before it does not show so already."""
        here = episode.exchanges[position]
        before = [episode.exchanges[other] for other in kept if other < position][-1:]
        already = any(
            exchange.intent.rule == here.intent.rule and self._minimiser.shows_enabled(exchange) for exchange in before
        )
        return self._minimiser.shows_enabled(here) and not already

    def _replay(self) -> bool | None:
        """Whether the smallest recording shows the violation once more; ``None`` where it cannot be sent."""
        try:
            return self._tried(self._recording)
        except _Spent:
            return None

    def _shows(self, recording: Recording) -> bool:
        best, is_shown = (self._best, self._recording), False
        try:
            is_shown = all(self._tried(recording) for _ in range(self._in_a_row))
        finally:
            if not is_shown:
                self._best, self._recording = best
        return is_shown

    def _tried(self, recording: Recording) -> bool | None:
        """Whether a recording shows the violation when it is sent again; if so it is the best so far.

        ``None`` where the target cannot be prepared for it.
        """
        if self._spent + len(recording.exchanges) > self._budget or time.monotonic() > self._until:
            raise _Spent
        self._tries += 1
        try:
            sent = self._minimiser.attempt(recording, f"{self._name}~{self._tries}")
        except UNREPEATABLE:
            return None
        self._spent += len(sent.episode.exchanges)
        if not self._minimiser.shows(sent, tuple(range(len(sent.episode.exchanges))), self._violation):
            return False
        if self._lacks_its_own(sent.episode.exchanges):
            return False
        self._best, self._recording = sent, recording
        return True

    def _lacks_its_own(self, exchanges: Iterable[Exchange]) -> bool:
        """Whether these show only what others have left behind, which the recording wrote itself."""
        return self._has_its_own and not self._writes_what_stays(exchanges)

    def _writes_what_stays(self, exchanges: Iterable[Exchange]) -> bool:
        is_about_it = self._violation.kind == "not-cleared"
        return is_about_it and writes_what_stays(self._minimiser.contract, exchanges, self._violation)

    def _leave_out(self) -> None:
        """First all that the violation does not point at, then one exchange after the other, the last first."""
        self._try_only(_pointed_at(self._recording.exchanges, self._violation))
        position = len(self._recording.exchanges) - 1
        while position >= 0:
            count = len(self._recording.exchanges)
            self._try_only(set(range(count)) - _dependent(self._recording.exchanges, position))
            position = min(position, len(self._recording.exchanges)) - 1

    def _try_only(self, positions: Iterable[int]) -> None:
        chosen = {*range(self._fixed), *positions}
        if chosen and len(chosen) < len(self._recording.exchanges):
            smaller = self._recording.only(chosen)
            if smaller is not None:
                self._shows(smaller)

    def _simplify(self) -> None:
        """Bodies, as long as one of them gets smaller; equal bodies stay equal."""
        goes_on = True
        while goes_on:
            goes_on = any(map(self._simplify_at, range(self._fixed, len(self._recording.exchanges))))

    def _simplify_at(self, position: int) -> bool:
        exchange = self._recording.exchanges[position]
        for simpler in self._minimiser.simpler(exchange):
            if simpler.request.body == exchange.request.body:
                continue
            alike = tuple(
                _with_body(recorded, simpler.request.body.content)
                if simpler.request.body is not None and recorded.request.body == exchange.request.body
                else recorded
                for recorded in self._recording.exchanges
            )
            if self._shows(msgspec.structs.replace(self._recording, exchanges=alike)):
                return True
        return False


def _part(episode: Episode, positions: tuple[int, ...]) -> Episode | None:
    """The episode with these exchanges alone; ``None`` where that makes no sense."""
    part = Recording.of(episode).only(positions) if positions else None
    return None if part is None else msgspec.structs.replace(episode, exchanges=part.exchanges)


def _pointed_at(exchanges: tuple[Exchange, ...], violation: Violation) -> set[int]:
    """What a violation points at, and what that repeats."""
    positions = {position for position in violation.shown_by if position < len(exchanges)}
    repeated = (exchanges[position].intent.repeats for position in tuple(positions))
    return positions | {first for first in repeated if first is not None}


def _dependent(exchanges: tuple[Exchange, ...], position: int) -> set[int]:
    """An exchange, and those that repeat it."""
    return {position} | {other for other, exchange in enumerate(exchanges) if exchange.intent.repeats == position}


def _with_body(exchange: Exchange, content: bytes) -> Exchange:
    request = msgspec.structs.replace(exchange.request, body=Payload.of(content))
    return msgspec.structs.replace(exchange, request=request)
