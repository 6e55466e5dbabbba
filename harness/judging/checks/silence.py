"""No answer at all: a request that hangs its target, or ends its process.

It takes the blame where it was sent twice and left unanswered twice, while others were answered in between
(`TransportFault.aftermath`).  Where the target did not come back for the second time, that it was the last thing the
target heard is a hint.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rules_harness.harness.exchange import Episode, Exchange, TransportFault
from rules_harness.harness.judging.checks.common import run_by, where
from rules_harness.harness.judging.outcome import Judgement, Violation
from rules_harness.openapi.contract import Contract

USUAL: Final = "envelope.no-server-error"
"""What a request breaks otherwise: a gateway in front of the target answers 504, or 502, in its place."""
PROMISES: Final = {
    "validation.size": "a success or a 4xx",
    "not-found.odd-ids": "a 4xx or a redirect",
    "request-id.hostile": "the id echoed, replaced or refused with a 4xx",
    "idempotency.odd-keys": "the key accepted, or a 4xx",
    "http.headers": "an answer below 500",
    USUAL: "an answer below 500",
}
"""Requirements that say which answers there are to what is odd."""
_KINDS: Final = {"timeout": "no answer in time", "closed": "connection closed without an answer"}


def unanswered(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A request that is never answered breaks what it puts to the test."""
    for position, exchange in enumerate(episode.exchanges):
        fault = exchange.outcome
        if not isinstance(fault, TransportFault) or fault.kind not in _KINDS or not fault.aftermath:
            continue
        if fault.kind == "closed" and fault.aftermath == "again" and _may_be_cut_off(exchange):
            continue
        requirement = exchange.intent.requirement if exchange.intent.requirement in PROMISES else USUAL
        yield Violation(
            requirement,
            where(exchange),
            _KINDS[fault.kind],
            PROMISES[requirement],
            f"{fault.detail}; {_AFTERWARDS[fault.aftermath]}",
            (position,),
            level="should" if fault.aftermath == "gone" else None,
            is_silence=fault.aftermath == "again",
        )


_AFTERWARDS: Final = {
    "again": "sent once more, it was not answered either",
    "down": "nor was anything else for a while, and the same once more when it was sent again",
    "gone": "nor was anything else until the run ended",
}


def _may_be_cut_off(exchange: Exchange) -> bool:
    """What is large or malformed an edge may end without an answer, as long as it answers others."""
    return exchange.request.raw or exchange.intent.body == "size" or exchange.intent.existence == "odd"


CHECKS = run_by((tuple(PROMISES), unanswered))
