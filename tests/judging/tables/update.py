"""An update reaches the rule that it was sent to, and no other; and what is plausible is accepted."""

from __future__ import annotations

from functools import partial

from tests.judging.episodes import OTHER, RULE, answered, body, get, lost, ok, put, refused, rule, under_another_path
from tests.judging.rows import HOLDS, Broken, Table, row

claim = partial(put, requirement="update.identity", content="open", named="a claim", place="/organization_id")
twice = partial(put, requirement="update.repeatable", named="the same again")
example = partial(put, requirement="update.documented-example")
plausible = partial(put, requirement="update.accepts-valid")
OURS, THEIRS = {"organization_id": "org_ours"}, {"organization_id": "org_theirs"}

TABLE: Table = {
    "update.read-back": (
        row("the read gives what the update answered", [put(ok()), get(rule())], HOLDS),
        row("the status and the times of making are judged elsewhere", [put(ok()), get(rule(status="enabled"))], HOLDS),
        row(
            "the read gives another id",
            [put(ok()), get(rule("17"))],
            Broken("changed", "/id", by_states=True),
        ),
        row(
            "the read finds no rule, which there was before",
            [put(ok()), get(refused(404))],
            Broken("the rule is gone", by_states=True, explained=True),
            before=rule(),
        ),
        row("the read finds no rule, which nobody had read", [put(ok()), get(refused(404))]),
        row(
            "the read finds no rule, which a read had found",
            [get(rule()), put(ok()), get(refused(404))],
            Broken("the rule is gone", by_states=True, told="404"),
        ),
        row("a read by another path finds none", [put(ok()), under_another_path(get(refused(404)))], before=rule()),
        row("a read by somebody else finds none", [put(ok()), get(refused(404), whose="foreign")], before=rule()),
        row("the read is not allowed any more", [put(ok()), get(refused(403))], before=rule()),
        row(
            "the read gives the old nickname",
            [put(ok(rule(nickname="New"))), get(rule(nickname="Old"))],
            Broken("changed", "/nickname", by_states=True),
        ),
        row(
            "the read gives another time of the update",
            [put(ok()), get(rule(updated_at="2026-06-01T09:00:01Z"))],
            Broken("changed", "/updated_at", by_states=True),
        ),
        row(
            "the read gives the same time in another zone",
            [put(ok()), get(rule(updated_at="2026-06-01T11:00:00+02:00"))],
            HOLDS,
        ),
        row(
            "the read gives a step more",
            [put(ok()), get(rule(steps=[*body()["steps"], *body()["steps"]]))],
            Broken("length", "/steps", by_states=True),
        ),
        row("the answer has no time of the update", [put(ok(rule(updated_at=...))), get(rule())], HOLDS),
        row("only the first read is compared", [put(ok()), get(rule()), get(rule(nickname="Else"))], HOLDS),
        row(
            "the last of two updates is what is compared",
            [put(ok(rule(nickname="One"))), put(ok(rule(nickname="Two"))), get(rule(nickname="Two"))],
            HOLDS,
        ),
        row("an update was refused in between", [put(ok()), put(refused()), get(rule(nickname="Else"))]),
        row("an update was lost in between", [put(ok()), put(lost()), get(rule(nickname="Else"))]),
        row("a replay came in between", [put(ok()), put(ok(), repeats=0), get(rule(nickname="Else"))]),
        row(
            "two updates overlapped",
            [put(ok(), at=(0, 2)), put(ok(), at=(1, 3)), get(rule(nickname="Else"), at=(4, 5))],
        ),
        row("another rule is read", [put(ok()), get(rule(OTHER, nickname="Else"), rule=OTHER)]),
        row("the update answered no data", [put(ok(data=...)), get(rule())]),
        row("the read came together with other requests", [put(ok()), get(rule(nickname="Else"), group=1)]),
    ),
    "update.identity": (
        row("the data has the id of the path", put(ok()), HOLDS),
        row("the data has another id", put(ok(rule(OTHER))), Broken("another id", "/id")),
        row("the data has no id", put(ok(rule(id=...))), Broken("another id", "/id")),
        row("a replay has the id of another rule, which is judged elsewhere", put(ok(rule(OTHER)), repeats=0)),
        row("the id did not exist, which is judged elsewhere", put(ok(rule(OTHER)), whose="unknown")),
        row("an ordinary update is refused", put(refused())),
        row("a claim is refused", claim(refused(), body(**THEIRS)), HOLDS),
        row("a claim is ignored", claim(ok(), body(**THEIRS)), HOLDS, HOLDS),
        row(
            "a claim is granted",
            claim(ok(rule(**THEIRS)), body(**THEIRS)),
            HOLDS,
            Broken("taken from the body", "/organization_id"),
            before=rule(**OURS),
        ),
        row(
            "a claim is granted, as the read says",
            [claim(ok(rule(**OURS)), body(**THEIRS)), get(rule(**THEIRS))],
            HOLDS,
            Broken("taken from the body", "/organization_id"),
            before=rule(**OURS),
        ),
        row("a claim is what was so before", claim(ok(rule(**OURS)), body(**OURS)), HOLDS, HOLDS, before=rule(**OURS)),
        row(
            "a claim is stored as a field that rules do not have",
            claim(ok(rule(**THEIRS)), body(**THEIRS)),
            HOLDS,
            HOLDS,
            before=rule(),
        ),
        row(
            "created_at is taken from the body",
            claim(ok(rule(created_at="2020-01-01T00:00:00Z")), body(created_at="2020-01-01T00:00:00Z")),
            HOLDS,
            Broken("taken from the body", "/created_at"),
            before=rule(),
        ),
        row(
            "the rule is gone after a claim",
            [claim(ok(), body(**THEIRS)), get(refused(404))],
            HOLDS,
            HOLDS,
            Broken("the rule is gone", "/organization_id"),
            before=rule(),
        ),
        row(
            "the read after a claim is put off",
            [claim(ok(), body(**THEIRS)), get(refused(429))],
            HOLDS,
            HOLDS,
            before=rule(),
        ),
        row(
            "a further field is granted to whoever claims nothing",
            put(ok(rule(**THEIRS)), body(**THEIRS)),
            HOLDS,
            before=rule(**OURS),
        ),
        row(
            "the rule is gone, and nobody knows whether it was there",
            [claim(ok(), body(**THEIRS)), get(refused(404))],
            HOLDS,
            HOLDS,
        ),
        row(
            "the next update finds no rule",
            [claim(ok(), body(**THEIRS)), put(refused(404))],
            HOLDS,
            HOLDS,
            before=rule(),
        ),
        row("a claim has no data, which is judged elsewhere", claim(ok(data=...), body(**THEIRS))),
        row("a claim makes the server fail", claim(answered(500, {"data": rule(OTHER)}), body(**THEIRS))),
        row(
            "the rule changes after a claim",
            [claim(ok(), body(**THEIRS)), get(rule()), get(rule(nickname="Else"))],
            HOLDS,
            HOLDS,
            before=rule(),
        ),
        row(
            "another rule changed before a claim",
            [get(rule(OTHER, nickname="Hit"), rule=OTHER), claim(ok(), body(**THEIRS))],
            HOLDS,
            HOLDS,
            before=rule(OTHER),
        ),
        row(
            "another rule was updated after a claim",
            [
                claim(ok(), body(**THEIRS)),
                put(ok(rule(OTHER)), rule=OTHER),
                get(rule(OTHER, nickname="Hit"), rule=OTHER),
            ],
            HOLDS,
            HOLDS,
            HOLDS,
            before=rule(OTHER),
        ),
        row(
            "an id in the body names another rule, which stays as it was",
            [claim(ok(), body(id=OTHER)), get(rule()), get(rule(OTHER), rule=OTHER)],
            HOLDS,
            HOLDS,
            HOLDS,
            before=(rule(), rule(OTHER)),
        ),
        row(
            "an id in the body makes the update fall on another rule",
            [
                claim(ok(rule(nickname="New")), body(id=OTHER, nickname="New")),
                get(rule(OTHER, nickname="New"), rule=OTHER),
            ],
            HOLDS,
            HOLDS,
            Broken("fell on another rule", "/organization_id", by_states=True),
            before=(rule(), rule(OTHER, nickname="Old")),
        ),
        row(
            "of two ways of naming another rule the second falls on it",
            [
                claim(ok(), body(id=OTHER)),
                get(rule(OTHER), rule=OTHER),
                claim(ok(rule(nickname="New")), body(id=OTHER, nickname="New")),
                get(rule(OTHER, nickname="New"), rule=OTHER),
            ],
            *[HOLDS] * 5,
            Broken("fell on another rule", "/organization_id", by_states=True, shown_by=(2, 3)),
            before=(rule(), rule(OTHER)),
        ),
    ),
    "update.isolated": (
        row("the other rule is as it was", [put(ok()), get(rule(OTHER), rule=OTHER)], HOLDS, before=rule(OTHER)),
        row(
            "the other rule has changed",
            [put(ok()), get(rule(OTHER, nickname="Hit"), rule=OTHER)],
            Broken("changed", "another rule", by_states=True),
            before=rule(OTHER),
        ),
        row(
            "the other rule is enabled now",
            [put(ok()), get(rule(OTHER, status="enabled"), rule=OTHER)],
            Broken("changed", by_states=True),
            before=rule(OTHER),
        ),
        row(
            "the other rule was sent something too",
            [put(ok()), put(ok(rule(OTHER)), rule=OTHER), get(rule(OTHER, nickname="Hit"), rule=OTHER)],
            before=rule(OTHER),
        ),
        row(
            "the update came afterwards", [get(rule(OTHER, nickname="Hit"), rule=OTHER), put(ok())], before=rule(OTHER)
        ),
        row(
            "the update was refused", [put(refused()), get(rule(OTHER, nickname="Hit"), rule=OTHER)], before=rule(OTHER)
        ),
        row("nobody knows how the other rule was", [put(ok()), get(rule(OTHER), rule=OTHER)]),
        row(
            "an operator enabled it before the update",
            [put(ok()), get(rule(OTHER), rule=OTHER), get(rule(OTHER, status="enabled"), rule=OTHER)],
            HOLDS,
            before=rule(OTHER),
        ),
        row("there is no other rule", [put(ok()), get(rule())], before=rule()),
    ),
    "update.repeatable": (
        row("the same body leaves the same rule", [twice(ok()), twice(ok())], HOLDS),
        row("only updated_at differs", [twice(ok()), twice(ok(rule(updated_at="2026-06-02T09:00:00Z")))], HOLDS),
        row(
            "the second time the rule is another",
            [twice(ok()), twice(ok(rule(steps=[*body()["steps"], *body()["steps"]])))],
            Broken("another rule the second time", "the same again", told="entries instead of"),
        ),
        row(
            "the second time the status is another",
            [twice(ok()), twice(ok(rule(status="enabled")))],
            Broken("another rule the second time", told=" is "),
        ),
        row("the second time it is refused", [twice(ok()), twice(refused(409))], Broken("answered 409", told="409")),
        row(
            "the third time differs",
            [twice(ok()), twice(ok()), twice(ok(rule(nickname="3")))],
            HOLDS,
            Broken("another rule the second time"),
        ),
        row("the second time there is no time", [twice(ok()), twice(refused(429))]),
        row("the first time it was refused", [twice(refused()), twice(ok())]),
        row("two updates for another requirement differ", [put(ok()), put(ok(rule(nickname="Else")))]),
    ),
    "update.documented-example": (
        row("the example is accepted", example(ok()), HOLDS),
        row(
            "the example is refused",
            example(refused()),
            Broken("answered 400", "the page's example, varied", level="must"),
        ),
        row("the example is forbidden", example(refused(403)), Broken("answered 403", level="must")),
        row("there is no time for the example", example(refused(429))),
        row("the server fails, which is judged elsewhere", example(answered(500, {}))),
        row("whether it is accepted is open", example(refused(), acceptance="open")),
        row("another body is refused", plausible(refused())),
    ),
    "update.accepts-valid": (
        row("a plausible body is accepted", plausible(ok(), acceptance="should"), HOLDS),
        row(
            "a plausible body is refused",
            plausible(refused(422), acceptance="should", shapes=("/a",)),
            Broken("answered 422", "a plausible body", level="should", featured=True),
        ),
        row(
            "the example, varied, is refused",
            plausible(refused(), shapes=("/a",)),
            Broken("answered 400", "the page's example, varied", level="must", featured=True),
        ),
        row("whether it is accepted is open", plausible(refused(), acceptance="open")),
        row("there is no time for it", plausible(refused(429))),
        row("the server fails, which is judged elsewhere", plausible(answered(500, {}))),
        row("the documented example is refused", example(refused(), rule=RULE)),
    ),
}
