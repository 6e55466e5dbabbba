"""401: who may not ask learns nothing and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rules_harness.harness.exchange import Answer, Episode, Exchange
from rules_harness.harness.judging.checks.common import (
    BUSY_STATUSES,
    CheckFunction,
    answered,
    described,
    kept_or,
    kind_of_answer,
    run_by,
    unchanged,
)
from rules_harness.harness.judging.outcome import Judgement, Seen
from rules_harness.openapi.contract import Contract


def answers_401(requirement: str) -> CheckFunction:
    """The check that every request made for a requirement is answered with 401."""

    def check(episode: Episode, contract: Contract) -> Iterator[Judgement]:
        for position, exchange, answer in answered(episode):
            if exchange.intent.requirement == requirement and answer.status not in BUSY_STATUSES:
                yield kept_or(
                    answer.status == 401,
                    requirement,
                    position,
                    exchange,
                    kind=f"answered {answer.status}",
                    expected="401",
                    actual=described(contract, answer),
                )

    return check


def no_effect(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """After a 401 the rule is unchanged."""
    yield from unchanged(episode, contract, "auth.no-effect", _unauthenticated)


def challenge(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A 401 carries WWW-Authenticate (RFC 9110 15.5.2)."""
    for position, exchange, answer in answered(episode):
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
    """reading.scheme-case: whether `apikey <key>` authenticates."""
    for position, exchange, answer in answered(episode):
        if exchange.intent.reading == "reading.scheme-case" and (answer.is_success or answer.status == 401):
            token = "401" if answer.status == 401 else "accepted"
            yield Seen("reading.scheme-case", token, exchange.intent.label, (position,))


def _unauthenticated(exchange: Exchange, answer: Answer) -> bool:
    intent = exchange.intent
    return answer.status == 401 and intent.access == "unauthenticated" and intent.operation == "update"


CHECKS = run_by(
    *(
        (requirement, answers_401(requirement))
        for requirement in (
            "auth.missing",
            "auth.malformed",
            "auth.unknown-key",
            "auth.header-only",
            "auth.before-lookup",
            "auth.before-validation",
        )
    ),
    ("auth.no-effect", no_effect),
    ("auth.challenge", challenge),
    ("reading.scheme-case", scheme_case),
)
