"""404: an id that is not there is neither found nor made."""

from __future__ import annotations

from collections.abc import Iterator

from rules_harness.harness.exchange import Episode
from rules_harness.harness.judging.checks.common import described, kept_or, run_by
from rules_harness.harness.judging.outcome import Judgement
from rules_harness.openapi.contract import Contract


def unknown_id(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """An id that does not exist: 404 in the error envelope."""
    for position, exchange, answer in episode.answered:
        if exchange.intent.requirement == "not-found.unknown-id":
            is_enveloped = bool(answer.first_part(contract.names.error))
            yield kept_or(
                answer.status == 404 and is_enveloped,
                "not-found.unknown-id",
                position,
                exchange,
                kind=f"answered {answer.status}" if answer.status != 404 else "404 without the error envelope",
                expected="404 in the error envelope",
                actual=described(contract, answer),
            )


def no_upsert(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """No rule is created by an update of an id that does not exist."""
    asked: set[str] = set()
    for position, exchange, answer in episode.answered:
        intent = exchange.intent
        if intent.existence != "unknown":
            continue
        if intent.operation == "update":
            asked.add(intent.rule)
        elif intent.operation == "read" and intent.rule in asked:
            yield kept_or(
                not answer.is_success,
                "not-found.no-upsert",
                position,
                exchange,
                kind=f"the {contract.noun} is there afterwards",
                expected=f"no {contract.noun} with an id that did not exist",
                actual=described(contract, answer),
            )


def odd_ids(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Odd ids (long, encoded, unicode, dots, NUL, SQL, traversal), chosen so that neither they nor what lenient routers
    make of them (percent-decoding, RFC 3986 6.2.2, trimmed white space and slashes, letter case) is a rule or leaves
    `/rules/`: a 4xx or a redirect, never a 5xx, never another rule."""
    for position, exchange, answer in episode.answered:
        intent = exchange.intent
        if intent.requirement != "not-found.odd-ids":
            continue
        yield kept_or(
            300 <= answer.status < 500 or answer.status in (501, 505),
            "not-found.odd-ids",
            position,
            exchange,
            kind=f"answered {answer.status}",
            expected="a 4xx or a redirect",
            actual=described(contract, answer),
        )


CHECKS = run_by(
    ("not-found.unknown-id", unknown_id),
    ("not-found.no-upsert", no_upsert),
    ("not-found.odd-ids", odd_ids),
)
