"""Requests that show faults which take two conditions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.reference.api import LIMITED, OTHERS, A, Api, body, without
from tests.reference.battery.lines import LOAN, THEIRS, Lines, action, condition, put, shown, state, step

_ID = {"X-Request-ID": "mine"}
_OURS = action("fixed_amount", amount_in_cents=29)


def request_id(api: Api) -> Lines:
    """An id beside a key."""
    yield put(api, b"{", key="malformed", headers=_ID)
    yield put(api, body(), "rule_unknown", key="unknown", headers=_ID)
    yield put(api, body(), headers={"X-Request-ID": "6F1C2F3E-8A1D-4C5B-9E7F-0A1B2C3D4E5F"})


def envelope(api: Api) -> Lines:
    """A long nickname whose characters take two bytes each, off their alignment."""
    yield put(api, body(nickname="x" + "é" * 60))


def not_found(api: Api) -> Lines:
    """A key beside an id that is not there."""
    yield put(api, body(), "rule_unknown_with_key", key="made")


def auth(api: Api) -> Lines:
    """No key under another path; another scheme and an unknown rule."""
    yield put(api, body(), f"{A}/", role=None)
    yield put(api, body(), "rule_unknown", role=None, headers={"Authorization": f"Bearer {api.key('full')}"})
    yield put(api, body(), role=None, key="bearer", headers={"Authorization": f"Bearer {api.key('full')}"})
    yield put(api, body(), role=None, headers={"Authorization": f"Bearer ApiKey {api.key('full')}"})
    yield shown(api.send("GET", f"/rules/{A}", role="revoked"))
    yield shown(api.send("GET", f"/rules/{A}?api_key={api.key('full')}", role=None))


def authz(api: Api) -> Lines:
    """A key with a list under another spelling of the path; an account of others in the last of all places."""
    for rule_id in (A, LIMITED):
        yield put(api, body(), f"{rule_id[:-1]}%{ord(rule_id[-1]):02X}", role="limited")
    yield put(api, body(), f"{A}?id={LIMITED}", role="limited")
    theirs = action("fixed_amount", amount_in_cents=31, destination=THEIRS)
    yield put(api, body(steps=[step(_OURS), step(_OURS, theirs)]))
    at_theirs = condition(params={"account_id": THEIRS["id"]})
    yield put(api, body(steps=[step(_OURS), step(_OURS, conditions=at_theirs)]))
    yield put(api, body(steps=[step(_OURS, conditions={"any": [{"all": [at_theirs]}]})]))
    yield put(api, body(), role="limited", key="forbidden")


def update(api: Api) -> Lines:
    """A text that is left out after a refusal, and where the body says enabled; long text, of several bytes each."""
    limited = action("fixed_amount", amount_in_cents=31, limit={"period": "PER_WEEK", "amount_in_cents": 5})
    yield put(api, body(nickname="é" * 200, steps=[step(_OURS), step(_OURS, limited)]))
    yield put(api, body(steps=[step(dict(reversed(_OURS.items())))]))
    yield put(api, body(description="refused", status=5))
    yield put(api, without("/description"))
    yield put(api, body(description="held"))
    yield put(api, without("/description") | {"status": "enabled"})
    yield shown(api.send("GET", f"/rules/{A}"))


def rare_values(api: Api) -> Lines:
    """Texts that look like something else, dates of which every part counts, zeros, what is left out, long lists."""
    yield put(api, body(nickname="007", description="$$ “quoted”"))
    yield put(api, body(nickname="x\n", description="2027-01-01T00:00:00+02:00"))
    for date in ("2027-04-01T09:00:00.005Z", "2039-03-01T09:00:00Z"):
        yield put(api, body("/trigger/start_date", date))
    once = body("/trigger/start_date", "2027-04-01T09:00:00.25Z")
    yield put(api, once | {"trigger": once["trigger"] | {"schedule_type": "ONE_TIME"}})
    yield put(api, body(steps=[step(action("fixed_amount", amount_in_cents=31, source=LOAN))]))
    none = {"period": "PER_WEEK", "amount_in_cents": 0}
    yield put(api, body(steps=[step(action("fixed_amount", amount_in_cents=31, limit=none))]))
    share = action("percentage", percentage_value=0, percentage_target="source_account")
    yield put(api, body(steps=[step(share)]))
    yield put(api, body(steps=[step(_OURS, conditions=condition(value=1))]))
    yield put(api, body(steps=[{"actions": [_OURS]}]))
    falling = {"any": [condition(value=value) for value in (3, 2, 1)]}
    yield put(api, body(steps=[step(_OURS, conditions=falling)]))
    yield put(api, body(steps=[step(*[share | {"percentage_value": 33.33}] * 3)]))
    yield put(api, body(steps=[step(share | {"percentage_value": 33.33333})]))
    yield put(api, body(steps=[step(_OURS)] * 25))
    yield shown(api.send("GET", f"/rules/{A}"))


def concurrency(api: Api) -> Lines:
    """Two updates that each leave alone what the other one changes."""
    api.put(A, body(nickname="old", description="old"))
    both = [body(nickname="new", description="old"), body(nickname="old", description="new")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda content: api.put(A, content), both))
    rule = state(api)[A]
    yield str((rule["nickname"], rule["description"]) in (("new", "old"), ("old", "new")))


def _at_theirs() -> dict[str, Any]:
    return body(trigger={"type": "MANUAL", "account_id": THEIRS["id"]}, steps=[])


def idempotency(api: Api) -> Lines:
    """Keys of limited callers and of others; after a 401 and a refused body; with another body hours later."""
    for _ in range(2):
        yield put(api, body(), LIMITED, role="limited", key="of-limited")
        yield put(api, _at_theirs(), OTHERS, role="other_org", key="of-others")
    yield put(api, body(), role=None, key="after-a-401")
    yield put(api, body(steps="none"), key="after-a-refusal")
    for key in ("after-a-401", "after-a-refusal"):
        yield put(api, body(), key=key)
        yield put(api, body(), key=key)
    for _ in range(2):
        yield put(api, body(status="enabled"), key="enabling")
    for hours in (0, 2):
        api.control("clock", advance_seconds=hours * 3600)
        yield put(api, body(nickname=f"{hours}"), key="hours-later")


def status(api: Api) -> Lines:
    """Enabled rules: with a long description, of a limited key, of others, for a day; a replay hours later; another
    trigger alone; a used key."""
    api.enable(A)
    yield put(api, body(description="long " * 20))
    api.enable(LIMITED)
    yield put(api, body(steps="none"), LIMITED, role="limited")
    yield put(api, body(), LIMITED, role="limited")
    api.enable(OTHERS)
    yield put(api, _at_theirs(), OTHERS, role="other_org")
    api.enable(A)
    api.control("clock", advance_seconds=25 * 3600)
    yield put(api, body())
    yield put(api, body(), key="hours-before")
    api.enable(A)
    api.control("clock", advance_seconds=2 * 3600)
    yield put(api, body(), key="hours-before")
    api.enable(A)
    yield put(api, body("/trigger/schedule_type", "WEEKLY") | {"status": "enabled"})
    api.enable(A)
    yield put(api, body("/trigger/schedule_type", "WEEKLY", description="another"))
    api.enable(A)
    yield put(api, body(nickname="another"), key="hours-before")
