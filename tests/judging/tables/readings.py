"""Which answers a target gives to the questions that the documentation leaves open, where one request shows it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from tests.judging.episodes import action, answered, body, get, lost, ok, put, refused, rule, steps
from tests.judging.rows import Row, Says, Table, row

wrong = partial(put, content="broken")
further = partial(put, sent=body(colour="red"), content="open", reading="reading.unknown-properties")
nested = partial(
    put,
    sent=body(steps=steps(action(colour="red"))),
    content="open",
    reading="reading.unknown-properties",
    place="/steps/*/actions/*",
)
TWICE = (
    json.dumps(body())
    .encode()
    .replace(b'"nickname": "Monthly savings transfer"', b'"nickname": "One", "nickname": "Two"')
)
twice = partial(put, sent=TWICE, content="open", reading="reading.duplicate-names", place="/nickname")

DEPOSIT = "/steps/*/actions/*:{}/is_direct_deposit"
TOTAL_DUE = action(type="total_amount_due", amount_in_cents=..., up_to_enabled=...)
FIXED_AND_DUE = steps(action(is_direct_deposit=False), TOTAL_DUE)

BARE_DAILY = {
    **{name: value for name, value in body()["trigger"].items() if name != "account_id"},
    "schedule_type": "DAILY",
}
"""A trigger that lacks what the example's has, and has another schedule."""
OBJECTS = json.dumps(body()).encode()[:-1] + b', "trigger": ' + json.dumps(BARE_DAILY).encode() + b"}"
objects = partial(put, sent=OBJECTS, content="open", reading="reading.duplicate-names", place="/trigger")


def _accepted_or_refused(reading: str, accepted: str) -> Sequence[Row]:
    ask = partial(put, content="open", reading=reading, place="/steps")
    return (
        row("it is accepted", ask(ok()), Says(accepted, "/steps")),
        row("it is refused with 400", ask(refused(400)), Says("refused", "/steps")),
        row("it is refused with 422", ask(refused(422)), Says("refused", "/steps")),
        row(
            "it has no place, but a kind", ask(ok(), place="", open_feature="empty-text"), Says(accepted, "empty-text")
        ),
        row("both are asked", ask(ok(), open_feature="blank-text"), Says(accepted, "/steps blank-text")),
        row("it has no place and no kind", ask(ok(), place="", named="a probe"), Says(accepted, "a probe")),
        row("it is refused for something else", ask(refused(403))),
        row("the server fails", ask(answered(500, {}))),
        row("there is no time for it", ask(refused(429))),
        row("nothing comes back", ask(lost())),
        row("another question was asked", put(ok(), reading="reading.duplicate-names")),
    )


BARE = {**body()["trigger"], "start_date": "2028-03-01T09:00Z"}
DATE = "/trigger:SCHEDULED/start_date"
SECONDS = f"{DATE} format:no-seconds"
lenient = partial(
    put,
    sent=body(trigger=BARE),
    content="open",
    reading="reading.lenient-date-times",
    place=DATE,
    mutation="format:no-seconds",
)

TABLE: Table = {
    "reading.validation-status": (
        row("its key was used with another body", [put(ok(), key="k"), wrong(refused(422), key="k", repeats=0)]),
        row("a wrong body is a 400", wrong(refused(400), named="a probe"), Says("400", "a probe")),
        row(
            "a wrong body is a 422", wrong(refused(422), place="/status", mutation="null"), Says("422", "/status null")
        ),
        row(
            "a wrong type is a 422",
            wrong(refused(422), place="/status", mutation="null", requirement="validation.type"),
            Says("422", "validation.type: /status null"),
        ),
        row("a case of the boundary goes by its name", wrong(refused(400), boundary="x"), Says("400", "a probe")),
        row("a wrong body is a 409", wrong(refused(409))),
        row("a wrong body is accepted", wrong(ok())),
        row("malformed JSON is a 400", put(refused(400), content="syntax")),
        row("whoever may not sends a wrong body", wrong(refused(400), access="no-permission")),
    ),
    "reading.unknown-properties": (
        row("it is ignored", further(ok()), Says("ignored", "top level")),
        row("it is stored", further(ok(rule(colour="red"))), Says("stored", "top level")),
        row("it is refused", further(refused()), Says("refused", "top level")),
        row("it is ignored further down", nested(ok()), Says("ignored", "/steps/*/actions/*")),
        row(
            "it is stored further down",
            nested(ok(rule(steps=steps(action(colour="red"))))),
            Says("stored", "/steps/*/actions/*"),
        ),
        row("the server adds another field", further(ok(rule(version=1))), Says("ignored", "top level")),
        row("the server fails", further(answered(500, {}))),
        row("another question was asked", put(ok(rule(colour="red")), body(colour="red"))),
    ),
    "reading.duplicate-names": (
        row("it is refused", twice(refused()), Says("refused", "/nickname")),
        row("the last one counts", twice(ok(rule(nickname="Two"))), Says("last", "/nickname")),
        row("the first one counts", twice(ok(rule(nickname="One"))), Says("first", "/nickname")),
        row("neither is there", twice(ok(rule(nickname="Three")))),
        row("both are there", twice(ok(rule(nickname="One", description="Two")))),
        row("the last object counts", objects(ok(rule(trigger=BARE_DAILY))), Says("last", "/trigger")),
        row("the first object counts", objects(ok()), Says("first", "/trigger")),
        row(
            "the objects are one",
            objects(ok(rule(trigger={**BARE_DAILY, "account_id": body()["trigger"]["account_id"]}))),
            Says("neither", "/trigger"),
        ),
        row("the server fails at objects", objects(answered(500, {}))),
        row("no name stands twice", put(ok(), reading="reading.duplicate-names")),
        row("the server fails", twice(answered(500, {}))),
        row("the server fails, and shows one", twice(answered(500, {"data": rule(nickname="Two")}))),
        row("another question was asked", put(ok(rule(nickname="Two")), TWICE)),
    ),
    "reading.null-conditions": _accepted_or_refused("reading.null-conditions", "null"),
    "reading.integral-float": _accepted_or_refused("reading.integral-float", "accepted"),
    "reading.empty": _accepted_or_refused("reading.empty", "stored"),
    "reading.lenient-date-times": (
        row("a time without seconds is refused", lenient(refused(422)), Says("refused", SECONDS)),
        row("a time without seconds is stored as it is", lenient(ok(rule(trigger=BARE))), Says("stored", SECONDS)),
        row(
            "a time without seconds is stored with them",
            lenient(ok(rule(trigger={**BARE, "start_date": "2028-03-01T09:00:00Z"}))),
            Says("stored", SECONDS),
        ),
        row(
            "a time without seconds is stored as another one, which is judged elsewhere",
            lenient(ok(rule(trigger={**BARE, "start_date": "2028-03-01T00:00:00Z"}))),
        ),
        row("it is refused as if an account were not there", lenient(refused(404))),
        row("there is no time for it", lenient(refused(429))),
        row("it is for another question", put(refused(400), reading="reading.empty")),
    ),
    "reading.defaults": (
        row(
            "the default is added",
            put(ok(rule(steps=steps(action(is_direct_deposit=False))))),
            Says("added", DEPOSIT.format("fixed_amount")),
        ),
        row("the default is not added", put(ok()), Says("not-added", DEPOSIT.format("fixed_amount"))),
        row(
            "it is added to the documented action alone",
            put(ok(rule(steps=FIXED_AND_DUE)), body(steps=steps(action(), TOTAL_DUE))),
            Says("added", DEPOSIT.format("fixed_amount")),
            Says("not-added", DEPOSIT.format("total_amount_due")),
        ),
        row("the default was sent", put(ok(), body(steps=steps(action(is_direct_deposit=False))))),
        row("the steps are a text, which is judged elsewhere", put(ok(rule(steps="steps")))),
        row("there is no action", put(ok(rule(steps=[])), body(steps=[]))),
        row("the answer is a replay", put(ok(), repeats=0)),
        row("a read shows it", get(rule(steps=steps(action(is_direct_deposit=False))))),
    ),
}
