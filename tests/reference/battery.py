"""Requests by family that, between them, show every fault and every variant; what came of them, as comparable lines."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.reference.api import LIMITED, OTHERS, A, Api, B, body, without

Lines = Iterator[str]

_YEAR = datetime.now(UTC).year
_NOW = re.compile(rf"({_YEAR}|{_YEAR + 1})-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{{3}}(?=Z)|\.\d{{6}}Z?(?=\"))")
_ID = re.compile(r"req_[0-9a-f]{20}")
_SHOWN = (
    "content-type",
    "x-request-id",
    "www-authenticate",
    "allow",
    "retry-after",
    "location",
    "etag",
    "idempotent-replayed",
)
_PAYROLL = {"id": "acc_01HABC4567", "type": "income_source"}
_SAVINGS = {"id": "acc_01HSAV9999", "type": "pod"}
_LOAN = {"id": "acc_01HLOAN365", "type": "external_account"}
_THEIRS = {"id": "acc_01ZOTHPOD1", "type": "pod"}
_ACTION = "/steps/0/actions/0"


def _shown(answer: httpx.Response) -> str:
    headers = [f"{name}: {answer.headers[name]}" for name in _SHOWN if name in answer.headers]
    chunked = "chunked" if "transfer-encoding" in answer.headers else ""
    echoed = f'"request_id":"{answer.headers.get("x-request-id")}"' in answer.text
    text = " ".join([str(answer.status_code), *headers, chunked, str(echoed), answer.text])
    return _ID.sub("req_*", _NOW.sub("<now>", text))


def _state(api: Api) -> Any:
    return api.control("state")["rules"]


def _watched(api: Api, *answers: httpx.Response) -> str:
    """The answers, the stored rules, and in which order their moments stand."""
    state = _state(api)
    stamps = sorted((rule["updated_at"], rule["created_at"], rule_id) for rule_id, rule in state.items())
    order = [rule_id for _, _, rule_id in stamps]
    return "\n".join([*map(_shown, answers), _NOW.sub("<now>", json.dumps(state)), " ".join(order)])


def _put(api: Api, content: Any, rule_id: str = A, **how: Any) -> str:
    """An update, what is stored then, and what a read shows."""
    before = _state(api).get(rule_id, {}).get("updated_at")
    answer = api.put(rule_id, content, **how)
    after = _state(api).get(rule_id, {}).get("updated_at")
    moved = "same" if after == before else "on" if str(after) > str(before) else "back"
    return moved + _watched(api, answer, api.send("GET", f"/rules/{rule_id}"))


def _action(kind: str, **fields: Any) -> dict[str, Any]:
    common = {"source": _PAYROLL, "destination": _SAVINGS, "group_index": 0, "up_to_enabled": False}
    return {"type": kind, **common, **fields}


def _with_actions(*actions: dict[str, Any], conditions: Any = None) -> dict[str, Any]:
    return body(steps=[{"conditions": conditions, "actions": list(actions)}])


def _condition(**fields: Any) -> dict[str, Any]:
    return {"condition": {"fact": "BALANCE", "operator": "EQUALS", **fields}}


def envelope(api: Api) -> Lines:
    for content in (body(), body(nickname="näive ∑"), body(nickname=None), body(nickname="\0"), body(steps=[]), b"{"):
        yield _put(api, content)
    yield _put(api, body(f"{_ACTION}/amount_in_cents", 2**70))
    yield _put(api, b'{"nickname": "\\ud800"}')
    yield _put(api, body(), "rule_unknown")
    yield _put(api, body(), role="read_only")
    yield _put(api, body(), headers={"Content-Type": "text/csv"})
    yield _put(api, body(), key="")
    for _ in range(8):
        yield _put(api, body(status="on"))
    yield _put(api, body(), role=None, headers={"Authorization": "ApiKey wrong"})


def request_id(api: Api) -> Lines:
    long = "Abc~" + "x" * 60
    for headers in ({}, {"X-Request-ID": long}):
        yield _put(api, body(), headers=headers)
        yield _put(api, body(), role=None, headers=headers)
        yield _put(api, b"{", headers=headers)
        yield _put(api, body(), "rule_unknown", headers=headers)
    for odd in (b"x" * 65, "é".encode(), b"a b"):
        yield _shown(api.send("GET", f"/rules/{A}", headers=[(b"X-Request-ID", odd)]))
    ids = {api.send("GET", f"/rules/{A}").headers.get("x-request-id") for _ in range(4)}
    yield str(len(ids))


def auth(api: Api) -> Lines:
    key = api.key("full")
    basic = base64.b64encode(f"{key}:".encode()).decode()
    values = [
        "",
        key,
        "ApiKey",
        f"Bearer {key}",
        f"Basic {basic}",
        f"Token {key}",
        f"apikey {key}",
        f"ApiKey {key[:-4]}",
    ]
    for value in [*values, f"ApiKey {key}x", f"ApiKey {key.swapcase()}", f"ApiKey {api.key('revoked')}"]:
        yield _put(api, body(), role=None, headers={"Authorization": value})
    empty = api.send("PUT", f"/rules/{A}", body(), role=None, headers=[(b"Authorization", b"ApiKey\x20\x20\x20,")])
    yield _shown(empty)
    yield _put(api, body(), role=None)
    yield _put(api, {}, role=None)
    yield _put(api, body(), "rule_unknown", role=None)
    yield _shown(api.send("PUT", f"/rules/{A}?api_key={key}", body(), role=None))
    yield _put(api, body(), role=None, headers={"Cookie": f"session={key}"})
    yield _put(api, body(api_key=key), role=None)


def authz(api: Api) -> Lines:
    for role in ("read_only", "trigger_only", "limited", "other_org", "scope.READ_RULE_EXECUTIONS", "scope.READ_CARDS"):
        yield _put(api, body(), role=role)
        yield _put(api, {}, role=role)
        yield _put(api, body(), LIMITED, role=role)
        yield _put(api, body(), "rule_unknown", role=role)
    for pointer in (f"{_ACTION}/source", f"{_ACTION}/destination"):
        yield _put(api, body(pointer, _THEIRS))
    yield _put(api, body("/trigger/account_id", _THEIRS["id"]))
    yield _put(
        api, _with_actions(_action("next_payment_minimum"), conditions=_condition(params={"account_id": _THEIRS["id"]}))
    )
    yield _put(api, body(), OTHERS)


def not_found(api: Api) -> Lines:
    yield _put(api, body(), "rule_unknown")
    for path in ("x" * 300, "%00", "o'clock", "%C3%A9", f"{A}%00x", f"{A}%C3%A9", "x'%20OR%20'1'='1", "a%2Fb"):
        yield _put(api, body(), path)


def update(api: Api) -> Lines:
    texts = {"nickname": "  e\u0301\U0001f600 & " + "long " * 20, "description": "old"}
    first = _action(
        "fixed_amount",
        amount_in_cents=2**33 + 12345679,
        group_index=4,
        limit={"period": "PER_YEAR", "amount_in_cents": 5},
    )
    second = _action(
        "percentage",
        percentage_value=33.3333,
        percentage_target="source_account",
        group_index=2,
        ach_description="rent",
    )
    third = _action("total_amount_due", destination=_LOAN, group_index=2, is_direct_deposit=True, up_to_enabled=True)
    rich = _with_actions(first, second, third) | texts
    nested = {"any": [{"all": [_condition(value=1), _condition(value=2.5)]}, _condition(value_fact="DATE")]}
    yield _put(api, rich)
    yield _put(api, body() | {"description": "new"})
    yield _put(api, body())
    yield _put(api, body())
    yield _put(api, without("/nickname"))
    yield _put(api, body(nickname=""))
    many = [{"conditions": None if number % 2 else nested, "actions": [first]} for number in range(7)]
    yield _put(api, body(steps=many))
    yield _put(api, _with_actions(_action("round_down", amount_in_cents=150)))
    yield _put(
        api, _with_actions(_action("top_up", current_balance_account=_LOAN), _action("fixed_amount", amount_in_cents=1))
    )
    yield _put(api, body("/trigger/start_date", "2028-01-31T23:30:00.5+02:00"))
    yield _put(api, without("/trigger/account_id"))
    yield _put(api, body(trigger={"type": "MANUAL", "account_id": _PAYROLL["id"]}))
    yield _put(api, body(status="enabled"))
    owned = {"id": "rule_other", "created_at": "2001-01-01T00:00:00Z", "updated_at": "2002-01-01T00:00:00Z"}
    yield _put(api, body(**owned))
    yield _put(api, body(organization_id="org_other"))


def status(api: Api) -> Lines:
    triggers = [body()["trigger"], {"type": "ON_FUNDS_TRANSFERRED", "account_id": _PAYROLL["id"]}]
    share = _action("percentage", percentage_value=50, percentage_target="incoming_amount")
    for rule_id in (A, B):
        for wanted in ("enabled", "disabled"):
            for trigger in triggers:
                sent = body(status=wanted, trigger=trigger)
                for content in (sent, sent | {"nickname": "other"}, sent, _with_actions(share) | {"status": wanted}):
                    api.enable(rule_id)
                    yield _put(api, content, rule_id)
                    yield _put(api, content | {"steps": []}, rule_id)
    yield _shown(api.send("POST", f"/rules/{A}/trigger"))
    api.enable(A)
    yield _put(api, body(status="enabled"), key="k")
    api.enable(A)
    yield _put(api, body(status="enabled"), key="k")
    yield _put(api, body(nickname="other"), key="l")
    yield _put(api, body(status="enabled"), key="k")
    api.enable(A)
    yield _put(api, {})
    yield _shown(api.send("PATCH", f"/rules/{A}", body()))


def idempotency(api: Api) -> Lines:
    keys = ("k", "K", "k" * 32 + "1", "k" * 32 + "2", "k" * 200, "k" * 256, "", "a b")
    for key in keys:
        yield _put(api, body(nickname=key), key=key)
    yield _shown(api.send("PUT", f"/rules/{A}", body(), headers=[(b"Idempotency-Key", "é".encode())]))
    api.enable(A)
    for rule_id, role in (
        (A, "full"),
        (A, "full"),
        (B, "full"),
        (OTHERS, "other_org"),
        (A, "read_only"),
        (A, "revoked"),
    ):
        yield _put(api, body(nickname="k"), rule_id, role=role, key="k")
    yield _put(api, json.dumps(body(nickname="k"), indent=1).encode(), key="k")
    yield _put(api, body(nickname="other"), key="k")
    for role in ("revoked", "read_only", "full"):
        yield _put(api, body(), role=role, key="fresh")
    for content in ({}, body()):
        yield _put(api, content, key="refused")
    yield _put(api, body(nickname="n"))
    yield _put(api, body(nickname="m"))
    yield _put(api, body(nickname="n"))
    yield _simultaneous(api, [body()] * 4, ["race"] * 4, [A] * 4)
    for hours in (1, 11, 11.9, 0.2):
        api.control("clock", advance_seconds=hours * 3600)
        yield _put(api, body(nickname="k"), key="k")


def validation(api: Api) -> Lines:
    for pointer in (
        "/status",
        "/trigger",
        "/steps",
        f"{_ACTION}/amount_in_cents",
        f"{_ACTION}/group_index",
        "/steps/0/conditions",
    ):
        yield _put(api, without(pointer))
    amounts: list[Any] = ["100", True, None, -1, 0, 1.0, 1.5, 2**53 + 1]
    for value in amounts:
        yield _put(api, body(f"{_ACTION}/amount_in_cents", value))
    for pointer, values in {
        "/nickname": [7, ""],
        f"{_ACTION}/up_to_enabled": ["true", 1],
        f"{_ACTION}/source": [[_PAYROLL], {**_PAYROLL, "surprise": 1}],
        "/steps": [body()["steps"][0]],
        "/status": ["Disabled", " disabled", "paused"],
        "/trigger": [{"type": "OTHER"}],
        f"{_ACTION}/type": ["other"],
        "/trigger/schedule_type": ["YEARLY"],
        "/trigger/start_date": ["soon", "2027-01-01T00:00:00", "2027-02-30T00:00:00Z"],
        "/steps/0/actions": [[]],
        "/surprise": [1],
        "/trigger/account_id": ["acc_unknown"],
        f"{_ACTION}/destination/id": ["acc_01HABC4567"],
    }.items():
        for value in values:
            yield _put(api, body(pointer, value))
    for percentage in (101, "50", 0.125):
        yield _put(
            api, _with_actions(_action("percentage", percentage_value=percentage, percentage_target="source_account"))
        )
    for tree in ({"any": []}, {"all": []}, _condition() | {"condition": {"fact": "DATE", "operator": "LIKE"}}):
        yield _put(api, _with_actions(_action("next_payment_minimum"), conditions=tree))
    valid = json.dumps(body()).encode()
    raws = [
        b"",
        b"[" * 5000,
        valid + b"x",
        valid[:-1] + b",}",
        valid.replace(b"100000", b"NaN"),
        b"\xef\xbb\xbf" + valid,
    ]
    raws += [
        valid.replace(b"savings", b"\xff"),
        valid.replace(b"savings", b"\\ud800"),
        valid[:-1] + b',"nickname":"last"}',
    ]
    raws += [json.dumps(body(nickname="n" * 600_000)).encode(), json.dumps(body(steps=body()["steps"] * 600)).encode()]
    for raw in raws:
        yield _put(api, raw)
    yield _put(api, valid, headers={"Content-Type": "text/plain"})


def http(api: Api) -> Lines:
    for method in ("PATCH", "POST"):
        yield _watched(api, api.send(method, f"/rules/{A}", body(nickname=method)))
    yield _put(api, body(), headers={"X-Large": "x" * 8000})
    for headers in ([(b"X-Twice", b"1"), (b"X-Twice", b"2")], [(b"X-Odd", "é".encode())]):
        yield _watched(api, api.send("PUT", f"/rules/{A}", body(), headers=headers))


def _simultaneous(api: Api, bodies: list[Any], keys: list[str | None], rules: list[str]) -> str:
    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(
            pool.map(lambda each: api.put(each[0], each[1], key=each[2]), zip(rules, bodies, keys, strict=True))
        )
    whole = [
        answer.json().get("data", {}).get("nickname") == sent["nickname"]
        for answer, sent in zip(answers, bodies, strict=True)
    ]
    stored = [_state(api)[rule_id] for rule_id in dict.fromkeys(rules)]
    fits = [[rule["status"], len(rule["steps"]), rule["nickname"] == rule["description"]] for rule in stored]
    distinct = len({answer.text for answer in answers}) if keys[0] else 0
    return f"{sorted(answer.status_code for answer in answers)} {whole} {fits} {distinct}"


def concurrency(api: Api) -> Lines:
    bodies = [body(nickname=f"n{number}", description=f"n{number}") for number in range(4)]
    for rules in ([A] * 4, [A, B] * 2):
        api.enable(A)
        yield _simultaneous(api, bodies, [None] * 4, rules)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(api.put, A, bodies[0])
        seen = set()
        while not running.done():
            rule = api.get(A)
            seen.add(rule["nickname"] == rule["description"])
    yield str(seen - {True})


FAMILIES: dict[str, Callable[[Api], Lines]] = {
    "envelope": envelope,
    "request-id": request_id,
    "auth": auth,
    "authz": authz,
    "not-found": not_found,
    "update": update,
    "status": status,
    "idempotency": idempotency,
    "validation": validation,
    "http": http,
    "concurrency": concurrency,
}
