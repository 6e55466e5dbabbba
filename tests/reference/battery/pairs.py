"""Requests that show faults which take two conditions."""

from __future__ import annotations

from tests.reference.api import LIMITED, A, Api, body, without
from tests.reference.battery.lines import THEIRS, Lines, action, condition, put, shown, step

_ID = {"X-Request-ID": "mine"}
_OURS = action("fixed_amount", amount_in_cents=29)


def request_id(api: Api) -> Lines:
    """An id beside a key."""
    yield put(api, b"{", key="malformed", headers=_ID)
    yield put(api, body(), "rule_unknown", key="unknown", headers=_ID)


def auth(api: Api) -> Lines:
    """No key under another path; another scheme and an unknown rule."""
    yield put(api, body(), f"{A}/", role=None)
    yield put(api, body(), "rule_unknown", role=None, headers={"Authorization": f"Bearer {api.key('full')}"})


def authz(api: Api) -> Lines:
    """A key with a list under another spelling of the path; an account of others in the last of all places."""
    for rule_id in (A, LIMITED):
        yield put(api, body(), f"{rule_id[:-1]}%{ord(rule_id[-1]):02X}", role="limited")
    theirs = action("fixed_amount", amount_in_cents=31, destination=THEIRS)
    yield put(api, body(steps=[step(_OURS), step(_OURS, theirs)]))
    at_theirs = condition(params={"account_id": THEIRS["id"]})
    yield put(api, body(steps=[step(_OURS), step(_OURS, conditions=at_theirs)]))


def update(api: Api) -> Lines:
    """A text that is left out after a refusal, and where the body says enabled; long text, of several bytes each."""
    limited = action("fixed_amount", amount_in_cents=31, limit={"period": "PER_WEEK", "amount_in_cents": 5})
    yield put(api, body(nickname="é" * 200, steps=[step(_OURS), step(_OURS, limited)]))
    yield put(api, body(description="refused", status=5))
    yield put(api, without("/description"))
    yield put(api, body(description="held"))
    yield put(api, without("/description") | {"status": "enabled"})
    yield shown(api.send("GET", f"/rules/{A}"))


def status(api: Api) -> Lines:
    """A long description of an enabled rule."""
    api.enable(A)
    yield put(api, body(description="long " * 20))
