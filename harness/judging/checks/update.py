"""An update reaches the rule that it was sent to, and no other; and what is plausible is accepted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rules_harness.harness.exchange import Episode, Exchange
from rules_harness.harness.judging.checks.common import (
    Span,
    changed_fields,
    described,
    executed,
    is_gone,
    kept_or,
    run_by,
    short,
    spans,
    state_of,
    told,
    updates,
    where,
)
from rules_harness.harness.judging.equality import (
    Difference,
    instant,
    rule_place,
    same_instant,
)
from rules_harness.harness.judging.outcome import Judgement, Kept, Violation, finding_id
from rules_harness.harness.judging.states import sent_body
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.places import body_place

GONE = (403, 404, 410)
"""How a read is refused of a rule that its own organization has no more."""


def read_back(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """GET gives what the PUT answered."""
    last: dict[str, tuple[int, Mapping[str, Any]] | None] = {}
    known = set(episode.facts.before)
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
            yield _read_back(contract, told_before, position, state, rule)
            last[rule] = None
        elif is_gone(contract, exchange) and (told_before := last.get(rule)) is not None and rule in known:
            yield _read_in_vain(episode, contract, told_before[0], position)
            last[rule] = None
        if state is not None:
            known.add(rule)


def _read_in_vain(episode: Episode, contract: Contract, put: int, position: int) -> Violation:
    """A rule that could be read before an update, and that nobody finds after it."""
    answer = episode.exchanges[position].answer
    place, kind = episode.exchanges[put].intent.place, f"the {contract.noun} is gone"
    return Violation(
        "update.read-back",
        place or "read",
        kind,
        "GET gives what the PUT answered",
        "reading it afterwards: " + ("" if answer is None else described(contract, answer)),
        (put, position),
        compares_states=True,
        explained_by=(finding_id("update.identity", place, kind),),
    )


def _read_back(
    contract: Contract, before: tuple[int, Mapping[str, Any]], position: int, state: Mapping[str, Any], rule: str
) -> Judgement:
    names = contract.names
    put, data = before
    elsewhere = {f"/{names.status}", f"/{names.created_at}"}
    if data.get(names.id) != rule:
        elsewhere.add(f"/{names.id}")  # `update.identity` has it
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
    """`data.id` is the path's id; a body cannot set id, created_at, organization or another server-owned field; no id
    in a body, a query or a header (another writable rule's, say) makes the update fall on that rule."""
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
            yield from _fell_elsewhere(episode, contract, position, exchange)


def _taken_over(
    episode: Episode, contract: Contract, position: int, exchange: Exchange, data: Mapping[str, Any]
) -> Iterator[Judgement]:
    """Server-owned fields of the body that the rule shows afterwards."""
    before = episode.facts.before.get(exchange.intent.rule, {})
    body = sent_body(exchange)
    known = body_place(contract).properties
    following = (e for e in episode.exchanges[position + 1 :] if e.intent.rule == exchange.intent.rule)
    later = [state for e in following if (state := state_of(contract, e)) is not None]
    for name in sorted(set(body) - set(known)):
        taken = [state for state in (data, *later[:1]) if _same_value(state.get(name), body[name])]
        is_its_own = name in rule_place(contract).properties or name in before
        if taken and is_its_own and not _same_value(before.get(name), body[name]):
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
    gone = [e for e in following if e.intent.operation == "read" and e.answer is not None and e.answer.status in GONE]
    if gone and gone[0].answer is not None and episode.facts.before.get(exchange.intent.rule):
        yield Violation(
            "update.identity",
            exchange.intent.place,
            f"the {contract.noun} is gone",
            f"the {contract.noun} stays where it was",
            "reading it afterwards: " + described(contract, gone[0].answer),
            (position, position + 1),
        )


def _fell_elsewhere(episode: Episode, contract: Contract, position: int, exchange: Exchange) -> Iterator[Judgement]:
    """Another rule that changed, though nothing was sent to it but an id in this request."""
    later: dict[str, Span] = {}
    for span in spans(episode, contract):
        if span.rule != exchange.intent.rule and span.read_at > position:
            later.setdefault(span.rule, span)
    for span in later.values():
        if span.between:
            continue
        changed = changed_fields(contract, span.before, span.after)
        if not changed:
            yield Kept("update.identity")
        else:
            yield Violation(
                "update.identity",
                where(exchange),
                f"fell on another {contract.noun}",
                f"the {contract.noun} of the path is updated, and no other",
                "; ".join(told(difference) for difference in changed[:3]),
                (position, span.read_at),
                compares_states=True,
            )


def _same_value(left: Any, right: Any) -> bool:
    return left is not None and (left == right or same_instant(left, right))


def isolated(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """No other rule changes."""
    written = [(position, exchange.intent.rule) for position, exchange, _ in executed(episode)]
    for span in spans(episode, contract):
        others = [
            position for position, rule in written if span.known_at < position < span.read_at and rule != span.rule
        ]
        if span.between or not others:
            continue
        changed = changed_fields(contract, span.before, span.after)
        if not changed:
            yield Kept("update.isolated")
        else:
            yield Violation(
                "update.isolated",
                f"another {contract.noun}",
                "changed",
                f"{contract.noun.with_article} that nothing was sent to stays as it was",
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
                kind=f"another {contract.noun} the second time" if answer.is_success else f"answered {answer.status}",
                expected=f"the same {contract.noun} as the first time",
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
        if intent.requirement != requirement or intent.acceptance == "open":
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
                features=intent.shapes,
            )


CHECKS = run_by(
    ("update.read-back", read_back),
    ("update.identity", identity),
    ("update.isolated", isolated),
    ("update.repeatable", repeatable),
    ("update.documented-example", documented_example),
    ("update.accepts-valid", accepts_valid),
)
