"""Methods and headers beside the documented ones."""

from __future__ import annotations

from functools import partial

from tests.judging.episodes import JSON, answered, get, lost, ok, put, refused, rule
from tests.judging.rows import HOLDS, Broken, Table, row

patch = partial(put, method="PATCH", requirement="http.methods", named="PATCH")
headed = partial(put, requirement="http.headers", named="a huge header")
ALLOW = (*JSON, ("Allow", "GET, PUT"))
LATER = (*JSON, ("Retry-After", "1"))

TABLE: Table = {
    "http.methods": (
        row("the method is not allowed, and others are named", patch(refused(405, headers=ALLOW)), HOLDS),
        row("the method is unknown", patch(refused(404)), HOLDS),
        row("the method is not implemented", patch(answered(501, b"")), HOLDS),
        row("the method is forbidden", patch(refused(403)), HOLDS),
        row(
            "the method is not allowed, and no others are named",
            patch(refused(405)),
            Broken("405 without Allow", "PATCH", told="405 without Allow"),
        ),
        row("the method updates", patch(ok()), Broken("answered 200", "PATCH", told="status")),
        row("the method has the body looked at", patch(refused(400)), Broken("answered 400")),
        row("the rule is as it was", [patch(refused(404)), get(rule())], HOLDS, HOLDS, before=rule()),
        row(
            "the rule has changed all the same",
            [patch(refused(404)), get(rule(nickname="Patched"))],
            HOLDS,
            Broken("changed", "PATCH", by_states=True),
            before=rule(),
        ),
        row("there is no time for it", patch(refused(429))),
        row("a PUT updates", put(ok())),
        row("another method for another requirement", put(ok(), method="OPTIONS")),
    ),
    "http.headers": (
        row("odd headers are taken", headed(ok()), HOLDS),
        row("odd headers are refused", headed(refused(431)), HOLDS),
        row("odd headers make the server fail", headed(answered(500, {})), Broken("answered 500", "a huge header")),
        row("the server has no time, and says until when", headed(answered(503, {}, headers=LATER))),
        row("the rule is as it was after a refusal", [headed(refused(431)), get(rule())], HOLDS, HOLDS, before=rule()),
        row(
            "the rule has changed after a refusal",
            [headed(refused(431)), get(rule(nickname="Hit"))],
            HOLDS,
            Broken("changed", "a huge header", by_states=True),
            before=rule(),
        ),
        row("the rule has changed after a success", [headed(ok()), get(rule(nickname="New"))], HOLDS, before=rule()),
        row("the connection is closed", headed(lost())),
        row("ordinary headers are taken", put(ok())),
    ),
}
