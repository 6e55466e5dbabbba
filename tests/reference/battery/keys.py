"""Requests that show faults of idempotency keys."""

from __future__ import annotations

import json

from tests.reference.api import LIMITED, OTHERS, A, Api, B, body
from tests.reference.battery.lines import Lines, put, shown
from tests.reference.battery.races import numbered, simultaneous

_LONG = ("k" * 32 + "1", "k" * 32 + "2", "k" * 200 + "1", "k" * 200 + "2")
_UUID = "6f1c2f3e-8a1d-4c5b-9e7f-0a1b2cabcdef"
_ALIKE = (_UUID, _UUID.upper(), "k", "K", "1", "1.0", "7", "007", "a_b", "a~b", "ab", "of:a_b", *_LONG)
_ODD = ("k" * 256, "", "a b", "a/b", "0", "null", "undefined", "constructor", "__proto__")


def idempotency(api: Api) -> Lines:
    yield from _spelled(api)
    yield from _shared(api)
    yield from _refused(api)
    yield from _without_key(api)
    for key in ("race-1", "race-2", "race-3"):  # on a busy machine requests may miss each other
        yield simultaneous(api, [numbered(1)] * 4, [key] * 4, [A] * 4)
        api.enable(A)
        yield simultaneous(api, [numbered(2)] * 4, [f"{key}-enabled"] * 4, [A] * 4)
    yield from _large(api)
    yield from _kept(api)


def _spelled(api: Api) -> Lines:
    """Keys that are alike or odd, each with a body of its own, then each again."""
    for _ in range(2):
        for key in (*_ALIKE, *_ODD):
            yield put(api, body(nickname=key), key=key)
    yield shown(api.send("PUT", f"/rules/{A}", body(), headers=[(b"Idempotency-Key", "é".encode())]))


def _shared(api: Api) -> Lines:
    """One key for other rules, callers, bodies and spellings."""
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
    yield put(api, body(steps="wrong"), key="k")
    yield put(api, body(nickname="k"), key="k")
    yield put(api, body(nickname="other"), B, key="K")
    yield put(api, body(nickname="other"), key="0")
    yield put(api, body(nickname="k"), f"{A}?a=b", key="k")
    yield put(api, body(nickname="k"), key="k", headers={"X-Request-ID": "another"})
    for role in ("full", "limited"):
        yield put(api, body(), LIMITED, role=role, key="shared")


def _refused(api: Api) -> Lines:
    """Keys whose first request is refused."""
    for _ in range(2):
        yield put(api, body(description="Épargne"), key="accented")
    for role in ("revoked", "read_only", "full"):
        yield put(api, body(), role=role, key="fresh")
    for content, key in (
        ({}, "one"),
        (body(), "one"),
        (body("/trigger/account_id", "acc_unknown"), "two"),
        (body(), "two"),
    ):
        yield put(api, content, key=key)


def _without_key(api: Api) -> Lines:
    """Requests that are alike and have no key."""
    for nickname in ("n", "m", "n"):
        yield put(api, body(nickname=nickname))
    for nickname in ("n", "m"):
        yield put(api, body(nickname=nickname), headers={"X-Request-ID": "same"})


def _large(api: Api) -> Lines:
    """A large body under a key, and again."""
    for _ in range(2):
        yield put(api, body(steps=body()["steps"] * 200), key="large")


def _kept(api: Api) -> Lines:
    """Replays that are late: after many of them, after hours, after many other keys."""
    for _ in range(10):
        yield shown(api.put(A, body(nickname="k"), key="k"))
    for hours in (1, 11, 11.9, 0.2):
        api.control("clock", advance_seconds=hours * 3600)
        yield put(api, body(nickname="k"), key="k")
    for number in range(101):
        yield shown(api.put(A, body(), key=f"later-{number}"))
    yield put(api, body(nickname="k"), key="k")
