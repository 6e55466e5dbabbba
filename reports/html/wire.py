"""Requests and answers as the page shows them."""

from __future__ import annotations

from typing import Final

import msgspec

from rules_harness.harness.exchange import Answer, Exchange
from rules_harness.reports import references
from rules_harness.reports.model import Shown
from rules_harness.reports.tallies import status_of
from rules_harness.reports.text import Excerpt, line

_HEADERS_SHOWN: Final = 12


class Message(msgspec.Struct, frozen=True):
    """A request or an answer as it is shown: first line, headers, body, and the remark about what is cut."""

    head: str
    headers: tuple[tuple[str, str], ...]
    body: str | None
    remark: str


class Wire(msgspec.Struct, frozen=True):
    """An exchange as it is shown."""

    number: int
    who: str
    status: str
    is_proof: bool
    request: Message
    answer: Message


def wire(shown: Shown, limit: int) -> Wire:
    """An exchange with bodies of at most ``limit`` characters."""
    exchange = shown.exchange
    request = references.shown(exchange.request)
    return Wire(
        number=shown.position + 1,
        who=line(exchange.intent.caller, 80),
        status=status_of(exchange),
        is_proof=shown.is_proof,
        request=_message(f"{request.method} {request.target}", request.headers, shown.request_body, limit),
        answer=_answer(exchange, shown.answer_body, limit),
    )


def _answer(exchange: Exchange, body: Excerpt | None, limit: int) -> Message:
    outcome = exchange.outcome
    if isinstance(outcome, Answer):
        return _message(str(outcome.status), outcome.headers, body, limit)
    return Message(status_of(exchange), (), None, line(outcome.detail))


def _message(head: str, headers: tuple[tuple[str, str], ...], body: Excerpt | None, limit: int) -> Message:
    rows = tuple((line(name, 80), line(value, 200)) for name, value in headers[:_HEADERS_SHOWN])
    if len(headers) > _HEADERS_SHOWN:
        rows = (*rows, ("…", f"{len(headers) - _HEADERS_SHOWN} more headers"))
    text = None if body is None or not body.text else body.text
    remark = ""
    if text is not None and len(text) > limit:
        text = text[:limit]
        remark = "cut here"
    if body is not None and (remark or not body.whole):
        remark = f"not shown whole: {body.size:,} bytes"
    return Message(line(head, 300), rows, text, remark)
