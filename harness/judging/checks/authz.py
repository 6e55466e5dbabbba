"""403: a valid key does what it was given, on the rules it was given, in its own organization."""

from __future__ import annotations

from collections.abc import Iterator

from rules_harness.harness.exchange import Answer, Episode, Exchange
from rules_harness.harness.judging.checks.common import (
    described,
    kept_or,
    leads_elsewhere,
    run_by,
    spans,
    texts_in,
    unchanged,
    updates,
)
from rules_harness.harness.judging.outcome import Judgement, Kept, Seen, Violation
from rules_harness.openapi.contract import Contract


def scope(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A valid key without the update permission: 403. A documented scope, alone, is not that permission."""
    yield from _answers(episode, contract, "authz.scope", "no-permission", {403})


def resource(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A key whose resources do not include this rule: 403; for a rule they include, the same key succeeds."""
    yield from _answers(episode, contract, "authz.resource", "outside-resources", {403})
    for position, exchange, answer in updates(episode):
        intent = exchange.intent
        if intent.requirement == "authz.resource" and intent.access == "allowed":
            yield kept_or(
                answer.is_success,
                "authz.resource",
                position,
                exchange,
                kind=f"own {contract.noun} answered {answer.status}",
                expected="200",
                actual=described(contract, answer),
            )


def organization(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A key of another organization never updates this rule (403 or 404: reading)."""
    yield from _answers(episode, contract, "authz.organization", "other-organization", {403, 404})


def other_organization(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Which status has an update of another organization's rule?"""
    for position, exchange, answer in updates(episode):
        is_foreign = exchange.intent.access == "other-organization"
        if is_foreign and answer.status in (403, 404) and not leads_elsewhere(contract, exchange, answer):
            yield Seen("reading.other-organization", str(answer.status), exchange.intent.label, (position,))


def foreign_account(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A body that names another organization's account is refused, and never stored. An account that the profile lists
    as ours, or that our own rules name, is ours, whoever else names it."""
    ours = _named_by_our_rules(episode)
    for position, exchange, answer in updates(episode):
        if exchange.intent.body == "foreign-account" and answer.status < 500 and _foreign([exchange]) - ours:
            yield kept_or(
                answer.is_refusal,
                "authz.foreign-account",
                position,
                exchange,
                kind=f"answered {answer.status}",
                expected="a refusal",
                actual=described(contract, answer),
            )
    for span in spans(episode, contract):
        sent = [episode.exchanges[position] for position in span.between]
        naming = [exchange for exchange in sent if exchange.intent.body == "foreign-account"]
        # One that was accepted is a finding already; what it stored is the same one.
        if not naming or any(exchange.answer is not None and exchange.answer.is_success for exchange in naming):
            continue
        foreign = _foreign(naming) - ours
        if not foreign:
            continue
        # What stood there before was put there by an earlier request, and is judged there.
        put = set(texts_in(span.after)) - set(texts_in(span.before))
        stored = sorted(text for _, text in put if text in foreign)
        if not stored:
            yield Kept("authz.foreign-account")
        else:
            yield Violation(
                "authz.foreign-account",
                min(exchange.intent.place for exchange in naming),
                "stored",
                "another organization's account never stored",
                f"the {contract.noun} now names {stored[0]}",
                (*span.between, span.read_at),
                compares_states=True,
            )


def before_validation(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Without permission a well-formed body of the wrong schema is still 403 (of another organization also 404, by
    reading.other-organization)."""
    admitted = {exchange.intent.caller for _, exchange, answer in updates(episode) if answer.is_success}
    for position, exchange, answer in updates(episode):
        intent = exchange.intent
        if intent.caller in admitted:
            continue
        if intent.requirement == "authz.before-validation":
            allowed = {403, 404} if intent.access == "other-organization" else {403}
            yield kept_or(
                answer.status in allowed,
                "authz.before-validation",
                position,
                exchange,
                place=intent.caller,
                kind=f"answered {answer.status}",
                expected=" or ".join(str(status) for status in sorted(allowed)),
                actual=described(contract, answer),
            )


def no_effect(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """After a 403 (or a cross-organization 404) the rule is unchanged."""
    yield from unchanged(episode, contract, "authz.no-effect", _forbidden)


def limited_unknown_id(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Which status has an unknown id for a key with a resource list?"""
    for position, exchange, answer in updates(episode):
        if exchange.intent.reading == "reading.limited-unknown-id" and answer.status in (403, 404):
            yield Seen("reading.limited-unknown-id", str(answer.status), "", (position,))


def _answers(
    episode: Episode, contract: Contract, requirement: str, access: str, statuses: set[int]
) -> Iterator[Judgement]:
    for position, exchange, answer in episode.answered:
        intent = exchange.intent
        if intent.requirement != requirement or intent.access != access:
            continue
        if answer.status not in statuses and leads_elsewhere(contract, exchange, answer):
            continue
        yield kept_or(
            answer.status in statuses,
            requirement,
            position,
            exchange,
            kind=f"answered {answer.status}",
            expected=" or ".join(str(status) for status in sorted(statuses)),
            actual=described(contract, answer),
        )


def _forbidden(exchange: Exchange, answer: Answer) -> bool:
    intent = exchange.intent
    refused = {403, 404} if intent.access == "other-organization" else {403}
    is_forbidden = intent.access in ("no-permission", "outside-resources", "other-organization")
    return intent.operation == "update" and is_forbidden and answer.status in refused


def _foreign(naming: list[Exchange]) -> set[str]:
    """The accounts of another organization that bodies named."""
    return {exchange.intent.foreign_account for exchange in naming} - {""}


def _named_by_our_rules(episode: Episode) -> set[str]:
    """Every text in the states that rules of ours had before the episode."""
    theirs = {exchange.intent.rule for exchange in episode.exchanges if exchange.intent.existence == "foreign"}
    own = (state for rule, state in episode.facts.before.items() if rule not in theirs)
    return {text for state in own for _, text in texts_in(state)}


CHECKS = run_by(
    ("authz.scope", scope),
    ("authz.resource", resource),
    ("authz.organization", organization),
    ("reading.other-organization", other_organization),
    ("authz.foreign-account", foreign_account),
    ("authz.before-validation", before_validation),
    ("authz.no-effect", no_effect),
    ("reading.limited-unknown-id", limited_unknown_id),
)
