"""What must be done, in order, to see a finding again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from harness.exchange import Exchange
from openapi.contract import Contract
from reports.expected import EXPECTATIONS
from reports.model import Shown, Step


def steps(contract: Contract, requirement: str, episode: Sequence[Shown], before: Mapping[str, Any]) -> Iterator[Step]:
    """The steps to see a finding against a requirement; ``before`` are the rules as they were found.

    That its owner enabled a rule is no request of the episode; a read that shows it enabled, and is not itself the
    finding, tells of it.
    """
    needed = _needed(requirement, episode)
    rules = {shown.exchange.intent.rule for shown in needed}
    enabled = {rule for rule, state in before.items() if rule in rules and _is_enabled(contract, state)}
    yield from (Step(enable=rule) for rule in sorted(enabled))
    for together in _groups(needed):
        intent = together[0].exchange.intent
        if not together[0].is_proof and intent.rule not in enabled and _shows_enabled(contract, together[0].exchange):
            enabled.add(intent.rule)
            yield Step(enable=intent.rule)
        if intent.operation == "update":
            enabled.discard(intent.rule)
        yield Step(positions=tuple(shown.position for shown in together))


def _needed(requirement: str, episode: Sequence[Shown]) -> list[Shown]:
    """The exchanges that must be sent: those that show it and, unless each does by itself, all before them."""
    expectation = EXPECTATIONS.get(requirement)
    proof = [shown.position for shown in episode if shown.is_proof]
    replays = any(episode[position].exchange.intent.repeats is not None for position in proof)
    if expectation is not None and expectation.is_single and not replays:
        return [shown for shown in episode if shown.is_proof]
    return [shown for shown in episode if shown.position <= max(proof, default=-1)]


def _groups(exchanges: Sequence[Shown]) -> Iterator[list[Shown]]:
    """The exchanges one by one, those that went out together as one."""
    for _, members in groupby(exchanges, key=_together):
        yield list(members)


def _together(shown: Shown) -> tuple[bool, int]:
    """Equal for exchanges that went out together, else another one for each."""
    group = shown.exchange.intent.group
    return group is not None, shown.position if group is None else group


def _shows_enabled(contract: Contract, exchange: Exchange) -> bool:
    answer = exchange.answer
    if exchange.intent.operation != "read" or answer is None or not answer.is_success:
        return False
    return _is_enabled(contract, answer.object().get(contract.names.data))


def _is_enabled(contract: Contract, state: Any) -> bool:
    return isinstance(state, dict) and state.get(contract.names.status) == contract.names.enabled
