"""401: who may not ask learns nothing and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rules_harness.harness.exchange import Answer, Episode, Exchange
from rules_harness.harness.judging.checks.common import (
    described,
    kept_or,
    kind_of_answer,
    leads_elsewhere,
    run_by,
    unchanged,
)
from rules_harness.harness.judging.outcome import Judgement, Seen
from rules_harness.openapi.contract import Contract


def missing(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """No Authorization header: 401."""
    yield from _answers_401(episode, contract, "auth.missing", can_lead_elsewhere=True)


def malformed(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Empty value, bare key, empty key, other schemes (Bearer, Basic): 401."""
    yield from _answers_401(episode, contract, "auth.malformed")


def unknown_key(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Unknown, revoked, truncated, extended, case-changed keys: 401."""
    yield from _answers_401(episode, contract, "auth.unknown-key")


def header_only(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A key in the query, a cookie or the body does not authenticate."""
    yield from _answers_401(episode, contract, "auth.header-only")


def before_lookup(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Without authentication an unknown id is 401 just as a known one: who may not ask learns nothing."""
    yield from _answers_401(episode, contract, "auth.before-lookup")


def before_validation(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Without authentication a well-formed body of the wrong schema is still 401."""
    yield from _answers_401(episode, contract, "auth.before-validation")


def no_effect(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """After a 401 the rule is unchanged."""
    yield from unchanged(episode, contract, "auth.no-effect", _unauthenticated)


def challenge(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A 401 carries WWW-Authenticate (RFC 9110 15.5.2)."""
    for position, exchange, answer in episode.answered:
        if answer.status == 401 and exchange.intent.operation == "update":
            yield kept_or(
                bool(answer.header("www-authenticate")),
                "auth.challenge",
                position,
                exchange,
                place=kind_of_answer(exchange, answer),
                kind="no WWW-Authenticate",
                expected="401 with WWW-Authenticate",
                actual="401 without it",
            )


def scheme_case(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """What answers the authorization scheme in lower case?"""
    for position, exchange, answer in episode.answered:
        if exchange.intent.reading == "reading.scheme-case" and (answer.is_success or answer.status == 401):
            token = "401" if answer.status == 401 else "accepted"
            yield Seen("reading.scheme-case", token, exchange.intent.label, (position,))


def _answers_401(
    episode: Episode, contract: Contract, requirement: str, *, can_lead_elsewhere: bool = False
) -> Iterator[Judgement]:
    """Judges that every request made for a requirement is answered with 401."""
    for position, exchange, answer in episode.answered:
        if answer.status != 401 and can_lead_elsewhere and leads_elsewhere(contract, exchange, answer):
            continue
        if exchange.intent.requirement == requirement:
            yield kept_or(
                answer.status == 401,
                requirement,
                position,
                exchange,
                kind=f"answered {answer.status}",
                expected="401",
                actual=described(contract, answer),
            )


def _unauthenticated(exchange: Exchange, answer: Answer) -> bool:
    intent = exchange.intent
    return answer.status == 401 and intent.access == "unauthenticated" and intent.operation == "update"


CHECKS = run_by(
    ("auth.missing", missing),
    ("auth.malformed", malformed),
    ("auth.unknown-key", unknown_key),
    ("auth.header-only", header_only),
    ("auth.before-lookup", before_lookup),
    ("auth.before-validation", before_validation),
    ("auth.no-effect", no_effect),
    ("auth.challenge", challenge),
    ("reading.scheme-case", scheme_case),
)
