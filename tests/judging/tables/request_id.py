"""The request identifier: echoed where the client sent one, made where it did not."""

from __future__ import annotations

from functools import partial

from tests.judging.episodes import JSON, answered, body, get, lost, ok, put, refused, resent, under_another_path
from tests.judging.rows import HOLDS, Broken, Table, row

named = partial(put, request_id="mine-1")
stranger = partial(named, caller="none", access="unauthenticated")
wrong = partial(named, content="broken")
odd = partial(put, hostile=True, named="a long id")
LONG = "Mine-" + "1" * 300
TWO = (*JSON, ("X-Request-ID", "mine-1"), ("X-Request-ID", "theirs-1"))
TWICE = (*JSON, ("X-Request-ID", "mine-1"), ("X-Request-ID", "mine-1"))

TABLE: Table = {
    "request-id.echo-header": (
        row("the id comes back", named(ok(header="mine-1")), HOLDS),
        row("the id of a read comes back", get(ok(header="mine-1"), request_id="mine-1"), HOLDS),
        row("the id comes back twice", named(ok(headers=TWICE)), HOLDS),
        row("no id comes back", named(ok()), Broken("not echoed", "update")),
        row("another id comes back", named(ok(header="req_1")), Broken("another id", "update")),
        row("the id comes back in other letters", named(ok(header="MINE-1")), Broken("another id")),
        row(
            "another id of a read comes back",
            get(ok(header="req_1"), request_id="mine-1"),
            Broken("another id", "read"),
        ),
        row("the id comes back beside another one", named(ok(headers=TWO)), Broken("another id", "update")),
        row("the client sent no id", put(ok(header="req_1"))),
        row("the id was odd", odd(ok(header="req_1"), request_id=LONG)),
        row("the answer is a replay", [named(ok(header="mine-1")), named(ok(), repeats=0)], HOLDS),
        row("the request was one of several at once", named(ok(), group=1)),
        row("the update was refused, which is judged elsewhere", named(refused(401))),
        row("the connection was lost", named(lost())),
    ),
    "request-id.echo-body": (
        row("the id is in the body", named(ok(request_id="mine-1")), HOLDS),
        row("another id is in the body", named(ok(request_id="req_1")), Broken("another id", "update")),
        row("no id is in the body", named(answered(200, {"data": body()})), Broken("not echoed", "update")),
        row("a read has another id in its body", get(ok(), request_id="mine-1"), Broken("another id", "read")),
        row("the answer holds no rule, which is judged elsewhere", named(answered(200, {"request_id": "req_1"}))),
        row("the answer is not JSON, which is judged elsewhere", named(answered(200, b"done"))),
        row("the client sent no id", put(ok())),
        row("the update was refused", named(refused(400))),
        row("the answer is a replay", named(ok(), repeats=0)),
    ),
    "request-id.generated": (
        row("an id was made", put(ok(header="req_1")), HOLDS),
        row("an id was made for a read", get(ok(header="req_1")), HOLDS),
        row("another run may have used the key", put(ok(header="req_2"), key="0")),
        row("the key may have been used by the request itself", resent(put(ok(header="req_2"), key="key-a"))),
        row(
            "the request left twice, without a key",
            resent(put(ok(header="req_2"))),
            Broken("header and body differ", "update"),
        ),
        row("no id is in the header", put(ok()), Broken("no id in the header", "update")),
        row("an empty id is in the header", put(ok(header="")), Broken("no id in the header")),
        row("no id is in the body", put(ok(header="req_1", request_id=...)), Broken("no id in the body", "update")),
        row("an empty id is in the body", put(ok(header="req_1", request_id="")), Broken("no id in the body")),
        row("header and body have different ids", put(ok(header="req_2")), Broken("header and body differ", "update")),
        row("the client sent an id", named(ok())),
        row("the update was refused", put(refused(400))),
        row("the answer holds no rule, which is judged elsewhere", put(answered(200, {}))),
        row("the answer is a replay", put(ok(), repeats=0)),
        row("the request was one of several at once", put(ok(), group=1)),
    ),
    "request-id.unique": (
        row("two answers have ids of their own", [put(ok(header="req_1")), put(ok(header="req_2"))], HOLDS),
        row("a refusal has an id of its own", [put(ok(header="req_1")), put(refused(header="req_2"))], HOLDS),
        row(
            "two answers have one id",
            [put(ok(header="req_1")), put(ok(header="req_1"))],
            Broken("the same id again", "update"),
        ),
        row(
            "a read has the id of an update",
            [put(ok(header="req_1")), get(ok(header="req_1"))],
            Broken("the same id again", "read"),
        ),
        row("only the bodies have ids, and one", [put(ok()), put(ok())], Broken("the same id again")),
        row("there is one answer", put(ok(header="req_1"))),
        row("no answer has an id", [put(ok(request_id=...)), put(ok(request_id=...))]),
        row("the client sent the ids", [named(ok(header="mine-1")), named(ok(header="mine-1"))]),
        row("the second is a replay", [put(ok(header="req_1")), put(ok(header="req_1"), repeats=0)]),
    ),
    "request-id.on-errors": (
        row("a 401 echoes the id", stranger(refused(401, header="mine-1")), HOLDS),
        row("a 403 echoes the id", named(refused(403, header="mine-1"), access="no-permission"), HOLDS),
        row("a 404 echoes the id", named(refused(404, header="mine-1"), whose="unknown"), HOLDS),
        row("the refusal of a body echoes the id", wrong(refused(400, header="mine-1")), HOLDS),
        row("the companion is not there", get(answered(405, b""))),
        row("the framework has no such path", under_another_path(named(refused(404), access="no-permission"))),
        row("a 401 has no id", stranger(refused(401)), Broken("not echoed on 401", "401 to update")),
        row("a 404 has another id", named(refused(404, header="req_1")), Broken("another id on 404", "404 to update")),
        row("the refusal of a body has no id", wrong(refused(422)), Broken("not echoed on 422", "broken body")),
        row("a 401 has a second id", stranger(refused(401, headers=TWO)), Broken("another id on 401")),
        row("a 401 has an id that was made", put(refused(401, header="req_1"), access="unauthenticated"), HOLDS),
        row(
            "a 401 has no id, and the client sent none",
            put(refused(401), access="unauthenticated"),
            Broken("no header on 401", "401 to update"),
        ),
        row("a proxy refused the size", wrong(refused(413), content="size")),
        row("the server could not read the request", wrong(refused(400), raw=True)),
        row("the update succeeded", named(ok())),
        row("the update succeeded, and the client sent no id", put(ok())),
        row("a valid body was refused", named(refused(400))),
        row("the answer is a replay", stranger(refused(401), repeats=0)),
    ),
    "request-id.hostile": (
        row("an odd id comes back", odd(ok(header=LONG), request_id=LONG), HOLDS),
        row("an odd id is replaced", odd(ok(header="req_1"), request_id=LONG), HOLDS),
        row("an odd id is refused", odd(refused(400), request_id=LONG), HOLDS),
        row("an odd id has no answer in the header", odd(ok(), request_id=LONG), HOLDS),
        row("white space at the ends of an id is lost", odd(ok(header="mine"), request_id=" mine\t"), HOLDS),
        row("two ids come back as one", odd(ok(header="mine-1, mine-2"), request_id=("mine-1", "mine-2")), HOLDS),
        row("the first of two ids comes back", odd(ok(header="mine-1"), request_id=("mine-1", "mine-2")), HOLDS),
        row(
            "an odd id is cut",
            odd(ok(header=LONG[:64]), request_id=LONG),
            Broken("altered", "a long id", told=LONG[:40]),
        ),
        row("an odd id is in other letters", odd(ok(header=LONG.lower()), request_id=LONG), Broken("altered")),
        row("an odd id is refused, altered", odd(refused(400, header=LONG[:64]), request_id=LONG), HOLDS),
        row(
            "an odd id makes the server fail",
            odd(answered(500, {}), request_id=LONG),
            Broken("answered 500", told='500 "'),
        ),
        row("an odd id is too large for the server", odd(refused(431), request_id=LONG)),
        row("the id was plain", named(ok(header="other"))),
    ),
}
