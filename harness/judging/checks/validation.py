"""What is wrong is refused, whole, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from rules_harness.harness.exchange import Answer, Episode, Exchange, TransportFault, parsed
from rules_harness.harness.judging.checks.common import (
    BODY_DEFECTS,
    EDGE_STATUSES,
    described,
    is_disguised,
    kept_or,
    run_by,
    texts_in,
    told,
    unchanged,
    updates,
)
from rules_harness.harness.judging.equality import differences_from_body
from rules_harness.harness.judging.outcome import Judgement, Kept, Violation
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.accounts import ACCOUNT_IDS
from rules_harness.strategies.places import below, body_place

ACCOUNT_ROLES = ACCOUNT_IDS | {"account-ref"}
FOR_ACCOUNTS = frozenset({403, 404})
REFUSALS = {"size": {400, 413, 422}, "media-type": {400, 415, 422}, "foreign-account": {400, 403, 404, 422}}


def required(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Each required field missing: refused."""
    yield from _refuses(episode, contract, "validation.required")


def wrong_type(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Each field with each wrong JSON type, numeric strings and booleans for integers included: refused."""
    yield from _refuses(episode, contract, "validation.type")


def enum(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Unknown status, trigger type, action type and every other enumerated value: refused."""
    yield from _refuses(episode, contract, "validation.enum")


def bounds(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Negative and fractional cents, too large amounts, percentages outside 0–100, malformed or impossible dates:
    refused."""
    yield from _refuses(episode, contract, "validation.bounds")


def syntax(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Malformed JSON, an empty body, a body that is not an object, NaN: refused."""
    yield from _refuses(episode, contract, "validation.syntax")


def media_type(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Other content types: 415, 400 or 422, not processed as JSON."""
    yield from _refuses(episode, contract, "validation.media-type")


def encoding(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Invalid UTF-8, BOM, UTF-16, lone surrogate escapes: refused, or stored unaltered."""
    for position, exchange, answer in updates(episode):
        if exchange.intent.requirement != "validation.encoding":
            continue
        if answer.is_refusal:
            yield Kept("validation.encoding")
        elif answer.is_success:
            altered = _altered(contract, exchange, answer)
            yield kept_or(
                altered is None,
                "validation.encoding",
                position,
                exchange,
                kind="stored altered",
                expected="a refusal, or the body stored unaltered",
                actual=altered or "",
            )


def _refuses(episode: Episode, contract: Contract, requirement: str) -> Iterator[Judgement]:
    """Judges that every body made to break one requirement is refused."""
    for position, exchange, answer in updates(episode):
        intent = exchange.intent
        if intent.requirement != requirement or intent.access != "allowed":
            continue
        if answer.is_refusal or is_disguised(contract, answer):
            yield Kept(requirement, intent.place)
        elif answer.is_success:
            yield Violation(
                requirement,
                intent.place or intent.label,
                f"{intent.violation or intent.label} accepted",
                "a refusal",
                f"{described(contract, answer)}, to {intent.label}" if intent.label else described(contract, answer),
                (position,),
                level=None if intent.level == "must" else "should",
                inferred_place=intent.standing == "inferred",
            )


def _altered(contract: Contract, exchange: Exchange, answer: Answer) -> str | None:
    """How an accepted body of an odd encoding was altered; ``None`` where it was not."""
    if exchange.request.body is None:
        return None
    body = parsed(exchange.request.body)
    if body is None:
        return "the body is not text in any Unicode encoding, and was stored"
    if not isinstance(body, dict):
        return "the body is not an object, and was stored"
    status = f"/{contract.names.status}"
    changed = [
        difference
        for difference in differences_from_body(contract, body, answer.part(contract.names.data))
        if difference.place != status
    ]
    return told(changed[0]) if changed else None


def size(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Deep nesting, megabyte strings, a thousand steps: a success or a 4xx, never a 5xx or a hang."""
    for position, exchange in enumerate(episode.exchanges):
        if exchange.intent.requirement != "validation.size":
            continue
        outcome = exchange.outcome
        if isinstance(outcome, TransportFault) or outcome.is_put_off:
            continue
        yield kept_or(
            outcome.is_success or outcome.is_refusal,
            "validation.size",
            position,
            exchange,
            kind=f"answered {outcome.status}",
            expected="a success or a 4xx",
            actual=described(contract, outcome),
        )


def atomic(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A refused body changes nothing."""
    yield from unchanged(episode, contract, "validation.atomic", _is_refused)


def _is_refused(exchange: Exchange, answer: Answer) -> bool:
    intent = exchange.intent
    refused = answer.is_refusal and intent.access == "allowed" and intent.body != "none"
    is_new = intent.repeats is None or (intent.purpose == "replay" and intent.body in BODY_DEFECTS)
    return refused and intent.operation == "update" and is_new


def status(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """The refusal is 400 or 422 (413 for size, 415 for media type; 403 or 404 where the body names an account that is
    not there, whatever else is broken in it) in the error envelope."""
    for position, exchange, answer in updates(episode):
        intent = exchange.intent
        if intent.access != "allowed" or intent.existence != "own" or intent.body not in BODY_DEFECTS:
            continue
        if intent.repeats is not None:
            continue
        refused = answer.is_refusal or is_disguised(contract, answer)
        if not refused or answer.status in EDGE_STATUSES - {413}:
            continue
        allowed = REFUSALS.get(intent.body, {400, 422})
        if answer.status in FOR_ACCOUNTS and _may_name_no_account(contract, episode, exchange):
            allowed = allowed | FOR_ACCOUNTS
        yield (
            Kept("validation.status")
            if answer.status in allowed
            else Violation(
                "validation.status",
                f"{intent.body} body",
                f"answered {answer.status}",
                " or ".join(str(value) for value in sorted(allowed)),
                described(contract, answer),
                (position,),
            )
        )


def _may_name_no_account(contract: Contract, episode: Episode, exchange: Exchange) -> bool:
    """Whether a body names an account that is not there, or none where one belongs, as far as that is known."""
    if exchange.intent.place in account_places(contract):
        return True
    body = parsed(exchange.request.body) if exchange.request.body is not None else None
    named = set(_named(body, account_names(contract))) - {None}
    known = {text for state in episode.facts.before.values() for _, text in texts_in(state)}
    return bool(named) if not episode.facts.accounts else not named <= {*episode.facts.accounts, *known}


def _named(value: Any, names: frozenset[str]) -> Iterator[Any]:
    """What stands under these names, however deep, and whatever is wrong around it."""
    if isinstance(value, list):
        for inner in value:
            yield from _named(inner, names)
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in names and not isinstance(inner, dict | list):
                yield inner
            else:
                yield from _named(inner, names)


@lru_cache(maxsize=16)
def account_places(contract: Contract) -> frozenset[str]:
    """The places that name an account: what is wrong there may read as an account that is not there."""
    return frozenset(place.name for place in below(body_place(contract)) if any(map(place.offers, ACCOUNT_ROLES)))


@lru_cache(maxsize=16)
def account_names(contract: Contract) -> frozenset[str]:
    """The names of the fields that hold the id of an account."""
    places = (place for place in below(body_place(contract)) if any(map(place.offers, ACCOUNT_IDS)))
    return frozenset(place.path.rpartition("/")[2] for place in places)


CHECKS = run_by(
    ("validation.required", required),
    ("validation.type", wrong_type),
    ("validation.enum", enum),
    ("validation.bounds", bounds),
    ("validation.syntax", syntax),
    ("validation.media-type", media_type),
    ("validation.encoding", encoding),
    ("validation.size", size),
    ("validation.atomic", atomic),
    ("validation.status", status),
)
