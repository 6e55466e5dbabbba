"""Requests that show faults of status, idempotency and simultaneous requests."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.reference.api import LIMITED, OTHERS, A, Api, B, body
from tests.reference.battery.lines import PAYROLL, Lines, action, put, shown, state, with_actions


def status(api: Api) -> Lines:
    triggers = [body()["trigger"], {"type": "ON_FUNDS_TRANSFERRED", "account_id": PAYROLL["id"]}]
    share = action("percentage", percentage_value=50, percentage_target="incoming_amount")
    for rule_id in (A, B):
        for wanted in ("enabled", "disabled"):
            for trigger in triggers:
                sent = body(status=wanted, trigger=trigger)
                share_sent = with_actions(share) | {"status": wanted, "trigger": trigger}
                for content in (sent, sent, sent | {"nickname": "other"}, share_sent):
                    api.enable(rule_id)
                    yield put(api, content, rule_id)
                    yield put(api, content | {"description": "again"}, rule_id)
                    api.put(rule_id, sent)
    yield shown(api.send("POST", f"/rules/{A}/trigger"))
    yield put(api, body())
    yield shown(api.send("POST", f"/rules/{A}/trigger"))
    api.enable(A)
    yield put(api, body(status="enabled"), key="k")
    api.enable(A)
    yield put(api, body(status="enabled"), key="k")
    yield put(api, body(nickname="other"), key="l")
    yield put(api, body(status="enabled"), key="k")
    api.enable(A)
    yield put(api, {})
    yield shown(api.send("PATCH", f"/rules/{A}", body()))


def idempotency(api: Api) -> Lines:
    keys = ("k", "K", "k" * 32 + "1", "k" * 32 + "2", "k" * 200, "k" * 256, "", "a b", "0")
    for key in keys:
        yield put(api, body(nickname=key), key=key)
    yield shown(api.send("PUT", f"/rules/{A}", body(), headers=[(b"Idempotency-Key", "é".encode())]))
    api.enable(A)
    for rule_id, role in (
        (A, "full"),
        (A, "full"),
        (B, "full"),
        (OTHERS, "other_org"),
        (A, "read_only"),
        (A, "revoked"),
    ):
        yield put(api, body(nickname="k"), rule_id, role=role, key="k")
    yield put(api, json.dumps(body(nickname="k"), indent=1).encode(), key="k")
    yield put(api, body(nickname="other"), key="k")
    yield put(api, body(nickname="other"), B, key="K")
    yield put(api, body(nickname="other"), key="0")
    yield shown(api.send("PUT", f"/rules/{A}?a=b", body(nickname="k"), headers=[(b"Idempotency-Key", b"k")]))
    for role in ("revoked", "read_only", "full"):
        yield put(api, body(), role=role, key="fresh")
    for content, key in (
        ({}, "one"),
        (body(), "one"),
        (body("/trigger/account_id", "acc_unknown"), "two"),
        (body(), "two"),
    ):
        yield put(api, content, key=key)
    for role in ("full", "limited"):
        yield put(api, body(), LIMITED, role=role, key="shared")
    yield put(api, body(nickname="n"))
    yield put(api, body(nickname="m"))
    yield put(api, body(nickname="n"))
    yield _simultaneous(api, [body(nickname="n1")] * 4, ["race"] * 4, [A] * 4)
    for hours in (1, 11, 11.9, 0.2):
        api.control("clock", advance_seconds=hours * 3600)
        yield put(api, body(nickname="k"), key="k")


def _simultaneous(api: Api, bodies: list[Any], keys: list[str | None], rules: list[str]) -> str:
    with ThreadPoolExecutor(len(bodies)) as pool:
        sent = list(zip(rules, bodies, keys, strict=True))
        answers = list(pool.map(lambda each: api.put(each[0], each[1], key=each[2]), sent))
    names = [answer.json().get("data", {}).get("nickname") for answer in answers]
    own = [name == each["nickname"] for name, each in zip(names, bodies, strict=True)]
    stored = [state(api)[rule_id] for rule_id in dict.fromkeys(rules)]
    fits = [(rule["status"], rule["nickname"] == _nickname(rule)) for rule in stored]
    distinct = len({answer.text for answer in answers}) if keys[0] else 0
    return f"{sorted(answer.status_code for answer in answers)} {own} {fits} {distinct}"


def _nickname(rule: Any) -> str:
    return f"n{len(rule['steps'])}"


def concurrency(api: Api) -> Lines:
    bodies = [body(nickname=f"n{number}", steps=body()["steps"] * number) for number in range(1, 5)]
    for rules in ([A] * 4, [A, B] * 2):
        api.enable(A)
        yield _simultaneous(api, bodies, [None] * 4, rules)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(api.put, A, bodies[0])
        seen = {True}
        while not running.done():
            rule = api.get(A)
            seen.add(rule["nickname"] == _nickname(rule))
    yield str(seen)
