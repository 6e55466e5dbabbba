"""What came of requests, as lines that can be compared between two servers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.reference.api import A, Api, body

Lines = Iterator[str]

_YEAR = datetime.now(UTC).year
_NOW = re.compile(rf"({_YEAR}|{_YEAR + 1})-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}(?=Z)")
_STORED_NOW = re.compile(rf"({_YEAR}|{_YEAR + 1})-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_ID = re.compile(r"req_[0-9a-f]{20}")
_UNSTEADY = ("date", "content-length")
PAYROLL = {"id": "acc_01HABC4567", "type": "income_source"}
SAVINGS = {"id": "acc_01HSAV9999", "type": "pod"}
LOAN = {"id": "acc_01HLOAN365", "type": "external_account"}
THEIRS = {"id": "acc_01ZOTHPOD1", "type": "pod"}
ACTION = "/steps/0/actions/0"


def shown(answer: httpx.Response) -> str:
    headers = [f"{name}: {value}" for name, value in answer.headers.multi_items() if name not in _UNSTEADY]
    echoed = f'"request_id":"{answer.headers.get("x-request-id")}"' in answer.text
    text = " ".join([str(answer.status_code), *headers, str(echoed), answer.text])
    return _ID.sub("req_*", _NOW.sub("<now>", text))


def state(api: Api) -> Any:
    return api.control("state")["rules"]


def watched(api: Api, *answers: httpx.Response) -> str:
    """The answers, the stored rules, and which way each updated_at has moved."""
    rules = state(api)
    moved = []
    for rule_id, rule in rules.items():
        now = datetime.fromisoformat(rule.pop("updated_at"))
        before = api.stamps.get(rule_id, now)
        moved.append("same" if now == before else "on" if now > before else "back")
        api.stamps[rule_id] = now
    return "\n".join([*map(shown, answers), _STORED_NOW.sub("<now>", json.dumps(rules)), " ".join(moved)])


def put(api: Api, content: Any, rule_id: str = A, **how: Any) -> str:
    """An update, and what is stored then."""
    return watched(api, api.put(rule_id, content, **how))


def action(kind: str, **fields: Any) -> dict[str, Any]:
    common = {"source": PAYROLL, "destination": SAVINGS, "group_index": 0, "up_to_enabled": False}
    return {"type": kind, **common, **fields}


def step(*actions: dict[str, Any], conditions: Any = None) -> dict[str, Any]:
    return {"conditions": conditions, "actions": list(actions)}


def with_actions(*actions: dict[str, Any], conditions: Any = None) -> dict[str, Any]:
    return body(steps=[step(*actions, conditions=conditions)])


def condition(**fields: Any) -> dict[str, Any]:
    return {"condition": {"fact": "BALANCE", "operator": "EQUALS", **fields}}
