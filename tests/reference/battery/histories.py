"""Requests that show faults of status."""

from __future__ import annotations

import json

from tests.reference.api import BY_HAND, A, Api, B, body
from tests.reference.battery.lines import PAYROLL, Lines, action, put, shown, with_actions


def status(api: Api) -> Lines:
    yield from _enabled(api)
    yield from _disabled(api)
    yield from _sent_again(api)


def _enabled(api: Api) -> Lines:
    """Updates of an enabled rule, each written or sent in another way."""
    nobody_s = {"type": "MANUAL", "account_id": "acc_01HNOBODY0"}
    for content in (body(steps=[]), json.dumps(body(), indent=1).encode(), body(trigger=nobody_s)):
        api.enable(A)
        yield put(api, content)
    api.enable(A)
    for _ in range(2):
        yield put(api, body(steps="none"), key="refused-twice")
    yield shown(api.send("GET", f"/rules/{A}"))
    for how in ({"headers": {"X-Request-ID": "mine"}}, {"role": "other_org"}, {"role": "read_only"}):
        api.enable(A)
        yield put(api, body(), **how)


def _disabled(api: Api) -> Lines:
    """Updates of a disabled rule that ask for an enabled one, and attempts to trigger it."""
    triggers = [{"type": kind, "account_id": PAYROLL["id"]} for kind in ("MANUAL", "ON_FUNDS_TRANSFERRED")]
    for trigger in triggers:
        for key in (None, trigger["type"]):
            yield put(api, body(status="enabled", trigger=trigger), BY_HAND, key=key)
            yield shown(api.send("POST", f"/rules/{BY_HAND}/trigger"))


def _sent_again(api: Api) -> Lines:
    """Updates of each status, trigger and text, the same and again."""
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
