"""Sends recorded exchanges again: the same requests in the same order, with new keys and with the same preparations.

What the operator did in between is no exchange; a read that shows a rule enabled, and a repeated key whose window has
passed, tell of it.
"""

from __future__ import annotations

import re
import string
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from random import Random
from typing import Any, Final

import msgspec

from rules_harness.harness.exchange import Episode, Exchange, Payload, Request
from rules_harness.harness.judging.equality import instant
from rules_harness.harness.judging.histories import state_shown
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.key_steps import MARGIN_SECONDS
from rules_harness.harness.scenarios.planner import Planned, Unmet
from rules_harness.strategies.scalars import instant_text

DISABLED: Final = "disabled again"
SHORT: Final = 16
"""Keys shorter than this are sent as they were: what is odd in them is all there is of them."""
_FAR: Final = timedelta(days=11 * 366)
_DATE: Final = re.compile(rb'"(\d{4}-\d\d-\d\d[Tt][0-9:.]+(?:[Zz]|[+-]\d\d:\d\d))"')


class Recording(msgspec.Struct, frozen=True):
    """Exchanges to send again, how their rules stood before, and the present time of the run that recorded them."""

    exchanges: tuple[Exchange, ...]
    before: dict[str, Any] = {}
    now: datetime | None = None

    @classmethod
    def of(cls, episode: Episode, now: datetime | None = None) -> Recording:
        return cls(episode.exchanges, episode.facts.before, now)

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that are written, in the order of their first use."""
        own = (one.intent.rule for one in self.exchanges if one.intent.existence in ("own", "foreign"))
        return tuple(dict.fromkeys(own))

    def only(self, positions: Iterable[int]) -> Recording | None:
        """The recording with these exchanges alone; ``None`` where one of them repeats another that is missing."""
        numbers = {position: number for number, position in enumerate(sorted(positions))}
        kept = []
        for position in numbers:
            exchange = self.exchanges[position]
            repeats = exchange.intent.repeats
            if repeats is not None and repeats not in numbers:
                return None
            intent = exchange.intent.but(repeats=None if repeats is None else numbers[repeats])
            kept.append(msgspec.structs.replace(exchange, intent=intent))
        return msgspec.structs.replace(self, exchanges=tuple(kept))


def resend(bench: Bench, recording: Recording, rules: Mapping[str, str]) -> None:
    """Send a recording on a bench; ``rules`` says which rule takes the place of which recorded one.

    Raises `Unmet` and `HookFailed` where the target cannot be prepared.
    """
    _Resending(bench, recording, rules).send()


class _Resending:
    def __init__(self, bench: Bench, recording: Recording, rules: Mapping[str, str]) -> None:
        self._bench = bench
        self._recording = recording
        self._rules = rules
        self._keys: dict[str, str] = {}
        self._substitution = _substitution(bench.random)
        self._clock = 0.0
        self._used_at: dict[str, float] = {}
        self._status: dict[str, Any] = {}
        self._positions: list[int] = []
        """Where in the new episode each recorded exchange stands: preparations stand in between."""

    def send(self) -> None:
        bench, recording = self._bench, self._recording
        names = bench.names
        here = [self._rules.get(rule, rule) for rule in recording.rules]
        own = [rule for rule in here if rule in bench.rules]
        if own:
            bench.begin_anew(*own)
        for rule in own:
            self._disable(rule)
        for rule, state in recording.before.items():
            self._status[rule] = state.get(names.status)
            if self._status[rule] == names.enabled and rule in recording.rules:
                self._enable(rule)
        for _, members in groupby(enumerate(recording.exchanges), key=_together):
            exchanges = [exchange for _, exchange in members]
            if len(exchanges) == 1:
                self._send_one(exchanges[0])
            else:
                self._send_together(exchanges)

    def _send_one(self, exchange: Exchange) -> None:
        intent = exchange.intent
        shown = state_shown(self._bench.contract, exchange)
        enabled = self._bench.names.enabled
        if shown is not None:
            status = shown.get(self._bench.names.status)
            if status == enabled and self._status.get(intent.rule, enabled) != enabled:
                self._enable(intent.rule)
            self._status[intent.rule] = status
        if intent.window:
            self._move_clock(exchange)
        planned = self._planned(exchange)
        self._positions.append(len(self._bench.exchanges))
        self._bench.send(*planned)
        self._note_status(exchange)

    def _send_together(self, exchanges: Sequence[Exchange]) -> None:
        if self._bench.width(len(exchanges)) < len(exchanges):
            raise Unmet(f"{len(exchanges)} requests cannot be released together here (limits.in_flight)")
        planned = [self._planned(exchange) for exchange in exchanges]
        first = len(self._bench.exchanges)
        self._positions += range(first, first + len(planned))
        self._bench.send_all(planned, together=True)
        for exchange in exchanges:
            self._note_status(exchange)

    def _note_status(self, exchange: Exchange) -> None:
        """What a recorded answer to an update says of its rule's status."""
        answer, names = exchange.answer, self._bench.names
        if exchange.intent.operation == "update" and answer is not None and answer.is_success:
            data = answer.part(names.data)
            if data and exchange.intent.repeats is None:
                self._status[exchange.intent.rule] = data.get(names.status)

    def _disable(self, rule: str) -> None:
        """What was sent before may have left a rule enabled; whether it is enabled is told by what is recorded."""
        bench, names = self._bench, self._bench.names
        state = bench.state(rule)
        if state is not None and state.get(names.status) == names.enabled and bench.existence(rule) == "own":
            body = {**bench.inert(), names.nickname: "Disabled again"}
            bench.update(
                body, rule=rule, caller=bench.writer(rule), purpose="contain", acceptance="open", label=DISABLED
            )
            bench.read(rule)

    def _enable(self, rule: str) -> None:
        here = self._rules.get(rule, rule)
        if not self._bench.enable(here):
            raise Unmet("the hook enable_rule did not leave the rule enabled")
        self._status[rule] = self._bench.names.enabled

    def _move_clock(self, exchange: Exchange) -> None:
        seconds = self._bench.names.key_window_seconds
        first = self._used_at.get(exchange.intent.key or "", 0.0)
        wanted = first + seconds + (MARGIN_SECONDS if exchange.intent.window == "beyond" else -MARGIN_SECONDS)
        if wanted > self._clock:
            self._bench.shared.hooks.advance_clock(wanted - self._clock)
            self._clock = wanted

    def _planned(self, exchange: Exchange) -> Planned:
        intent = exchange.intent
        request = self._bench.shared.client.cleaner.recalled_request(exchange.request)
        here = self._rules.get(intent.rule, intent.rule)
        key = None if intent.key is None else self._key(intent.key)
        if intent.key is not None:
            self._used_at.setdefault(intent.key, self._clock)
        name = self._bench.names.idempotency_key.lower()
        headers = tuple(
            (field, self._key(value) if field.lower() == name else value) for field, value in request.headers
        )
        target = request.target
        if here != intent.rule:
            path = self._bench.contract.update.path_for
            target = target.replace(path(intent.rule), path(here), 1)
        sent = Request(request.method, target, headers, self._body(request.body), request.raw, request.key)
        repeats = None if intent.repeats is None else self._positions[intent.repeats]
        return sent, intent.but(rule=here, key=key, group=None, repeats=repeats)

    def _key(self, key: str) -> str:
        """A new key of the same form; keys that were alike are alike again."""
        if key not in self._keys:
            if _is_uuid(key):
                self._keys[key] = self._bench.new_key()
            else:
                self._keys[key] = key.translate(self._substitution) if len(key) >= SHORT else key
        return self._keys[key]

    def _body(self, body: Payload | None) -> Payload | None:
        """The body, its dates as far ahead as they were."""
        then, now = self._recording.now, self._bench.world.now
        if body is None or then is None or now - then < timedelta(hours=12):
            return body
        shift = timedelta(days=(now - then).days)

        def later(match: re.Match[bytes]) -> bytes:
            moment = instant(match[1].decode("ascii"))
            if moment is None or not then <= moment <= then + _FAR:
                return match[0]
            return f'"{instant_text(moment + shift)}"'.encode("ascii")

        return Payload.of(_DATE.sub(later, body.content))


def _together(numbered: tuple[int, Exchange]) -> tuple[bool, int]:
    position, exchange = numbered
    group = exchange.intent.group
    return group is not None, position if group is None else group


def _is_uuid(key: str) -> bool:
    try:
        return str(uuid.UUID(key)) == key.lower()
    except ValueError:
        return False


def _substitution(chance: Random) -> dict[int, int]:
    """A letter for each letter, the same in both cases, and a digit for each digit."""
    letters = string.ascii_lowercase
    shuffled = "".join(chance.sample(letters, k=len(letters)))
    digits = "".join(chance.sample(string.digits, k=10))
    return str.maketrans(letters + letters.upper() + string.digits, shuffled + shuffled.upper() + digits)


def smaller_bodies(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The body with one thing less: a member of an array or a property left out, the outermost first."""
    for name, value in body.items():
        yield {other: inner for other, inner in body.items() if other != name}
        for inner in _smaller(value):
            yield {**body, name: inner}


def _smaller(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        if len(value) > 1:
            yield value[: len(value) // 2]
            yield value[len(value) // 2 :]
        for index, member in enumerate(value):
            for inner in _smaller(member):
                yield [*value[:index], inner, *value[index + 1 :]]
    elif isinstance(value, dict):
        yield from smaller_bodies(value)
    elif isinstance(value, str) and len(value) > 1:
        yield value[: len(value) // 2]
        yield value[len(value) // 2 :]
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) > 1:
        yield 1
        yield value // 2
