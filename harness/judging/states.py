"""What a request asks for, what a read shows, and when two answers say the same.  Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rules_harness.harness.exchange import Answer, Exchange, Payload, parsed
from rules_harness.harness.intent import Intent
from rules_harness.harness.judging.equality import differences_from_body, unlike
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


def telling_answer(exchange: Exchange) -> Answer | None:
    """The answer that tells what became of an update: none where it was lost, is an error of the server or of the
    update's own key, or where the update was released together with others."""
    answer, is_hidden = exchange.answer, exchange.is_in_its_own_way or exchange.intent.group is not None
    return None if answer is None or answer.status >= 500 or is_hidden else answer


def same_answer(contract: Contract, original: Answer, again: Answer) -> bool:
    """Whether an answer is the original one: the same status and the same body, `request_id` aside."""
    if original.status != again.status:
        return False
    first, second = original.json(), again.json()
    if first is None and second is None:
        return original.body == again.body
    return next(unlike(first, second, but_for=f"/{contract.names.request_id}"), None) is None


def distance(contract: Contract, body: Mapping[str, Any], state: Mapping[str, Any]) -> int:
    """At how many places a state is not what a body asks for, its status aside."""
    status = f"/{contract.names.status}"
    return sum(1 for difference in differences_from_body(contract, body, state) if difference.place != status)


def kind_of_refusal(intent: Intent, status: int) -> str:
    """What sort of refusal one is, for `reading.refusal-replayed`: a parser, a schema and a look for accounts come one
    after the other, and what is stored for a key may begin between them."""
    return str(status) if intent.body in ("none", "valid", "open", "broken") else f"{status} of {intent.body}"


def kind_of_spelling(body: Payload, other: Payload) -> str:
    """In what two texts of one JSON value differ, for `reading.body-identity`: the order of names, which a parser may
    keep, or white space, escapes and the like, which none does."""
    return "" if json.dumps(parsed(body)) == json.dumps(parsed(other)) else "order"
