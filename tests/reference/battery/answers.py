"""Requests that show faults of answers, credentials, ids and headers."""

from __future__ import annotations

import base64

from tests.reference.api import LIMITED, OTHERS, A, Api, body
from tests.reference.battery.lines import (
    ACTION,
    THEIRS,
    Lines,
    action,
    condition,
    put,
    shown,
    step,
    watched,
    with_actions,
)


def envelope(api: Api) -> Lines:
    for content in (body(), body(nickname="näive ∑"), body(nickname=None), body(nickname="\0"), body(steps=[]), b"{"):
        yield put(api, content)
    yield put(api, body(f"{ACTION}/amount_in_cents", 2**70))
    yield put(api, body(steps=[*body()["steps"], None]))
    yield put(api, body("/trigger/hasOwnProperty", "harness"))
    yield put(api, b'{"nickname": "\\ud800"}')
    yield put(api, body(), "rule_unknown")
    yield put(api, body(), role="read_only")
    yield put(api, body(), headers={"Content-Type": "text/csv"})
    yield put(api, body(), key="")
    for _ in range(8):
        yield put(api, body(status="on"))
    for taken in ("text/html", "application/xml"):
        yield put(api, b"{", headers={"Accept": taken})
    yield put(api, body(), role=None, headers={"Authorization": "ApiKey wrong"})


def request_id(api: Api) -> Lines:
    long = "Abc~" + "x" * 60
    for headers in ({}, {"X-Request-ID": long}, {"X-Request-ID": "0"}):
        yield put(api, body(), headers=headers)
        yield put(api, body(), role=None, headers=headers)
        yield put(api, b"{", headers=headers)
        yield put(api, body(), "rule_unknown", headers=headers)
    yield put(api, body(), key="k")
    for odd in (b"x" * 65, "é".encode(), b"a b"):
        yield shown(api.send("GET", f"/rules/{A}", headers=[(b"X-Request-ID", odd)]))
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
        yield put(api, body(), role=None, headers={"Authorization": value})
    empty = api.send("PUT", f"/rules/{A}", body(), role=None, headers=[(b"Authorization", b"ApiKey\x20\x20\x20,")])
    yield shown(empty)
    yield put(api, body(), role=None)
    yield put(api, {}, role=None)
    yield put(api, body(), "rule_unknown", role=None)
    yield shown(api.send("PUT", f"/rules/{A}?api_key={key}", body(), role=None))
    yield put(api, body(), role=None, headers={"Cookie": f"session={key}"})
    yield put(api, body(api_key=key), role=None)


def authz(api: Api) -> Lines:
    for role in ("read_only", "trigger_only", "limited", "other_org", "scope.READ_RULE_EXECUTIONS", "scope.READ_CARDS"):
        yield put(api, body(), role=role)
        yield put(api, {}, role=role)
        yield put(api, body(), LIMITED, role=role)
        yield put(api, body(), "rule_unknown", role=role)
    for pointer in (f"{ACTION}/source", f"{ACTION}/destination"):
        yield put(api, body(pointer, THEIRS))
    to_them = action("fixed_amount", amount_in_cents=1, destination=THEIRS)
    ours = body()["steps"][0]
    yield put(api, with_actions(*ours["actions"], to_them))
    yield put(api, body(steps=[ours, step(to_them)]))
    yield put(api, body("/trigger/account_id", THEIRS["id"]))
    yield put(
        api, with_actions(action("next_payment_minimum"), conditions=condition(params={"account_id": THEIRS["id"]}))
    )
    yield put(api, body(), OTHERS)


def not_found(api: Api) -> Lines:
    yield put(api, body(), "rule_unknown")
    for path in (
        "x" * 300,
        "x" * 2500,
        "%00",
        "o'clock",
        "%C3%A9",
        f"{A}%00x",
        f"{A}%C3%A9",
        "x'%20OR%20'1'='1",
        "x'--",
        "a%2Fb",
    ):
        yield put(api, body(), path)


def http(api: Api) -> Lines:
    for method in ("PATCH", "POST"):
        yield watched(api, api.send(method, f"/rules/{A}", body(nickname=method)))
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        yield watched(api, api.send("POST", f"/rules/{A}", body(nickname=header), headers={header: "PUT"}))
    yield put(api, body(), headers={"X-Large": "x" * 8192})
    for headers in ([(b"X-Twice", b"1"), (b"X-Twice", b"2")], [(b"X-Odd", "é".encode())]):
        yield watched(api, api.send("PUT", f"/rules/{A}", body(), headers=headers))
