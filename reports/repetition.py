"""What must be done, in order, to see a finding again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rules_harness.harness.exchange import Exchange, Payload, Request
from rules_harness.harness.judging.decisive import Basis
from rules_harness.openapi.contract import Contract
from rules_harness.reports.model import Shown, Step
from rules_harness.strategies.keys import KeyReference


def steps(contract: Contract, basis: Basis, episode: Sequence[Shown], before: Mapping[str, Any]) -> Iterator[Step]:
    """The steps to see again what rests on these exchanges; ``before`` are the rules as they were found.

    That its owner enabled a rule is no request of the episode; a read that shows it enabled, and is not itself the
    finding, tells of it.
    """
    needed = [episode[position] for position in basis.positions]
    if basis.compares_states:
        yield from _given(contract, episode, needed, before)
    enabled: set[str] = set()
    if not basis.is_alone:
        rules = {shown.exchange.intent.rule for shown in needed}
        enabled = {rule for rule, state in before.items() if rule in rules and _is_enabled(contract, state)}
    yield from (Step(enable=rule) for rule in sorted(enabled))
    for together in _groups(needed):
        intent = together[0].exchange.intent
        if not together[0].is_proof and intent.rule not in enabled and shows_enabled(contract, together[0].exchange):
            enabled.add(intent.rule)
            yield Step(enable=intent.rule)
        if intent.operation == "update":
            enabled.discard(intent.rule)
        yield Step(positions=tuple(shown.position for shown in together))


def _given(
    contract: Contract, episode: Sequence[Shown], needed: Sequence[Shown], before: Mapping[str, Any]
) -> Iterator[Step]:
    """Updates that make each rule what it was before the first request that is sent to it."""
    first: dict[str, int] = {}
    for shown in needed:
        first.setdefault(shown.exchange.intent.rule, shown.position)
    for rule, position in first.items():
        known = [
            _data(contract, earlier.exchange) for earlier in episode[:position] if earlier.exchange.intent.rule == rule
        ]
        state = next((state for state in reversed(known) if state), before.get(rule))
        if isinstance(state, dict):
            yield Step(given=_update(contract, rule, state, _writer(episode, rule)))


def _writer(episode: Sequence[Shown], rule: str) -> str:
    """The credential that may update a rule, as far as the episode shows it."""
    intents = [shown.exchange.intent for shown in episode]
    callers = [intent.caller for intent in intents if intent.rule == rule and intent.access == "allowed"]
    return next((caller for caller in callers if caller.isidentifier()), "full")


def _update(contract: Contract, rule: str, state: Mapping[str, Any], caller: str) -> Request:
    names = contract.names
    fields = contract.resolve(contract.body_schema).get("properties", {})
    body = {name: state[name] for name in fields if name in state} | {names.status: names.disabled}
    return Request(
        contract.update.method,
        contract.update.path_for(rule),
        (("Content-Type", "application/json"),),
        Payload(text=json.dumps(body)),
        key=KeyReference(caller, names.authorization, f"{names.auth_scheme} "),
    )


def _groups(exchanges: Sequence[Shown]) -> Iterator[list[Shown]]:
    """The exchanges one by one, those that went out together as one."""
    for _, members in groupby(exchanges, key=_together):
        yield list(members)


def _together(shown: Shown) -> tuple[bool, int]:
    """Equal for exchanges that went out together, else another one for each."""
    group = shown.exchange.intent.group
    return group is not None, shown.position if group is None else group


def shows_enabled(contract: Contract, exchange: Exchange) -> bool:
    """Whether a read shows its rule enabled."""
    return exchange.intent.operation == "read" and _is_enabled(contract, _data(contract, exchange))


def _data(contract: Contract, exchange: Exchange) -> dict[str, Any]:
    """The rule that a success carries."""
    answer = exchange.answer
    return answer.part(contract.names.data) if answer is not None and answer.is_success else {}


def _is_enabled(contract: Contract, state: Mapping[str, Any]) -> bool:
    return bool(state.get(contract.names.status) == contract.names.enabled)
