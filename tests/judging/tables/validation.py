"""What is wrong is refused, whole, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from tests.judging.episodes import JSON, action, answered, body, get, lost, ok, put, refused, rule, steps
from tests.judging.rows import HOLDS, Broken, Row, Table, row

wrong = partial(put, content="broken", place="/trigger", mutation="missing")
encoded = partial(put, content="encoding", requirement="validation.encoding", named="UTF-16")
large = partial(put, content="size", requirement="validation.size", named="deep nesting")
DISGUISED = answered(200, {"error": {"code": "invalid", "message": "Refused."}})
ACCOUNT = "/trigger:SCHEDULED/account_id"
NO_ACCOUNT = body(steps=steps(action(destination={"id": "0", "type": "pod"})), nickname=5)
"""Two things are wrong: the nickname is a number, and an account is not there."""
LONE = b'{"nickname":"\\ud800","status":"disabled"}'


def _refuses(requirement: str, content: Any = "broken") -> Sequence[Row]:
    ask = partial(
        put, content=content, requirement=requirement, named="a mutation", place="/trigger", mutation="missing"
    )
    return (
        row("it is refused", ask(refused(400)), HOLDS),
        row("it is refused with another status, which is judged elsewhere", ask(refused(409)), HOLDS),
        row("it is accepted", ask(ok()), Broken("missing accepted", "/trigger", told="to a mutation")),
        row("it is accepted with 202", ask(ok(status=202)), Broken("missing accepted", "/trigger")),
        row(
            "it is accepted at an inferred place",
            ask(ok(), standing="inferred"),
            Broken("missing accepted", inferred=True),
        ),
        row("it is accepted, and should not be", ask(ok(), level="should"), Broken("missing accepted", level="should")),
        row(
            "it is accepted, and has no place",
            ask(ok(), place="", mutation=""),
            Broken("a mutation accepted", "a mutation"),
        ),
        row("it is refused with the status of a success", ask(DISGUISED), HOLDS),
        row(
            "it is accepted, and the answer holds an error too",
            ask(ok(error={"code": "c"})),
            Broken("missing accepted"),
        ),
        row("it is accepted, and the answer is empty", ask(answered(200, {})), Broken("missing accepted")),
        row("the server fails, which is judged elsewhere", ask(answered(500, {}))),
        row("there is no time for it", ask(refused(429))),
        row("nothing comes back", ask(lost("timeout"))),
        row("whoever may not sends it", ask(ok(), access="no-permission")),
        row("it is for another requirement", put(ok(), content="broken", requirement="update.identity")),
    )


TABLE: Table = {
    "validation.required": _refuses("validation.required"),
    "validation.type": _refuses("validation.type"),
    "validation.enum": _refuses("validation.enum"),
    "validation.bounds": _refuses("validation.bounds"),
    "validation.syntax": _refuses("validation.syntax", "syntax"),
    "validation.media-type": _refuses("validation.media-type", "media-type"),
    "validation.encoding": (
        row("it is refused", encoded(refused(400)), HOLDS),
        row("it is stored as it was meant", encoded(ok(), json.dumps(body()).encode("utf-16")), HOLDS),
        row("it is stored altered", encoded(ok(rule(nickname="?"))), Broken("stored altered", "UTF-16")),
        row("it is stored with another status", encoded(ok(), body(status="enabled")), HOLDS),
        row("a lone surrogate is stored as it is", encoded(answered(200, b'{"data":' + LONE + b"}"), LONE), HOLDS),
        row("a lone surrogate becomes a question mark", encoded(ok({"nickname": "?"}), LONE), Broken("stored altered")),
        row(
            "it is not text at all, and is stored",
            encoded(ok(), b"\xff\xfe\xfd"),
            Broken("stored altered", told="any Unicode"),
        ),
        row(
            "it is a text of no object, and is stored",
            encoded(ok(), b'"text"'),
            Broken("stored altered", told="not an object"),
        ),
        row("the server fails, which is judged elsewhere", encoded(answered(500, {}))),
        row("there is no time for it", encoded(refused(429))),
        row("it is for another requirement", put(ok(rule(nickname="?")))),
    ),
    "validation.size": (
        row("it is for another requirement", put(ok())),
        row("it is accepted", large(ok()), HOLDS),
        row("it is too large", large(refused(413)), HOLDS),
        row("it is refused", large(refused(400)), HOLDS),
        row("the server fails", large(answered(500, {})), Broken("answered 500", "deep nesting")),
        row("the gateway gives up", large(answered(504, b"")), Broken("answered 504")),
        row("nothing comes in time, once", large(lost("timeout"))),
        row("the connection is closed while it is sent", large(lost("closed"))),
        row("there is no time for it", large(refused(429))),
        row(
            "the server has no time, and says until when",
            large(answered(503, {}, headers=(*JSON, ("Retry-After", "9")))),
        ),
        row("a small body gets no answer in time", put(lost("timeout"))),
    ),
    "validation.atomic": (
        row("a refused body changes nothing", [wrong(refused()), get(rule())], HOLDS, before=rule()),
        row(
            "a refused body changes the nickname",
            [wrong(refused()), get(rule(nickname="Half"))],
            Broken("changed", "/trigger", by_states=True),
            before=rule(),
        ),
        row(
            "a refused body clears the steps",
            [wrong(refused()), get(rule(steps=[]))],
            Broken("changed", by_states=True),
            before=rule(),
        ),
        row(
            "one of several refused bodies changes something",
            [wrong(refused()), wrong(refused(), place="/steps"), get(rule(nickname="Half"))],
            Broken("changed", "several requests", by_states=True),
            before=rule(),
        ),
        row("one of several was accepted", [wrong(refused()), wrong(ok()), get(rule(nickname="Half"))], before=rule()),
        row(
            "what is refused under a key that it repeats changes something, which is judged elsewhere",
            [wrong(refused(), key="k", repeats=0), get(rule(nickname="Half"))],
            before=rule(),
        ),
        row(
            "what was refused is refused again under its key, and changes something",
            [wrong(refused(), key="k", repeats=0, purpose="replay"), get(rule(nickname="Half"))],
            Broken("changed", by_states=True),
            before=rule(),
        ),
        row("it has no body", [wrong(refused(), content="none"), get(rule(nickname="Half"))], before=rule()),
        row(
            "what is refused under a new key changes something",
            [wrong(refused(), key="k"), get(rule(nickname="Half"))],
            Broken("changed", by_states=True),
            before=rule(),
        ),
        row(
            "whoever may not changes something",
            [wrong(refused(401), access="unauthenticated"), get(rule(nickname="Half"))],
            before=rule(),
        ),
        row("the server failed", [wrong(answered(500, {})), get(rule(nickname="Half"))], before=rule()),
        row(
            "another method was refused",
            [put(refused(405), method="PATCH", content="none"), get(rule(nickname="x"))],
            before=rule(),
        ),
        row(
            "another method refuses a body",
            [wrong(refused(), method="PATCH"), get(rule(nickname="Half"))],
            before=rule(),
        ),
        row("nobody knows how the rule was", [wrong(refused()), get(rule(nickname="Half"))]),
    ),
    "validation.status": (
        row("the refusal is a 400", wrong(refused(400)), HOLDS),
        row("the refusal is a 422", wrong(refused(422)), HOLDS),
        row("the refusal of a size is a 413", put(refused(413), content="size"), HOLDS),
        row("the refusal of a content type is a 415", put(refused(415), content="media-type"), HOLDS),
        row("the refusal of a foreign account is a 404", put(refused(404), content="foreign-account"), HOLDS),
        row("the refusal of an account's id is a 404", wrong(refused(404), place=ACCOUNT), HOLDS),
        row("the refusal is a 404", wrong(refused(404)), Broken("answered 404", "broken body")),
        row("the refusal is a 404, and an account is not there", wrong(refused(404), sent=NO_ACCOUNT), HOLDS),
        row("the refusal is a 403, and an account is not there", wrong(refused(403), sent=NO_ACCOUNT), HOLDS),
        row(
            "the refusal is a 409, and an account is not there",
            wrong(refused(409), sent=NO_ACCOUNT),
            Broken("answered 409", "broken body"),
        ),
        row(
            "the refusal is a 404, and our rule names the account, so that it is there",
            wrong(refused(404), sent=NO_ACCOUNT),
            Broken("answered 404", "broken body"),
            before=rule(**{name: NO_ACCOUNT[name] for name in ("trigger", "steps")}),
        ),
        row("a repeated refusal is for its key", [wrong(refused(400)), wrong(refused(409), repeats=0)], HOLDS),
        row("the refusal is a 409", wrong(refused(409)), Broken("answered 409")),
        row("the refusal is a 413 to a small body", wrong(refused(413)), Broken("answered 413")),
        row("the refusal is a 200", wrong(DISGUISED), Broken("answered 200", "broken body")),
        row(
            "the refusal of malformed JSON is a 404",
            put(refused(404), content="syntax"),
            Broken("answered 404", "syntax body"),
        ),
        row("the refusal of a size is a 415", put(refused(415), content="size"), Broken("answered 415", "size body")),
        row("the refusal of an account's id is a 409", wrong(refused(409), place=ACCOUNT), Broken("answered 409")),
        row("headers are too large for the server", wrong(refused(431))),
        row("there is no time for it", wrong(refused(429))),
        row("it is accepted, which is judged elsewhere", wrong(ok())),
        row("the server fails, which is judged elsewhere", wrong(answered(500, {}))),
        row("the server fails in the error envelope", wrong(refused(500))),
        row("a valid body is refused", put(refused(404))),
        row("whoever may not sends it", wrong(refused(403), access="no-permission")),
        row("an unknown id gets it", wrong(refused(404), whose="unknown")),
    ),
}
