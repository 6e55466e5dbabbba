"""Full replacement: what was sent is what is there afterwards, all of it and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rules_harness.harness.exchange import Episode, Exchange
from rules_harness.harness.judging.checks.common import (
    BUSY_STATUSES,
    changed_fields,
    described,
    executed,
    kept_or,
    run_by,
    short,
    spans,
    state_of,
    told,
    updates,
)
from rules_harness.harness.judging.equality import (
    Difference,
    differences,
    differences_from_body,
    instant,
    left_behind,
    rule_place,
    same_instant,
)
from rules_harness.harness.judging.histories import sent_body
from rules_harness.harness.judging.outcome import Judgement, Kept, Stored, Violation
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.places import Place, body_place
from rules_harness.strategies.shapes import places_of, standing_of


def _by_requirement(
    contract: Contract, body: Mapping[str, Any], data: Mapping[str, Any]
) -> dict[str, list[Difference]]:
    """The differences between a body and the answer to it, each under the requirement that it breaks."""
    found: dict[str, list[Difference]] = {}
    steps = f"/{contract.names.steps}"
    rearranged = _is_rearranged(body_place(contract), body, data)
    for difference in differences_from_body(contract, body, data):
        if difference.place == f"/{contract.names.status}":
            continue
        in_steps = difference.place.startswith(steps)
        is_structure = difference.kind == "length" and bool(difference.roles & STRUCTURE_ROLES)
        if is_structure or "group-index" in difference.roles or (rearranged and in_steps):
            requirement = "update.steps-replaced"
        elif difference.kind == "not-cleared":
            requirement = "update.omitted-is-cleared"
        elif difference.is_number:
            requirement = "update.amounts-exact"
        else:
            requirement = "update.replaces"
        found.setdefault(requirement, []).append(difference)
    return found


def _is_rearranged(place: Place, sent: Any, got: Any) -> bool:
    """Whether an array somewhere below came back with its entries in another order."""
    if isinstance(sent, dict) and isinstance(got, dict):
        parts = ((part, sent.get(name), got.get(name)) for name, part in place.properties.items())
        return any(_is_rearranged(part, left, right) for part, left, right in parts)
    if not isinstance(sent, list) or not isinstance(got, list) or place.items is None or len(sent) != len(got):
        return False
    items = place.items
    if _is_permutation(items, sent, got):
        return True
    return any(_is_rearranged(items, left, right) for left, right in zip(sent, got, strict=True))


def _is_permutation(items: Place, sent: list[Any], got: list[Any]) -> bool:
    if not any(any(differences(items, left, right)) for left, right in zip(sent, got, strict=True)):
        return False
    unmatched = list(got)
    for value in sent:
        match = next((i for i, other in enumerate(unmatched) if not any(differences(items, value, other))), None)
        if match is None:
            return False
        del unmatched[match]
    return True


STRUCTURE_ROLES = frozenset({"steps", "actions"})
COMPARED = ("update.replaces", "update.omitted-is-cleared", "update.steps-replaced", "update.amounts-exact")


def compares(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """After a success, `data` equals the body: every field sent, every field left out, every step, every amount."""
    known: dict[str, Mapping[str, Any]] = dict(episode.facts.before)
    for position, exchange, answer in executed(episode):
        body, data = sent_body(exchange), answer.part(contract.names.data)
        before = known.get(exchange.intent.rule)
        known[exchange.intent.rule] = data or before or {}
        twice = exchange.intent.reading == "reading.duplicate-names"
        if exchange.intent.body not in ("valid", "open") or twice or not body or not data:
            continue
        by_requirement = _by_requirement(contract, body, data)
        if not by_requirement:
            by_requirement["update.omitted-is-cleared"] = list(left_behind(body_place(contract), body, data, before))
        for requirement in COMPARED:
            found = by_requirement.get(requirement, [])
            if not found:
                yield Kept(requirement)
            for first in {difference.place: difference for difference in reversed(found)}.values():
                yield Violation(
                    requirement,
                    first.place,
                    first.kind,
                    f"{first.place} as it was sent: {short(first.sent)}",
                    told(first),
                    (position,),
                    inferred_place=standing_of(contract, first.place) == "inferred",
                )


def read_back(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """GET gives what the PUT answered."""
    last: dict[str, tuple[int, Mapping[str, Any]] | None] = {}
    ended: dict[str, float] = {}
    executed_at = {position for position, _, _ in executed(episode)}
    for position, exchange in enumerate(episode.exchanges):
        rule = exchange.intent.rule
        state = state_of(contract, exchange)
        if position in executed_at and exchange.answer is not None:
            data = exchange.answer.part(contract.names.data)
            overlaps = exchange.started < ended.get(rule, 0.0)
            last[rule] = (position, data) if data and not overlaps else None
            ended[rule] = max(ended.get(rule, 0.0), exchange.ended)
        elif exchange.intent.operation != "read":
            last[rule] = None
        elif state is not None and (told_before := last.get(rule)) is not None:
            yield _read_back(contract, told_before, position, state)
            last[rule] = None


def _read_back(
    contract: Contract, before: tuple[int, Mapping[str, Any]], position: int, state: Mapping[str, Any]
) -> Judgement:
    names = contract.names
    put, data = before
    elsewhere = {f"/{names.status}", f"/{names.id}", f"/{names.created_at}"}
    changed = [difference for difference in changed_fields(contract, data, state) if difference.place not in elsewhere]
    left, right = instant(data.get(names.updated_at)), instant(state.get(names.updated_at))
    if left is not None and right is not None and not same_instant(data[names.updated_at], state[names.updated_at]):
        changed.append(
            Difference(f"/{names.updated_at}", "changed", data.get(names.updated_at), state.get(names.updated_at))
        )
    if not changed:
        return Kept("update.read-back")
    return Violation(
        "update.read-back",
        changed[0].place,
        changed[0].kind,
        "GET gives what the PUT answered",
        "; ".join(told(difference) for difference in changed[:3]),
        (put, position),
        compares_states=True,
    )


def identity(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """`data.id` is the path's id; a body cannot set id, created_at, organization or another server-owned field."""
    names = contract.names
    for position, exchange, answer in updates(episode):
        intent = exchange.intent
        data = answer.part(contract.names.data)
        if not answer.is_success or not data or intent.existence != "own":
            if intent.requirement == "update.identity" and answer.is_refusal:
                yield Kept("update.identity")
            continue
        if intent.repeats is None:
            yield kept_or(
                data.get(names.id) == intent.rule,
                "update.identity",
                position,
                exchange,
                place=f"/{names.id}",
                kind="another id",
                expected=f"{names.id} {short(intent.rule)}",
                actual=short(data.get(names.id)),
            )
        if intent.requirement == "update.identity":
            yield from _taken_over(episode, contract, position, exchange, data)
            yield from _moved_away(episode, contract, position, exchange)


def _taken_over(
    episode: Episode, contract: Contract, position: int, exchange: Exchange, data: Mapping[str, Any]
) -> Iterator[Judgement]:
    """Server-owned fields of the body that the rule shows afterwards."""
    before = episode.facts.before.get(exchange.intent.rule, {})
    body = sent_body(exchange)
    known = body_place(contract).properties
    later = [state for e in episode.exchanges[position + 1 :] if (state := state_of(contract, e)) is not None]
    for name in sorted(set(body) - set(known)):
        shown = [state for state in (data, *later[:1]) if _same_value(state.get(name), body[name])]
        is_its_own = name in rule_place(contract).properties or name in before
        if shown and is_its_own and not _same_value(before.get(name), body[name]):
            yield Violation(
                "update.identity",
                f"/{name}",
                "taken from the body",
                f"{name} as the server made it",
                f"{name} is {short(body[name])}, as the body said",
                (position,),
            )
        else:
            yield Kept("update.identity", f"/{name}")


def _moved_away(episode: Episode, contract: Contract, position: int, exchange: Exchange) -> Iterator[Judgement]:
    """A rule that its own organization no longer finds after an update that named a server-owned field."""
    following = episode.exchanges[position + 1 : position + 2]
    gone = [e for e in following if e.intent.operation == "read" and e.answer is not None and e.answer.is_refusal]
    if gone and gone[0].answer is not None and episode.facts.before.get(exchange.intent.rule):
        yield Violation(
            "update.identity",
            exchange.intent.place,
            "the rule is gone",
            "the rule stays where it was",
            "reading it afterwards: " + described(contract, gone[0].answer),
            (position, position + 1),
        )


def _same_value(left: Any, right: Any) -> bool:
    return left is not None and (left == right or same_instant(left, right))


def isolated(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """No other rule changes."""
    written = [(position, exchange.intent.rule) for position, exchange, _ in executed(episode)]
    for span in spans(episode, contract):
        others = [position for position, rule in written if position < span.read_at and rule != span.rule]
        if span.between or not others:
            continue
        changed = changed_fields(contract, span.before, span.after)
        if not changed:
            yield Kept("update.isolated")
        else:
            yield Violation(
                "update.isolated",
                "another rule",
                "changed",
                "a rule that nothing was sent to stays as it was",
                "; ".join(told(difference) for difference in changed[:3]),
                (others[-1], span.read_at),
                compares_states=True,
            )


def repeatable(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """The same body sent twice without a key leaves the same rule, updated_at aside."""
    previous: Exchange | None = None
    for position, exchange, answer in updates(episode):
        if exchange.intent.requirement != "update.repeatable":
            continue
        if previous is not None and previous.answer is not None and previous.answer.is_success:
            changed = changed_fields(
                contract, previous.answer.part(contract.names.data), answer.part(contract.names.data)
            )
            yield kept_or(
                answer.is_success and not changed,
                "update.repeatable",
                position,
                exchange,
                kind="another rule the second time" if answer.is_success else f"answered {answer.status}",
                expected="the same rule as the first time",
                actual="; ".join(told(d) for d in changed[:3]) if answer.is_success else described(contract, answer),
            )
        previous = exchange


def documented_example(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """The page's example body is accepted, with accounts and start_date substituted."""
    yield from _accepted(episode, contract, "update.documented-example")


def accepts_valid(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A plausible body is accepted."""
    yield from _accepted(episode, contract, "update.accepts-valid")


def _accepted(episode: Episode, contract: Contract, requirement: str) -> Iterator[Judgement]:
    for position, exchange, answer in updates(episode):
        intent = exchange.intent
        if intent.requirement != requirement or intent.acceptance == "open" or answer.status in BUSY_STATUSES:
            continue
        if answer.is_success:
            yield Kept(requirement)
        elif answer.is_refusal:
            firm = intent.acceptance == "must"
            yield Violation(
                requirement,
                "the page's example, varied" if firm else "a plausible body",
                f"answered {answer.status}",
                "200",
                described(contract, answer),
                (position,),
                level="must" if firm else "should",
                unless_unstored=() if firm else intent.shapes,
            )


def stored_places(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Which places the target accepts, stores and gives back."""
    for _, exchange, answer in executed(episode):
        body, data = sent_body(exchange), answer.part(contract.names.data)
        if exchange.intent.body == "valid" and body and data:
            given_back = places_of(contract, body) & places_of(contract, data)
            yield Stored((*sorted(given_back), *exchange.intent.shapes))


CHECKS = run_by(
    (COMPARED, compares),
    ("update.read-back", read_back),
    ("update.identity", identity),
    ("update.isolated", isolated),
    ("update.repeatable", repeatable),
    ("update.documented-example", documented_example),
    ("update.accepts-valid", accepts_valid),
    ((), stored_places),
)
