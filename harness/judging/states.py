"""What a request asks for, what a read shows, and when two answers say the same.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rules_harness.harness.exchange import Answer, Exchange, parsed
from rules_harness.harness.judging.equality import unlike
from rules_harness.openapi.contract import Contract


def sent_body(exchange: Exchange) -> Mapping[str, Any]:
    """The JSON object that a request carried; empty where it carried none."""
    value = parsed(exchange.request.body) if exchange.request.body is not None else None
    return value if isinstance(value, dict) else {}


def state_shown(contract: Contract, exchange: Exchange) -> Mapping[str, Any] | None:
    """The state that a successful read shows."""
    answer = exchange.answer
    if exchange.intent.operation != "read" or answer is None or answer.status != 200:
        return None
    return answer.part(contract.names.data) or None


def same_answer(contract: Contract, original: Answer, again: Answer) -> bool:
    """Whether an answer is the original one: the same status and the same body, `request_id` aside."""
    if original.status != again.status:
        return False
    first, second = original.json(), again.json()
    if first is None and second is None:
        return original.body == again.body
    return next(unlike(first, second, but_for=f"/{contract.names.request_id}"), None) is None
