"""What every answer looks like: envelopes and codes."""

from __future__ import annotations

from functools import partial

from tests.judging.episodes import (
    JSON,
    NOWHERE,
    RULE,
    answered,
    body,
    get,
    lost,
    ok,
    put,
    refused,
    rule,
    trigger,
    under_another_path,
)
from tests.judging.rows import HOLDS, Broken, Says, Table, row

wrong = partial(put, content="broken")
stranger = partial(put, access="unauthenticated")
unpermitted = partial(put, access="no-permission")
lookup = partial(put, rule=NOWHERE, whose="unknown")
HTML = (("Content-Type", "text/html"),)
DEEP = b'{"request_id": "req_1", "data": ' + b'{"all": [' * 1_500 + b"]}" * 1_500 + b"}"
NAMES_IT = f"Rule with id '{NOWHERE}' was not found."
NAMELESS = {**rule()["trigger"], "account_id": ""}

TABLE: Table = {
    "envelope.success": (
        row("an update is answered in the envelope", put(ok()), HOLDS),
        row("a read is answered in the envelope", get(rule()), HOLDS),
        row("the envelope holds more than it must", put(ok(links={})), HOLDS),
        row("an error that is null is none", put(ok(error=None)), HOLDS),
        row("the answer is not JSON", put(answered(200, b"done")), Broken("no JSON object", "update")),
        row("the answer nests deeper than can be read here", put(answered(200, DEEP))),
        row("the answer is an array", put(answered(200, [rule()])), Broken("no JSON object")),
        row("the answer is the bare rule", put(answered(200, rule())), Broken("no request_id")),
        row("the request id is missing", put(ok(request_id=...)), Broken("no request_id")),
        row("the request id is empty", put(ok(request_id="")), Broken("no request_id")),
        row("the request id is a number", put(ok(request_id=17)), Broken("no request_id")),
        row("the data is missing", put(ok(data=...)), Broken("no data object")),
        row("the data is an array", put(ok([rule()])), Broken("no data object")),
        row("the data of a read is null", get(ok(data=None)), Broken("no data object", "read")),
        row("a success holds an error", put(ok(error={"code": "invalid"})), Broken("error in a success")),
        row("the answer was cut off by us", put(answered(200, b'{"request_id', cut=True))),
        row("the update was refused", put(refused())),
        row("the rule was triggered", trigger(ok())),
        row("another method was answered", put(answered(200, b""), method="OPTIONS")),
    ),
    "envelope.rule-schema": (
        row("the data is a rule", put(ok()), HOLDS),
        row("the data holds further fields", put(ok(rule(version=3))), HOLDS),
        row("created_at is missing", put(ok(rule(created_at=...))), Broken("not as the schema says", "/")),
        row("updated_at is not a date-time", put(ok(rule(updated_at="now"))), Broken("not as the schema says")),
        row(
            "the status is none of the two", put(ok(rule(status="paused"))), Broken("not as the schema says", "/status")
        ),
        row("the nickname is a number", put(ok(rule(nickname=1))), Broken("not as the schema says", "/nickname")),
        row("a step is a text", put(ok(rule(steps=["s"]))), Broken("not as the schema says", "/steps/*")),
        row("the trigger names no account, and says so by an empty id", put(ok(rule(trigger=NAMELESS))), HOLDS),
        row("the body was wrong and was accepted", wrong(ok(rule(steps="s")))),
        row("the answer holds no data, which is judged elsewhere", put(ok(data=...))),
        row("the answer is a replay", put(ok(rule(steps="s")), repeats=0)),
        row("a read shows it", get(rule(steps="s"))),
        row("the update was refused", put(refused())),
    ),
    "envelope.success-status": (
        row("an update answers 200", put(ok()), HOLDS),
        row("an update answers 201", put(ok(status=201)), Broken("answered 201", "update")),
        row("an update answers 204", put(answered(204, b"")), Broken("answered 204")),
        row("an update was refused", put(refused())),
        row("an unknown id is updated, which is judged elsewhere", lookup(ok(status=201))),
        row("a read answers 203", get(ok(status=203))),
    ),
    "envelope.error": (
        row("a 401 is in the error envelope", stranger(refused(401)), HOLDS),
        row("a 404 to a read is in the error envelope", get(refused(404)), HOLDS),
        row("the companion is not there", get(answered(405, b""))),
        row("the refusal of a body is in the error envelope", wrong(refused(422)), HOLDS),
        row("the refusal of malformed JSON is in the error envelope", put(refused(400), content="syntax"), HOLDS),
        row("data that is null is none", wrong(refused(400, data=None)), HOLDS),
        row(
            "a key that was used is refused, whatever the body",
            [put(ok(), key="key-a"), wrong(answered(409, b""), key="key-a", repeats=0)],
        ),
        row(
            "the framework has no such path",
            under_another_path(unpermitted(answered(404, b"Not Found", headers=(("Content-Type", "text/plain"),)))),
        ),
        row(
            "an unknown key, under another path, is in the error envelope",
            under_another_path(stranger(refused(401))),
            HOLDS,
        ),
        row("the error is a text", wrong(answered(400, {"error": "bad"})), Broken("no error object", "broken body")),
        row("the error is a problem document", wrong(answered(400, {"title": "bad"})), Broken("no error object")),
        row("a 401 has an empty body", stranger(answered(401, b"")), Broken("no error object", "401 to update")),
        row("a 403 is an array", unpermitted(answered(403, [])), Broken("no error object", "403 to update")),
        row("the code is missing", wrong(answered(400, {"error": {"message": "m"}})), Broken("no error.code")),
        row("the code is empty", wrong(refused(400, "")), Broken("no error.code")),
        row(
            "the code is a number",
            wrong(answered(400, {"error": {"code": 4, "message": "m"}})),
            Broken("no error.code"),
        ),
        row("the message is missing", wrong(answered(400, {"error": {"code": "c"}})), Broken("no error.message")),
        row("the message is empty", wrong(refused(400, "c", "")), Broken("no error.message")),
        row("an error holds data", wrong(refused(400, data=rule())), Broken("data in an error")),
        row("a proxy refuses the size", put(answered(413, b"", headers=HTML), content="size")),
        row("the server cannot read the request", put(answered(400, b""), content="syntax", raw=True)),
        row("a router refuses an odd id", put(answered(404, b""), rule="..", whose="odd")),
        row("another method is not allowed", put(answered(404, b""), method="PATCH")),
        row("whoever may not has the body refused", unpermitted(answered(422, {}), content="broken")),
        row("an unknown id has the body refused", lookup(answered(422, {}), content="broken")),
        row("a wrong body is accepted", wrong(answered(200, {}))),
        row("a valid body is refused", put(answered(400, {}))),
        row("the update succeeded", put(ok())),
        row("the connection was lost", stranger(lost())),
    ),
    "envelope.error-code": (
        row("a 401 carries its code", stranger(refused(401)), HOLDS),
        row("the framework has no such path", under_another_path(unpermitted(refused(404, "not_found")))),
        row("a 403 carries its code", unpermitted(refused(403)), HOLDS),
        row("a 404 carries its code", lookup(refused(404)), HOLDS),
        row(
            "a 401 carries another code",
            stranger(refused(401, "forbidden")),
            Broken('"forbidden" for 401', "401 to update"),
        ),
        row("a 403 carries another code", unpermitted(refused(403, "no")), Broken('"no" for 403')),
        row("a 404 carries another code", get(refused(404, "NOT_FOUND")), Broken('"NOT_FOUND" for 404', "404 to read")),
        row("the code is missing, which is judged elsewhere", stranger(answered(401, {"error": {"message": "m"}}))),
        row("a 400 carries a code of its own", wrong(refused(400, "invalid_body"))),
        row("an odd id is not found", put(refused(404, "nope"), rule="..", whose="odd")),
        row("the update succeeded", put(ok())),
    ),
    "envelope.not-found-names-id": (
        row("the message names the id", lookup(refused(404, message=NAMES_IT)), HOLDS),
        row(
            "the message of a read names the id",
            get(refused(404, message=NAMES_IT), rule=NOWHERE, whose="unknown"),
            HOLDS,
        ),
        row("the message names no id", lookup(refused(404)), Broken("id not in the message", "404 to update")),
        row("the message names another id", lookup(refused(404, message=f"{RULE}?")), Broken("id not in the message")),
        row("there is no message, which is judged elsewhere", lookup(answered(404, {"error": {"code": "c"}}))),
        row("a known id is not found", put(refused(404))),
        row("another organization finds nothing", put(refused(404), access="other-organization")),
        row("the key has a list of rules", lookup(refused(404), access="open")),
        row("the id is forbidden", lookup(refused(403))),
    ),
    "envelope.code-stable": (
        row("the same request has the same code", [wrong(refused(400, "a")), wrong(refused(400, "a"))], HOLDS),
        row(
            "the same request has another code",
            [wrong(refused(400, "a"), place="/status"), wrong(refused(400, "b"), place="/status")],
            Broken("answered in two ways", "/status"),
        ),
        row(
            "the same request has another status",
            [wrong(refused(400, "a")), wrong(refused(422, "a"))],
            Broken("answered in two ways"),
        ),
        row(
            "the third differs from the first",
            [wrong(refused(400, "a")), wrong(refused(400, "a")), wrong(refused(400, "b"))],
            HOLDS,
            Broken("answered in two ways"),
        ),
        row("another caller has another code", [wrong(refused(401)), wrong(refused(403), caller="limited")]),
        row("another rule has another code", [wrong(refused(400, "a")), wrong(refused(400, "b"), rule="rule_b")]),
        row("another place has another code", [wrong(refused(400, "a")), wrong(refused(400, "b"), place="/trigger")]),
        row("another fault has another code", [wrong(refused(400, "a")), wrong(refused(400, "b"), named="other")]),
        row(
            "another sort of value has another code",
            [wrong(refused(400, "a")), wrong(refused(400, "b"), mutation="null")],
        ),
        row(
            "another body, in which something else may be wrong, has another code",
            [wrong(refused(400, "a")), wrong(refused(400, "b"), body(nickname=5))],
        ),
        row("a key may have an answer of its own", [wrong(refused(400, "a")), wrong(refused(409, "b"), key="k")]),
        row("there was no time for the second", [wrong(refused(400, "a")), wrong(refused(429, "b"))]),
        row("the second succeeded", [wrong(refused(400, "a")), wrong(ok())]),
        row("there is one answer", wrong(refused(400, "a"))),
    ),
    "reading.error-request-id": (
        row("an error has no request id", wrong(refused(400)), Says("absent", "400")),
        row("an error has a request id", stranger(refused(401, request_id="req_1")), Says("present", "401")),
        row("a read has no request id in its error", get(refused(404)), Says("absent", "404")),
        row("the answer is not in the error envelope", wrong(answered(400, {"request_id": "req_1"}))),
        row("an odd id is not found", put(refused(404), rule="..", whose="odd")),
        row("the status is none of the documented ones", wrong(refused(409))),
        row("malformed HTTP is for the server to answer", put(refused(400), raw=True)),
        row("another method is forbidden", put(refused(403), method="PATCH")),
        row("the update succeeded", put(ok(headers=JSON))),
    ),
}
