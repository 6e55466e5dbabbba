"""The server without faults and variants."""

from __future__ import annotations

import base64
import tomllib
from typing import Any

import httpx
import pytest

from rules_harness.harness.reference.seed import ACCOUNTS, KEYS
from tests.reference.api import LIMITED, OTHERS, A, Api, B, body, without


def test_page_example_is_accepted_and_disabled(api: Api) -> None:
    answer = api.put(A, body(status="enabled"), headers={"X-Request-ID": "req-1"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "req-1"
    data = answer.json()["data"]
    assert data == api.get(A)
    assert (data["id"], data["status"], data["description"]) == (A, "disabled", None)
    assert data["trigger"] == body()["trigger"]
    (action,) = data["steps"][0]["actions"]
    assert action == {**body()["steps"][0]["actions"][0], "is_direct_deposit": False}
    assert data["created_at"] == "2024-03-01T10:00:00.000Z" < data["updated_at"]


def test_updated_at_always_advances(api: Api) -> None:
    stamps = [api.put(B, body()).json()["data"]["updated_at"] for _ in range(20)]
    assert sorted(set(stamps)) == stamps


def test_generated_request_ids_differ_and_odd_ones_are_replaced(api: Api) -> None:
    odd = [b"x" * 65, "é".encode(), b"a b"]
    answers = [api.send("GET", f"/rules/{A}", headers=[(b"X-Request-ID", value)]) for value in odd]
    answers.append(api.send("GET", f"/rules/{A}"))
    answers.append(api.send("GET", f"/rules/{A}", headers=[(b"X-Request-ID", b"one"), (b"X-Request-ID", b"two")]))
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert ids == [answer.json()["request_id"] for answer in answers]
    assert len(set(ids)) == len(ids)
    assert not {"one", "two", "a b"} & set(ids)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "{key}",
        "ApiKey",
        "Bearer {key}",
        "Basic {basic}",
        "apikey {key}",
        "ApiKey {key}x",
        "ApiKey  {key}",
    ],
)
def test_malformed_authorization_is_401(api: Api, authorization: str) -> None:
    key = api.key("full")
    value = authorization.format(key=key, basic=base64.b64encode(f"{key}:".encode()).decode())
    answer = api.put("rule_unknown", b"{", role=None, headers={"Authorization": value, "X-Request-ID": "mine"})
    assert answer.status_code == 401
    assert answer.json()["error"] == {"code": "unauthorized", "message": "Missing or invalid API key."}
    assert answer.headers["www-authenticate"].startswith("ApiKey")
    assert answer.headers["x-request-id"] == "mine"


def test_only_the_right_credentials_update(api: Api) -> None:
    before = api.control("state")["rules"]
    assert api.put(A, body(), role=None).status_code == 401
    assert api.put(A, body(), role="revoked").status_code == 401
    for key in KEYS:
        if key.role.startswith("scope.") or key.role in ("read_only", "unrelated", "trigger_only", "limited"):
            assert api.put(A, {"wrong": True}, role=key.role).json()["error"]["code"] == "forbidden"
    assert api.put(A, body(), role="other_org").status_code == 404
    assert api.put(OTHERS, body()).status_code == 404
    assert api.put("rule_unknown", body(), role="limited").status_code == 403
    assert api.control("state")["rules"] == before
    assert api.put(LIMITED, body(), role="limited").status_code == 200


@pytest.mark.parametrize("role", ["read_only", "limited", "unrelated", "trigger_only", "other_org"])
def test_reading_takes_the_read_scope(api: Api, role: str) -> None:
    expected = {"read_only": 200, "limited": 200, "other_org": 404}.get(role, 403)
    assert api.send("GET", f"/rules/{LIMITED}", role=role).status_code == expected


def test_not_found_names_the_id(api: Api) -> None:
    answer = api.put("rule_123", body())
    assert answer.status_code == 404
    assert answer.json() == {
        "error": {"code": "resource_not_found", "message": "Rule with id 'rule_123' was not found."}
    }
    assert "rule_123" not in api.control("state")["rules"]


@pytest.mark.parametrize(
    "path",
    [
        "a%2Fb",
        "a/b",
        "",
        "..",
        "%2e%2e%2f",
        "%00",
        f"{A}%00",
        f"{A}/",
        f"{A.lower()}",
        "%FF",
        "x" * 5000,
        "'%20OR%201=1",
    ],
)
def test_odd_ids_are_not_found(api: Api, path: str) -> None:
    before = api.control("state")["rules"]
    connection = httpx.Client()
    url = httpx.URL(api.server.base_url).copy_with(raw_path=f"/api/v1/rules/{path}".encode())
    answer = connection.put(url, json=body(), headers={"Authorization": f"ApiKey {api.key('full')}"})
    connection.close()
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "resource_not_found"
    assert api.control("state")["rules"] == before


_ACTION = "/steps/0/actions/0"


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/nickname", 5),
        ("/status", "Enabled"),
        ("/status", None),
        ("/trigger", None),
        ("/trigger/type", "HOURLY"),
        ("/trigger/schedule_type", "monthly"),
        ("/trigger/start_date", "2027-02-30T09:00:00Z"),
        ("/trigger/start_date", "2027-03-01T09:00:00"),
        ("/trigger/start_date", "2027-03-01"),
        ("/trigger/account_id", "acc_unknown"),
        ("/trigger/account_id", "acc_01ZOTHPOD1"),
        ("/steps", {}),
        ("/steps/0", []),
        ("/steps/0/conditions", {}),
        ("/steps/0/conditions", {"any": [], "all": []}),
        ("/steps/0/actions", None),
        (f"{_ACTION}/type", "transfer"),
        (f"{_ACTION}/amount_in_cents", "100"),
        (f"{_ACTION}/amount_in_cents", True),
        (f"{_ACTION}/amount_in_cents", -1),
        (f"{_ACTION}/amount_in_cents", 0.5),
        (f"{_ACTION}/amount_in_cents", 2**53),
        (f"{_ACTION}/amount_in_cents", 1e400),
        (f"{_ACTION}/amount_in_cents", float("nan")),
        (f"{_ACTION}/source/type", "pod"),
        (f"{_ACTION}/destination/id", "acc_01ZOTHINC2"),
        (f"{_ACTION}/group_index", -1),
        (f"{_ACTION}/up_to_enabled", "true"),
        (f"{_ACTION}/is_direct_deposit", None),
        (f"{_ACTION}/limit", {"period": "PER_DAY", "amount_in_cents": 1}),
    ],
)
def test_broken_bodies_are_refused_and_change_nothing(api: Api, pointer: str, value: Any) -> None:
    before = api.control("state")["rules"]
    answer = api.put(A, body(pointer, value))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_request"
    assert api.control("state")["rules"] == before


@pytest.mark.parametrize(
    "pointer",
    [
        "/status",
        "/trigger",
        "/steps",
        "/trigger/start_date",
        "/steps/0/actions",
        f"{_ACTION}/source",
        f"{_ACTION}/type",
    ],
)
def test_missing_fields_are_refused(api: Api, pointer: str) -> None:
    assert api.put(A, without(pointer)).status_code == 400


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"nickname": NaN}',
        b"\xef\xbb\xbf{}",
        '{"nickname": "é"}'.encode("latin-1"),
        "{}".encode("utf-16"),
        b'{"nickname": "\\ud800"}',
        b"[" * 10_000,
        b'{"nickname": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"nickname": ' + b"9" * 10_000 + b"}",
    ],
    ids=range(12),
)
def test_what_is_no_json_object_is_refused(api: Api, raw: bytes) -> None:
    assert api.put(A, raw).status_code == 400


def test_other_media_types_and_large_bodies_have_their_own_status(api: Api) -> None:
    assert api.send("PUT", f"/rules/{A}", body(), headers={"Content-Type": "text/plain"}).status_code == 415
    typed = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert api.send("PUT", f"/rules/{A}", body(), headers=typed).status_code == 200
    assert api.put(A, body(nickname="n" * 2**21)).status_code == 413
    assert api.put(A, body(steps=body()["steps"] * 1000)).status_code == 200


def test_shapes_beyond_the_example_are_stored(api: Api) -> None:
    loan = {"id": "acc_01HLOAN365", "type": "external_account", "name": None}
    condition = {
        "fact": "BALANCE",
        "operator": "LESS_THAN",
        "value_fact": "LAST_STATEMENT_BALANCE",
        "params": {"account_id": "acc_01HABC4567"},
    }
    common = {
        key: value for key, value in body()["steps"][0]["actions"][0].items() if key not in ("type", "amount_in_cents")
    }
    actions = [
        {**common, "type": "percentage", "percentage_value": 33.3333, "percentage_target": "incoming_amount"},
        {**common, "type": "top_up", "current_balance_account": loan, "amount_in_cents": None},
        {**common, "type": "next_payment_minimum", "destination": loan, "group_index": 7.0},
        {**common, "type": "percentage_liability_balance", "destination": loan, "percentage_value": 100},
        {
            **common,
            "type": "round_down",
            "amount_in_cents": 2**53 - 1,
            "limit": {"period": "PER_WEEK", "amount_in_cents": 5},
        },
    ]
    steps = [
        {"conditions": {"any": [{"all": [{"condition": condition}]}, {"any": []}]}, "actions": actions},
        {"actions": []},
    ]
    text = " \u0000e\u0301\U0001f600<b>'; -- "
    sent = body(nickname=text, trigger={"type": "MANUAL", "account_id": "acc_01HABC4567"}, steps=steps, unknown=1)
    answer = api.put(A, sent)
    assert answer.status_code == 200, answer.text
    data = api.get(A)
    assert data == answer.json()["data"]
    assert data["nickname"] == text
    assert [{**action, "is_direct_deposit": False} for action in actions] == data["steps"][0]["actions"]
    assert data["steps"][1] == {"conditions": None, "actions": []}
    assert "unknown" not in data


def test_omitted_and_null_clear(api: Api) -> None:
    api.put(A, body(nickname="old", description="old"))
    assert api.put(A, without("/nickname")).json()["data"]["nickname"] is None
    assert api.get(A)["description"] is None


def test_other_methods_do_not_update(api: Api) -> None:
    before = api.control("state")["rules"]
    for method in ("PATCH", "POST"):
        answer = api.send(method, f"/rules/{A}", body())
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PUT")
        assert api.send(method, f"/rules/{A}", body(), role=None).status_code == 401
    assert api.control("state")["rules"] == before


def test_only_an_enabled_rule_can_be_triggered(api: Api) -> None:
    assert api.send("POST", f"/rules/{A}/trigger", role="trigger_only").status_code == 202
    api.put(A, body(status="enabled"))
    assert api.send("POST", f"/rules/{A}/trigger", role="trigger_only").status_code == 409
    api.enable(A)
    assert api.send("POST", f"/rules/{A}/trigger").status_code == 202
    assert api.send("POST", f"/rules/{A}/trigger", role="read_only").status_code == 403
    assert api.control("state")["executions"] == [A, A]


def test_profile_names_what_exists(api: Api) -> None:
    profile = tomllib.loads(api.server.profile_toml)
    state = api.control("state")["rules"]
    rules = profile["rules"]
    assert {*rules["writable"], rules["limited"], rules["other_org"]} <= state.keys()
    statuses = {state[rule_id]["trigger"]["type"]: state[rule_id]["status"] for rule_id in rules["writable"][:2]}
    assert statuses == {"ON_FUNDS_TRANSFERRED": "enabled", "SCHEDULED": "disabled"}
    assert len(profile["accounts"]) + len(profile["other_org_accounts"]) == len(ACCOUNTS)
    assert profile["credentials"]["full"]["key_env"] in api.server.environment
    assert profile["credentials"]["scope"]["READ_CARDS"]["key_env"] in api.server.environment


def test_keys_share_no_run_of_eight_with_anything() -> None:
    ids = [account.id for account in ACCOUNTS] + [A, B, LIMITED, OTHERS]
    texts = [key.secret for key in KEYS] + ids + [key.organization_id for key in KEYS]
    for key in KEYS:
        assert len(key.secret) >= 32
        runs = {key.secret[start : start + 8] for start in range(len(key.secret) - 7)}
        assert not any(run in text for run in runs for text in texts if text != key.secret)
