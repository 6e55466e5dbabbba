"""404: an id that is not there is neither found nor made."""

from __future__ import annotations

from functools import partial

from tests.judging.episodes import NOWHERE, answered, get, ok, put, refused, rule
from tests.judging.rows import HOLDS, Broken, Table, row

ask_unknown = partial(put, rule=NOWHERE, whose="unknown", requirement="not-found.unknown-id", named="an unknown id")
ask_odd = partial(put, rule="..", whose="odd", requirement="not-found.odd-ids", named="dots")
read_unknown = partial(get, rule=NOWHERE, whose="unknown")

TABLE: Table = {
    "not-found.unknown-id": (
        row("an unknown id is not found", ask_unknown(refused(404)), HOLDS),
        row(
            "an unknown id is not found on reading",
            read_unknown(refused(404), requirement="not-found.unknown-id"),
            HOLDS,
        ),
        row("an unknown id is updated", ask_unknown(ok()), Broken("answered 200", "an unknown id")),
        row("an unknown id is created", ask_unknown(ok(status=201)), Broken("answered 201")),
        row("an unknown id is forbidden", ask_unknown(refused(403)), Broken("answered 403")),
        row(
            "an unknown id is not found by a router",
            ask_unknown(answered(404, b"<h1>Not Found</h1>", headers=(("Content-Type", "text/html"),))),
            Broken("404 without the error envelope"),
        ),
        row("an unknown id, and no time", ask_unknown(refused(429))),
        row("a known id is not found", put(refused(404))),
    ),
    "not-found.no-upsert": (
        row("the unknown id is unknown afterwards", [ask_unknown(refused(404)), read_unknown(refused(404))], HOLDS),
        row(
            "the unknown id is there afterwards",
            [ask_unknown(refused(404)), read_unknown(rule(NOWHERE))],
            Broken("the rule is there afterwards"),
        ),
        row("the unknown id is read only", [read_unknown(rule(NOWHERE))]),
        row("another unknown id is read", [ask_unknown(refused(404)), get(rule(), rule="rule_else", whose="unknown")]),
        row("a known id is there afterwards", [put(ok()), get(rule())]),
    ),
    "not-found.odd-ids": (
        row("an odd id is not found", ask_odd(refused(404)), HOLDS),
        row("an odd id is refused", ask_odd(refused(400)), HOLDS),
        row("an odd id is redirected", ask_odd(answered(308, b"")), HOLDS),
        row("an odd id is too long for the server", ask_odd(answered(414, b"")), HOLDS),
        row("an odd id is not implemented by an edge", ask_odd(answered(501, b"")), HOLDS),
        row("an odd id updates some rule", ask_odd(ok()), Broken("answered 200", "dots")),
        row("an odd id makes the server fail", ask_odd(answered(500, {})), Broken("answered 500")),
        row("an odd id, and no time", ask_odd(refused(429))),
        row("an odd id for another requirement", put(ok(), rule="..", whose="odd")),
    ),
}
