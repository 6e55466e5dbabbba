"""What is to be sent again: recorded exchanges, and how their rules stood before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from rules_harness.harness.exchange import Episode, Exchange, Payload, only
from rules_harness.harness.intent import Intent
from rules_harness.harness.scenarios.planner import encode
from rules_harness.harness.target.safety import configuration
from rules_harness.openapi.contract import Contract


class Recording(msgspec.Struct, frozen=True):
    """Exchanges to send again, how their rules stood before, and the present time of the run that recorded them.

    ``shown_by`` are the positions of those that show what is wrong: that such a read shows a rule enabled says nothing
    of the operator.
    """

    exchanges: tuple[Exchange, ...]
    before: dict[str, Any] = {}
    now: datetime | None = None
    shown_by: tuple[int, ...] = ()

    @classmethod
    def of(cls, episode: Episode) -> Recording:
        return cls(episode.exchanges, episode.facts.before)

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that are written, in the order of their first use."""
        own = (exchange.intent.rule for exchange in self.exchanges if exchange.intent.existence in ("own", "foreign"))
        return tuple(dict.fromkeys(own))

    def after(self, first: Sequence[Exchange]) -> Recording:
        """The recording with these exchanges ahead of its own."""
        count = len(first)

        def moved(exchange: Exchange) -> Exchange:
            repeats = exchange.intent.repeats
            intent = exchange.intent if repeats is None else exchange.intent.but(repeats=repeats + count)
            return msgspec.structs.replace(exchange, intent=intent)

        exchanges = (*first, *map(moved, self.exchanges))
        shown_by = tuple(position + count for position in self.shown_by)
        return msgspec.structs.replace(self, exchanges=exchanges, shown_by=shown_by)

    def only(self, positions: Iterable[int]) -> Recording | None:
        """The recording with these exchanges alone; ``None`` where one of them repeats another that is missing."""
        numbers = {position: number for number, position in enumerate(sorted(set(positions)))}
        kept = only(self.exchanges, numbers)
        shown_by = tuple(numbers[position] for position in self.shown_by if position in numbers)
        return None if kept is None else msgspec.structs.replace(self, exchanges=kept, shown_by=shown_by)


def as_it_stood(contract: Contract, recording: Recording) -> Recording | None:
    """The recording with each rule first written as it stood before; ``None`` where it does not tell how."""
    setups = []
    for rule, state in recording.before.items():
        path = contract.update.path_for(rule)
        model = next((exchange for exchange in recording.exchanges if _is_plain_update(exchange, rule, path)), None)
        if model is None:
            continue
        name = contract.names.idempotency_key.lower()
        headers = tuple(pair for pair in model.request.headers if pair[0].lower() != name)
        body = Payload.of(encode(configuration(contract, state)))
        request = msgspec.structs.replace(model.request, headers=headers, body=body)
        intent = Intent(
            purpose="setup",
            caller=model.intent.caller,
            rule=rule,
            existence=model.intent.existence,
            body="valid",
            acceptance="open",
            label="as it stood before",
        )
        first = recording.exchanges[0].started
        setups.append(Exchange(request, model.outcome, intent, first, first))
    return recording.after(setups) if setups else None


def _is_plain_update(exchange: Exchange, rule: str, path: str) -> bool:
    """Whether an exchange is an ordinary update of a rule, by somebody who may."""
    intent = exchange.intent
    is_plain = (intent.operation, intent.access) == ("update", "allowed") and intent.body in ("valid", "open")
    return is_plain and (intent.rule, exchange.request.target) == (rule, path)
