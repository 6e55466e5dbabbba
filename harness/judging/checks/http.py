"""Methods and headers beside the documented ones."""

from __future__ import annotations

from collections.abc import Iterator

from rules_harness.harness.exchange import Answer, Episode, Exchange
from rules_harness.harness.judging.checks.common import described, kept_or, run_by, unchanged
from rules_harness.harness.judging.outcome import Judgement
from rules_harness.openapi.contract import Contract


def methods(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """PATCH and POST on the path do not update; 405 (then with Allow), or 401/403/404."""
    for position, exchange, answer in episode.answered:
        if exchange.intent.requirement != "http.methods":
            continue
        lacks_allow = answer.status == 405 and answer.header("allow") is None
        yield kept_or(
            answer.status in (401, 403, 404, 405, 501) and not lacks_allow,
            "http.methods",
            position,
            exchange,
            kind="405 without Allow" if lacks_allow else f"answered {answer.status}",
            expected="405 with Allow, or 401, 403 or 404",
            actual="405 without Allow" if lacks_allow else described(contract, answer),
        )
    yield from unchanged(episode, contract, "http.methods", _other_method)


def headers(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Unknown, duplicated and oversized headers: no 5xx, no effect."""
    for position, exchange, answer in episode.answered:
        if exchange.intent.requirement == "http.headers":
            yield kept_or(
                answer.status < 500,
                "http.headers",
                position,
                exchange,
                kind=f"answered {answer.status}",
                expected="an answer below 500",
                actual=described(contract, answer),
            )
    yield from unchanged(episode, contract, "http.headers", _refused_headers)


def _refused_headers(exchange: Exchange, answer: Answer) -> bool:
    return exchange.intent.requirement == "http.headers" and answer.is_refusal


def _other_method(exchange: Exchange, answer: Answer) -> bool:
    return exchange.intent.requirement == "http.methods"


CHECKS = run_by(("http.methods", methods), ("http.headers", headers))
