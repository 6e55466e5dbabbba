"""Idempotency keys, the clock, and simultaneous requests."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.reference.api import OTHERS, A, Api, B, body


def test_replays_give_the_original_and_do_not_execute(api: Api) -> None:
    first = api.put(A, body(nickname="one"), key="k")
    api.put(A, body(nickname="two"), key="l")
    api.enable(A)
    for _ in range(3):
        assert api.put(A, body(nickname="one"), key="k").json() == first.json()
    stored = api.get(A)
    assert (stored["nickname"], stored["status"]) == ("two", "enabled")


def test_other_bodies_under_a_key_are_not_executed(api: Api) -> None:
    api.put(A, body(nickname="one"), key="k")
    assert api.put(A, body(nickname="two"), key="k").status_code == 422
    assert api.put(A, json.dumps(body(nickname="one"), indent=1).encode(), key="k").status_code == 422
    assert api.get(A)["nickname"] == "one"


def test_a_key_belongs_to_caller_and_rule(api: Api) -> None:
    api.put(A, body(nickname="one"), key="k")
    assert api.put(B, body(nickname="one"), key="k").json()["data"]["id"] == B
    theirs = api.get(OTHERS, role="other_org")
    fields = ("nickname", "description", "status", "trigger", "steps")
    answer = api.put(OTHERS, {field: theirs[field] for field in fields}, role="other_org", key="k")
    assert answer.json()["data"]["id"] == OTHERS


def test_refusals_do_not_use_a_key_up(api: Api) -> None:
    assert api.put(A, body(), role=None, key="k").status_code == 401
    assert api.put(A, body(), role="read_only", key="k").status_code == 403
    assert api.put(A, b"{", key="k").status_code == 400
    assert api.put(A, body(), key="k").status_code == 200
    assert api.put(A, body(), role=None, key="k").status_code == 401
    assert api.put(A, body(), role="read_only", key="k").status_code == 403


@pytest.mark.parametrize(("key", "status"), [("x", 200), ("~" * 255, 200), ("", 400), ("x" * 256, 400), ("a b", 400)])
def test_any_visible_ascii_is_a_key(api: Api, key: str, status: int) -> None:
    assert api.put(A, body(), key=key).status_code == status


def test_keys_last_24_hours(api: Api) -> None:
    first = api.put(A, body(), key="k")
    api.control("clock", advance_seconds=24 * 3600 - 5)
    assert api.put(A, body(), key="k").json() == first.json()
    api.control("clock", advance_seconds=6)
    later = api.put(A, body(), key="k").json()["data"]
    assert later["updated_at"] > first.json()["data"]["updated_at"]


def test_the_clock_stamps_and_reset_puts_it_back(api: Api) -> None:
    api.control("clock", advance_seconds=366 * 24 * 3600)
    ahead = api.put(A, body()).json()["data"]["updated_at"]
    api.control("reset")
    assert api.get(A)["nickname"] == "Save what comes in"
    assert api.put(A, body()).json()["data"]["updated_at"] < ahead
    assert "error" in api.control("clock", advance_seconds=-1)
    assert "error" in api.control("clock", advance_seconds=1e30)
    assert "error" in api.control("clock", seconds=1)


def _simultaneously(api: Api, bodies: list[dict[str, Any]], keys: list[str | None], rules: list[str]) -> list[Any]:
    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(
            pool.map(lambda each: api.put(each[0], each[1], key=each[2]), zip(rules, bodies, keys, strict=True))
        )


def test_simultaneous_duplicates_execute_once(api: Api) -> None:
    answers = _simultaneously(api, [body()] * 8, ["k"] * 8, [A] * 8)
    assert len({answer.text for answer in answers}) == 1
    named = [body(nickname=str(number)) for number in range(8)]
    answers = _simultaneously(api, named, ["l"] * 8, [B] * 8)
    assert sorted(answer.status_code for answer in answers) == [200] + [422] * 7
    (winner,) = (answer for answer in answers if answer.status_code == 200)
    assert api.get(B) == winner.json()["data"]


def test_simultaneous_updates_are_whole(api: Api) -> None:
    api.enable(A)
    named = [body(nickname=str(n), description=str(n), steps=body()["steps"] * (n + 1)) for n in range(8)]
    answers = _simultaneously(api, named, [None] * 8, [A, B] * 4)
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["data"]["nickname"] for answer in answers} == {str(n) for n in range(8)}
    for rule_id in (A, B):
        stored = api.get(rule_id)
        assert stored["status"] == "disabled"
        assert stored["nickname"] == stored["description"] == str(len(stored["steps"]) - 1)


def test_latency_is_added_and_does_not_block_others(api: Api) -> None:
    api.server.configure(latency_ms=400)
    start = time.monotonic()
    answers = _simultaneously(api, [body()] * 8, [f"k{n}" for n in range(8)], [A] * 8)
    assert {answer.status_code for answer in answers} == {200}
    assert 0.2 < time.monotonic() - start < 2.4
