"""Sends recorded exchanges again: the same requests in the same order, with new keys and with the same preparations.

What the operator did in between is not an exchange; a read that shows a rule enabled, and a repeated key whose window
has passed, tell of it.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from random import Random
from typing import Any, Final

import msgspec

from rules_harness.harness.exchange import Exchange, Payload, Request
from rules_harness.harness.intent import Intent
from rules_harness.harness.judging.equality import instant
from rules_harness.harness.judging.states import sent_body, state_shown
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.key_steps import MARGIN_SECONDS
from rules_harness.harness.scenarios.own_texts import own
from rules_harness.harness.scenarios.planner import COARSE_SECONDS, Planned
from rules_harness.harness.scenarios.unknown_ids import similar_id
from rules_harness.harness.scenarios.unmet import NotEnabled, Unmet
from rules_harness.harness.smaller.recording import Recording
from rules_harness.harness.target.cleaning import named_in
from rules_harness.strategies.accounts import accounts_in
from rules_harness.strategies.idempotency_keys import form_of
from rules_harness.strategies.requests import odd_ids
from rules_harness.strategies.scalars import instant_text

DISABLED: Final = "disabled again"
_PAUSE: Final = 0.5
"""A gap of so many seconds between two requests was meant, or does no harm."""
_NO_RULE: Final = frozenset({400, 404, 410, 414, 422})
"""What a target answers to a read where there is no rule."""
_FAR: Final = timedelta(days=11 * 366)
_DATE: Final = re.compile(rb'"(\d{4}-\d\d-\d\d[Tt][0-9:.]+(?:[Zz]|[+-]\d\d:\d\d))"')


def resend(bench: Bench, recording: Recording, rules: Mapping[str, str]) -> tuple[int, ...]:
    """Send a recording on a bench; ``rules`` says which rule takes the place of which recorded one.

    Returns where each recorded exchange stands among those of the bench: preparations stand in between.  Raises
    `Unmet` and `HookFailed` where the target cannot be prepared.
    """
    resending = _Resending(bench, recording, rules)
    resending.send()
    return tuple(resending.positions)


class _Resending:
    def __init__(self, bench: Bench, recording: Recording, rules: Mapping[str, str]) -> None:
        self._bench = bench
        strange = bench.shared.guard.is_distrustful
        self._recording = _with_new_ids(bench, recording) if strange else recording
        self._rules = rules
        self._moved = {rule: here for rule, here in rules.items() if rule != here}
        self._keys: dict[str, str] = {}
        self._uuids: dict[str, str] = {}
        """Those of them that are UUIDs, in lower case."""
        # Not from the bench's own chance, which is the same in every run: such a key would be used up.
        self._substitution = _substitution(Random(bench.new_key()))
        self._clock = 0.0
        self._used_at: dict[str, float] = {}
        self._status: dict[str, Any] = {}
        self.positions: list[int] = []

    def send(self) -> None:
        bench, recording = self._bench, self._recording
        names = bench.names
        own = {rule: here for rule in recording.rules if (here := self._rules.get(rule, rule)) in bench.rules}
        if bench.shared.guard.is_distrustful:
            self._look()
        if own:
            bench.begin_anew(*own.values())
        for rule, here in own.items():
            self._disable(here)
            self._status[rule] = names.disabled
        for rule, state in recording.before.items():
            self._status[rule] = state.get(names.status)
            if self._status[rule] == names.enabled and rule in recording.rules:
                self._enable(rule)
        ended = recording.exchanges[0].started if recording.exchanges else 0.0
        for _, members in groupby(enumerate(recording.exchanges), key=_together):
            exchanges = [exchange for _, exchange in members]
            self._pause(exchanges[0].started - ended)
            ended = max(exchange.ended for exchange in exchanges)
            if len(exchanges) == 1:
                self._send_one(exchanges[0])
            else:
                self._send_together(exchanges)

    def _look(self) -> None:
        """See that nothing is written but rules of the profile, and that no key stands where only text should.

        At whatever else is written to, the target must say that there is no rule; no rule has one of our odd ids.
        """
        bench = self._bench
        odd = {id.segment for id in odd_ids(bench.shared.profile.rules.all)}
        for exchange in self._recording.exchanges:
            request, rule = exchange.request, exchange.intent.rule
            keys = named_in(msgspec.to_builtins(request))
            if keys:
                raise Unmet(f"a request holds the key of {', '.join(sorted(keys))} in its text: is this record yours?")
            if rule in self._rules or request.method == "GET" or not bench.shared.guard.is_unlisted(request):
                continue
            if request.target.rpartition("/")[2] in odd:
                bench.shared.guard.believe_vacant(request.target)
                continue
            read = Request(
                "GET", request.target, raw=request.raw, key=bench.key_of(bench.shared.profile.main_credential)
            )
            intent = Intent(purpose="read", operation="read", rule=rule, existence="unknown")
            answer = bench.send(read, intent).answer
            if answer is None or answer.status not in _NO_RULE:
                raise Unmet(
                    f"{request.target} is not in the profile, and the target does not say that it is no "
                    f"{bench.contract.noun}"
                )
            bench.shared.guard.believe_vacant(request.target)

    def _pause(self, seconds: float) -> None:
        """Wait where the first sender waited: a target's times may count whole seconds."""
        if seconds >= _PAUSE:
            self._bench.sleep(min(seconds, COARSE_SECONDS))

    def _send_one(self, exchange: Exchange) -> None:
        intent = exchange.intent
        state = state_shown(self._bench.contract, exchange)
        enabled = self._bench.names.enabled
        if state is not None:
            status = state.get(self._bench.names.status)
            is_wrong = len(self.positions) in self._recording.shown_by
            if status == enabled and not is_wrong and self._status.get(intent.rule, enabled) != enabled:
                self._enable(intent.rule)
            self._status[intent.rule] = status
        if intent.window:
            self._move_clock(exchange)
        planned = self._planned(exchange)
        self.positions.append(len(self._bench.exchanges))
        self._bench.send(*planned)
        self._note_status(exchange)

    def _send_together(self, exchanges: Sequence[Exchange]) -> None:
        if self._bench.width(len(exchanges)) < len(exchanges):
            raise Unmet(f"{len(exchanges)} requests cannot be released together here (limits.in_flight)")
        planned = [self._planned(exchange) for exchange in exchanges]
        first = len(self._bench.exchanges)
        self.positions += range(first, first + len(planned))
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
            body = {**bench.inert(), names.marker: own("Disabled again")}
            bench.update(
                body, rule=rule, caller=bench.owner(rule), purpose="contain", acceptance="open", label=DISABLED
            )
            bench.read(rule)

    def _enable(self, rule: str) -> None:
        here = self._rules.get(rule, rule)
        if not self._bench.enable(here):
            raise NotEnabled(self._bench.contract)
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
        self._check_accounts(exchange)
        if request.key is not None and not self._bench.shared.applicable(request.key):
            raise Unmet(f"the profile has no key of {request.key.key} that can stand there")
        key = None if intent.key is None else self._key(intent.key)
        if intent.key is not None:
            self._used_at.setdefault(intent.key, self._clock)
        name = self._bench.names.idempotency_key.lower()
        headers = tuple(
            (field, self._key(value) if field.lower() == name else self._here(value))
            for field, value in request.headers
        )
        target = self._here(request.target)
        if here != intent.rule and self._bench.contract.update.path_for(here) not in target:
            raise Unmet(
                f"the request spells {intent.rule} in a way that no other {self._bench.contract.noun} can take "
                "the place of"
            )
        sent = Request(request.method, target, headers, self._body(request.body), request.raw, request.key)
        if self._bench.shared.guard.is_distrustful:
            self._bench.shared.guard.check(sent, intent.but(purpose="probe"))
        repeats = None if intent.repeats is None else self.positions[intent.repeats]
        return sent, intent.but(rule=here, key=key, group=None, repeats=repeats)

    def _key(self, key: str) -> str:
        """A new key of the same form; keys that were alike are alike again."""
        if key not in self._keys:
            match form_of(key):
                case "uuid":
                    lower = self._uuids.setdefault(key.lower(), self._bench.new_key())
                    self._keys[key] = lower.upper() if key == key.upper() else _in_the_case_of(key, lower)
                case "text":
                    self._keys[key] = key.translate(self._substitution)
                case "short":
                    self._keys[key] = key
        return self._keys[key]

    def _here(self, text: str) -> str:
        """The text with the rules of this target in place of the recorded ones."""
        if not self._moved:
            return text
        return re.sub("|".join(map(re.escape, self._moved)), lambda match: self._moved[match[0]], text)

    def _body(self, body: Payload | None) -> Payload | None:
        """The body, of the rules of this target, its dates as far ahead as they were."""
        then, now = self._recording.now, self._bench.world.now
        if body is not None and body.text is not None:
            body = Payload(text=self._here(body.text))
        if body is None or then is None or now - then < timedelta(hours=12):
            return body
        shift = timedelta(days=(now - then).days)

        def later(match: re.Match[bytes]) -> bytes:
            moment = instant(match[1].decode("ascii"))
            if moment is None or not then <= moment <= then + _FAR:
                return match[0]
            return f'"{instant_text(moment + shift)}"'.encode("ascii")

        return Payload.of(_DATE.sub(later, body.content))

    def _check_accounts(self, exchange: Exchange) -> None:
        """A body that was plausible where it was recorded need not be so on another target."""
        intent, world = exchange.intent, self._bench.world
        if not self._moved or intent.body != "valid" or intent.acceptance == "open":
            return
        known = {account.id for account in (*world.accounts, *world.foreign_accounts)}
        named = {account.id for account in accounts_in(self._bench.contract, dict(sent_body(exchange)))}
        missing = sorted(str(account) for account in named - known if account is not None)
        if missing:
            raise Unmet(f"a body names accounts that the profile does not list: {', '.join(missing)}")


def _in_the_case_of(model: str, text: str) -> str:
    """The text with its letters in upper case where those of the model are."""
    return "".join(letter.upper() if other.isupper() else letter for other, letter in zip(model, text, strict=True))


def _with_new_ids(bench: Bench, recording: Recording) -> Recording:
    """The recording with other ids in place of those that it says were no rule's: by now they may be one's."""
    chance = Random(bench.new_key())
    path_for = bench.contract.update.path_for
    new: dict[str, str] = {}

    def renamed(exchange: Exchange) -> Exchange:
        rule, request = exchange.intent.rule, exchange.request
        if exchange.intent.existence != "unknown" or request.target != path_for(rule):
            return exchange
        id = new.setdefault(rule, similar_id(rule, chance))
        sent = msgspec.structs.replace(request, target=path_for(id))
        return msgspec.structs.replace(exchange, request=sent, intent=exchange.intent.but(rule=id))

    return msgspec.structs.replace(recording, exchanges=tuple(map(renamed, recording.exchanges)))


def _together(numbered: tuple[int, Exchange]) -> tuple[bool, int]:
    position, exchange = numbered
    group = exchange.intent.group
    return group is not None, position if group is None else group


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
