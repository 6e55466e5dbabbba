"""The generic checks of schemathesis, on the answers to its own boundary cases, under our requirement ids.

Errors of the server, to whatever they are answers, are for `envelope.no-server-error` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rules_harness.harness.exchange import Episode
from rules_harness.harness.judging.checks.common import EDGE_STATUSES, run_by, short, updates
from rules_harness.harness.judging.outcome import Judgement, Kept, Violation
from rules_harness.openapi.contract import Contract

ALLOWED: Final = (405, 409, 413, 414, 415, 417, 422, 429, 431)
"""Statuses that the contract allows beyond those of the document."""
SERVER_ERROR: Final = 500
REQUIREMENTS: Final = {
    "status_code_conformance": "envelope.documented-status",
    "content_type_conformance": "envelope.content-type",
    "response_schema_conformance": "envelope.error",
}

KINDS: Final = {
    "status_code_conformance": "another status than those of the document",
    "content_type_conformance": "another content type than that of the document",
    "response_schema_conformance": "another form than that of the document",
}
"""What each of its checks found, in words."""


def generic(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A documented status, its content type, and its schema."""
    for position, exchange, answer in updates(episode):
        if not exchange.intent.boundary or answer.status in EDGE_STATUSES or answer.status >= SERVER_ERROR:
            continue
        from rules_harness.strategies.boundary.checks import judge_generic  # noqa: PLC0415 - imports schemathesis, which few episodes need

        problems = judge_generic(
            contract, contract.update, answer.status, answer.headers, answer.body.content, allowed_statuses=ALLOWED
        )
        broken = {REQUIREMENTS.get(problem.check, ""): problem for problem in problems}
        for requirement in sorted(set(REQUIREMENTS.values())):
            if requirement == "envelope.error" and answer.is_success:
                continue
            if requirement not in broken:
                yield Kept(requirement)
                continue
            yield Violation(
                requirement,
                f"{exchange.intent.body} body" if answer.is_refusal else "update",
                KINDS[broken[requirement].check],
                "an answer as the OpenAPI document describes it",
                short(broken[requirement].message, 240),
                (position,),
            )


CHECKS = run_by((tuple(REQUIREMENTS.values()), generic))
