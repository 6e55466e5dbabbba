"""Requests that show faults of what is stored and what is refused."""

from __future__ import annotations

import json
from typing import Any

from tests.reference.api import A, Api, B, body, without
from tests.reference.battery import places
from tests.reference.battery.lines import ACTION, LOAN, PAYROLL, Lines, action, condition, put, shown, with_actions


def put_and_read(api: Api, content: Any) -> Lines:
    yield put(api, content)
    yield shown(api.send("GET", f"/rules/{A}"))


def update(api: Api) -> Lines:
    yield from _rare(api)
    yield from _replaced(api)
    yield from _named_twice(api)


def _rare(api: Api) -> Lines:
    for content in (places.rare(), places.reordered(), places.rare(), body()):
        yield from put_and_read(api, content)


def _named_twice(api: Api) -> Lines:
    """Updates that name one rule in the path and another elsewhere."""
    for name in ("id", "rule_id"):
        yield put(api, body(nickname=name, **{name: B}))
    yield put(api, body(nickname="query"), f"{A}?id={B}")
    yield put(api, body(nickname="header"), headers={"X-Rule-Id": B})


def _replaced(api: Api) -> Lines:
    """Updates one after the other, each of which leaves something out that the one before had."""
    texts = {"nickname": "  e\u0301\U0001f600 & " + "long " * 20, "description": "old"}
    first = action(
        "fixed_amount",
        amount_in_cents=2**33 + 12345679,
        group_index=4,
        limit={"period": "PER_YEAR", "amount_in_cents": 5},
    )
    second = action(
        "percentage",
        percentage_value=33.3333,
        percentage_target="source_account",
        group_index=2,
        ach_description="rent",
    )
    third = action("total_amount_due", destination=LOAN, group_index=2, is_direct_deposit=True, up_to_enabled=True)
    rich = with_actions(first, second, third) | texts
    nested = {"any": [{"all": [condition(value=1), condition(value=2.5)]}, condition(value_fact="DATE")]}
    yield from put_and_read(api, rich)
    yield from put_and_read(api, body() | {"description": "new"})
    yield from put_and_read(api, body())
    yield from put_and_read(api, body())
    yield from put_and_read(api, without("/nickname"))
    yield from put_and_read(api, without("/nickname") | {"NICKNAME": "in another case"})
    yield from put_and_read(api, body(nickname=""))
    yield from put_and_read(api, body(description=" "))
    yield from put_and_read(api, body(description="0"))
    many = [{"conditions": None if number % 2 else nested, "actions": [first]} for number in range(7)]
    yield from put_and_read(api, body(steps=many))
    yield put(api, with_actions(*[first] * 501))
    yield put(api, with_actions(first, conditions={"any": [condition(value=1)] * 9}))
    yield from put_and_read(api, with_actions(action("round_down", amount_in_cents=150)))
    yield put(
        api, with_actions(action("top_up", current_balance_account=LOAN), action("fixed_amount", amount_in_cents=1))
    )
    yield from put_and_read(api, body("/trigger/start_date", "2028-01-31T23:30:00.5+02:00"))
    for date_time in ("2028-01-31T23:30:00.5Z", "2028-02-29T09:00:00Z"):
        yield from put_and_read(api, body("/trigger/start_date", date_time))
    both = {"condition": {**condition(value=1)["condition"], "value_fact": "DATE"}}
    yield from put_and_read(api, with_actions(action("next_payment_minimum"), conditions=both))
    yield from put_and_read(api, without("/trigger/account_id"))
    yield from put_and_read(api, body(trigger={"type": "MANUAL", "account_id": PAYROLL["id"]}))
    yield from put_and_read(api, body(status="enabled"))
    owned = {"id": "rule_other", "created_at": "2001-01-01T00:00:00Z", "updated_at": "2002-01-01T00:00:00Z"}
    yield from put_and_read(api, body(**owned))
    yield from put_and_read(api, body(updated_at="2099-01-01T00:00:00Z"))
    yield from put_and_read(api, body(organization_id="org_other"))


def validation(api: Api) -> Lines:
    families = (places.wrong_later, places.falsy, places.in_other_case, places.unlisted, places.odd_texts)
    yield from _values(api)
    for family in families:
        for content in family():
            yield put(api, content)
    yield from _texts(api)


def _values(api: Api) -> Lines:
    """Bodies with one value each that is missing or wrong."""
    for pointer in (
        "/status",
        "/trigger",
        "/steps",
        f"{ACTION}/amount_in_cents",
        f"{ACTION}/group_index",
        "/steps/0/conditions",
    ):
        yield put(api, without(pointer))
    amounts: list[Any] = ["100", True, None, -1, 0, 1.0, 1.5, 2**53 + 1]
    for value in amounts:
        yield put(api, body(f"{ACTION}/amount_in_cents", value))
    places: dict[str, list[Any]] = {
        "/nickname": [7, ""],
        f"{ACTION}/up_to_enabled": ["true", 1],
        f"{ACTION}/source": [[PAYROLL], {**PAYROLL, "surprise": 1}],
        "/steps": [{"0": body()["steps"][0]}, [*body()["steps"], {"conditions": None}], [*body()["steps"], None]],
        "/status": ["Disabled", " disabled", "disabled\n", "paused"],
        "/trigger": [{"type": "OTHER"}],
        f"{ACTION}/type": ["other"],
        "/trigger/schedule_type": ["YEARLY"],
        "/trigger/start_date": [
            "soon",
            "2027-01-01T00:00:00",
            "2027-02-30T00:00:00Z",
            "2028-01-31T09:00Z",
            "2028-01-31T09:00:00Z\n",
        ],
        "/steps/0/actions": [[], [*body()["steps"][0]["actions"], {"type": "other"}]],
        "/surprise": [1],
        "/trigger/account_id": ["acc_unknown", ""],
        f"{ACTION}/destination/id": ["acc_01HABC4567"],
    }
    for pointer, values in places.items():
        for value in values:
            yield put(api, body(pointer, value))
    for percentage in (101, "50", 0.125):
        yield put(
            api, with_actions(action("percentage", percentage_value=percentage, percentage_target="source_account"))
        )
    unknown = {"condition": {"fact": "DATE", "operator": "LIKE"}}
    trees: list[Any] = [{"any": []}, {"all": []}, unknown]
    trees += [{"any": [None]}, {"any": [{**condition(), "all": []}]}]
    trees += [{"any": [{"all": [unknown]}]}, {"any": [{"any": [{"any": [{"any": [unknown]}]}]}]}]
    for tree in trees:
        yield put(api, with_actions(action("next_payment_minimum"), conditions=tree))
    yield put(api, body(status="paused", trigger=body()["trigger"] | {"account_id": "acc_unknown"}))


def _texts(api: Api) -> Lines:
    """Bodies as bytes, one of them of another media type and the last very long."""
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
    for raw in raws:
        yield put(api, raw)
    yield put(api, valid, headers={"Content-Type": "text/plain"})
    yield put(api, body(steps=body()["steps"] * 600))
