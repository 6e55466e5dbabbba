"""When a rule was made and when it was last updated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rules_harness.harness.exchange import Episode
from rules_harness.harness.judging.checks.common import changed_fields, executed, run_by, short, state_of
from rules_harness.harness.judging.equality import instant, same_instant
from rules_harness.harness.judging.outcome import Judgement, Kept, Violation
from rules_harness.openapi.contract import Contract

GRANULE_SECONDS = 1.0
FINE_GRANULE_SECONDS = 0.05
"""How long an update time with milliseconds may take to advance: the coarsest clock tick in use, with a margin."""
TENTH = 100_000
"""Microseconds: times that are all multiples of it may be of a clock that tells no less."""


def created_at_kept(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """An update does not change created_at."""
    name = contract.names.created_at
    known = {rule: state.get(name) for rule, state in episode.facts.before.items()}
    for position, rule, state in _states(episode, contract):
        made = state.get(name)
        if instant(made) is None:
            continue
        if known.get(rule) is not None:
            if same_instant(known[rule], made):
                yield Kept("update.created-at-kept")
            else:
                yield Violation(
                    "update.created-at-kept",
                    f"/{name}",
                    "changed",
                    f"{name} {short(known[rule])}",
                    short(made),
                    (position,),
                )
        known[rule] = made


def updated_at(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """updated_at never goes back, is not before created_at, and advances when a changed body executes at least one
    granule (as observed, up to a second) later."""
    names = contract.names
    last: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for position, exchange, answer in executed(episode):
        rule, state = exchange.intent.rule, answer.part(contract.names.data)
        now, made = instant(state.get(names.updated_at)), instant(state.get(names.created_at))
        if now is None:
            continue
        problem = "before created_at" if made is not None and now < made else ""
        if rule in last:
            problem = problem or _not_advanced(contract, episode, last[rule], (position, state))
        if problem:
            yield Violation(
                "update.updated-at",
                f"/{names.updated_at}",
                problem,
                f"{names.updated_at} advances with each executed update",
                f"{short(state.get(names.updated_at))} {problem}",
                (last[rule][0], position) if rule in last else (position,),
            )
        else:
            yield Kept("update.updated-at")
        last[rule] = (position, state)


def _not_advanced(
    contract: Contract,
    episode: Episode,
    earlier: tuple[int, Mapping[str, Any]],
    later: tuple[int, Mapping[str, Any]],
) -> str:
    """What is wrong with the update time of a later state, if anything."""
    name = contract.names.updated_at
    waited = episode.exchanges[later[0]].started - episode.exchanges[earlier[0]].ended
    before, now = instant(earlier[1].get(name)), instant(later[1].get(name))
    if before is None or now is None or now > before or waited < 0:
        return ""
    if now < before:
        return "goes back"
    fine = 0.1 if now.microsecond % TENTH == 0 else FINE_GRANULE_SECONDS
    granule = fine if now.microsecond else GRANULE_SECONDS
    changed = changed_fields(contract, earlier[1], later[1])
    return "does not advance" if changed and waited > granule else ""


def _states(episode: Episode, contract: Contract) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """The states of rules as executed updates and reads show them, in order."""
    executed_at = {position for position, _, _ in executed(episode)}
    for position, exchange in enumerate(episode.exchanges):
        state = state_of(contract, exchange)
        if state is None and position in executed_at and exchange.answer is not None:
            state = exchange.answer.part(contract.names.data)
        if state and exchange.intent.existence in ("own", "foreign"):
            yield position, exchange.intent.rule, state


CHECKS = run_by(
    ("update.created-at-kept", created_at_kept),
    ("update.updated-at", updated_at),
)
