"""When a rule was made and when it was last updated."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.judging.episodes import NOWHERE, UPDATED, Sent, answered, get, lost, ok, put, refused, rule
from tests.judging.rows import HOLDS, Broken, Says, Table, row

MADE, SOONER, LATER = "2026-03-01T10:00:00Z", "2026-06-01T08:59:59Z", "2026-06-01T09:00:01Z"
FINE, FINER = "2026-06-01T09:00:00.500Z", "2026-06-01T09:00:00.501Z"
before_making = rule(updated_at="2026-02-01T10:00:00Z")


def at(moment: Any, nickname: str = "New", **about: Any) -> Sent:
    """An executed update that is answered with this time."""
    return put(ok(rule(updated_at=moment, nickname=nickname)), **about)


first = partial(at, nickname="Old")

TABLE: Table = {
    "update.created-at-kept": (
        row("created_at is as it was", put(ok()), HOLDS, before=rule()),
        row(
            "created_at is as it was, in another zone",
            put(ok(rule(created_at="2026-03-01T11:00:00+01:00"))),
            HOLDS,
            before=rule(),
        ),
        row(
            "created_at is new in the answer",
            put(ok(rule(created_at=UPDATED))),
            Broken("changed", "/created_at"),
            before=rule(),
        ),
        row(
            "created_at is new in a read", [put(ok()), get(rule(created_at=UPDATED))], Broken("changed", "/created_at")
        ),
        row(
            "created_at changes once",
            [put(ok(rule(created_at=UPDATED))), get(rule(created_at=UPDATED))],
            Broken("changed"),
            HOLDS,
            before=rule(),
        ),
        row(
            "created_at is not a date-time, which is judged elsewhere", put(ok(rule(created_at="then"))), before=rule()
        ),
        row("created_at is missing, which is judged elsewhere", put(ok(rule(created_at=...))), before=rule()),
        row("created_at was not known", put(ok())),
        row("the answer is a replay", put(ok(rule(created_at=UPDATED)), repeats=0), before=rule()),
        row(
            "the rule did not exist",
            put(ok(rule(NOWHERE)), rule=NOWHERE, whose="unknown"),
            before=rule(NOWHERE, created_at=UPDATED),
        ),
        row("the update was refused", put(refused()), before=rule()),
    ),
    "update.updated-at": (
        row("one update is after the making", at(UPDATED), HOLDS),
        row("updated_at advances", [first(UPDATED), at(LATER, at=(3, 4))], HOLDS, HOLDS),
        row("updated_at is the same within a second", [first(UPDATED), at(UPDATED, at=(0.8, 0.9))], HOLDS, HOLDS),
        row("nothing changed, and updated_at neither", [at(UPDATED), at(UPDATED, at=(3, 4))], HOLDS, HOLDS),
        row("fine times are the same within a tick", [first(FINE), at(FINE, at=(0.52, 0.9))], HOLDS, HOLDS),
        row("times in tenths are the same within one", [first(FINE), at(FINE, at=(0.58, 0.9))], HOLDS, HOLDS),
        row("fine times advance by a little", [first(FINE), at(FINER, at=(3, 4))], HOLDS, HOLDS),
        row("an update is before the making", put(ok(before_making)), Broken("before created_at", "/updated_at")),
        row(
            "updated_at goes back",
            [first(UPDATED), at(SOONER)],
            HOLDS,
            Broken("goes back", "/updated_at", shown_by=(0, 1)),
        ),
        row("the earlier updated_at is no time", [first("soon"), at(UPDATED)], HOLDS),
        row("the later updated_at is no time", [first(UPDATED), at("soon")], HOLDS),
        row(
            "updated_at stays for seconds", [first(UPDATED), at(UPDATED, at=(3, 4))], HOLDS, Broken("does not advance")
        ),
        row("times in thousandths stay", [first(FINER), at(FINER, at=(0.58, 0.9))], HOLDS, Broken("does not advance")),
        row("fine times stay for a while", [first(FINE), at(FINE, at=(0.7, 0.9))], HOLDS, Broken("does not advance")),
        row(
            "an update of another rule is earlier",
            [first(UPDATED), put(ok(rule("rule_b", updated_at=SOONER)), rule="rule_b")],
            HOLDS,
            HOLDS,
        ),
        row("two updates overlapped", [first(UPDATED, at=(0, 2)), at(SOONER, at=(1, 3))], HOLDS, HOLDS),
        row("created_at is not a date-time", put(ok(rule(created_at="then"))), HOLDS),
        row("updated_at is not a date-time, which is judged elsewhere", at("now")),
        row("the answer is a replay", at(SOONER, repeats=0)),
        row("the update was refused", put(refused())),
        row("the update was lost", put(lost())),
    ),
    "reading.timestamp-form": (
        row("updated_at ends in Z", at(UPDATED), Says("z")),
        row("updated_at ends in a small z", at("2026-06-01t09:00:00z"), Says("z")),
        row("updated_at has an offset", at("2026-06-01T09:00:00+00:00"), Says("offset")),
        row("updated_at is a number", at(1780304400)),
        row("updated_at is empty", at("")),
        row("the answer is a replay", at(UPDATED, repeats=0)),
        row("a read shows it", get(rule())),
        row("the server fails", put(answered(500, {}))),
        row("the making is not asked about", put(ok(rule(updated_at=..., created_at=MADE)))),
    ),
}
