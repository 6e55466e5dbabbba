"""What every answer is, whatever it says: its type, its JSON, its status, and nothing in it that leaks."""

from __future__ import annotations

from functools import partial

from tests.judging.episodes import JSON, answered, body, get, leaking, lost, ok, put, refused, rule, trigger
from tests.judging.rows import HOLDS, Broken, Table, row

wrong = partial(put, content="broken")
odd = partial(put, rule="..", whose="odd")
HTML = (("Content-Type", "text/html"),)
CHARSET = (("content-type", "Application/JSON; charset=utf-8"),)
LATER = (*JSON, ("Retry-After", "1"))
TRACE = "Traceback (most recent call last)"


TABLE: Table = {
    "envelope.content-type": (
        row("a success is sent as JSON", put(ok()), HOLDS),
        row("an error is sent as JSON", wrong(refused()), HOLDS),
        row("a charset may be named, and letters are any", put(ok(headers=CHARSET)), HOLDS),
        row("a success is sent as HTML", put(ok(headers=HTML)), Broken("sent as text/html", "update")),
        row("a success has no type", put(ok(headers=())), Broken("sent as nothing")),
        row("an error is sent as HTML", wrong(refused(headers=HTML)), Broken("sent as text/html", "broken body")),
        row("a read is sent as HTML", get(ok(headers=HTML)), Broken("sent as text/html", "read")),
        row("the answer is not JSON", wrong(answered(400, b"<p>", headers=HTML))),
        row("a proxy refused the size", wrong(refused(413, headers=HTML))),
        row("an odd id was refused by a router", odd(refused(404, headers=HTML))),
        row("another method was refused by a router", put(refused(404, headers=HTML), method="PATCH")),
        row("the server could not read the request", put(refused(400, headers=HTML), raw=True)),
        row("the answer was cut off by us", put(answered(200, {}, headers=HTML, cut=True))),
    ),
    "envelope.no-server-error": (
        row("a success is no error", put(ok()), HOLDS),
        row("a refusal is no server error", wrong(refused()), HOLDS),
        row(
            "a body makes the server fail", wrong(answered(500, {}), place="/status"), Broken("answered 500", "/status")
        ),
        row(
            "a body that may be its cause makes the server fail",
            put(answered(500, {}), body(nickname=None)),
            Broken("answered 500", featured=True),
        ),
        row("a read makes the server fail", get(answered(500, {})), Broken("answered 500", "read", featured=False)),
        row(
            "what is no JSON makes the server fail",
            put(answered(500, {}), b"{"),
            Broken("answered 500", featured=False),
        ),
        row("a gateway fails again and again", put(answered(502, b"")), Broken("answered 502")),
        row("the server says that it comes back", put(answered(503, {}, headers=LATER)), HOLDS),
        row("the server does not say that it comes back", put(answered(503, {})), Broken("answered 503")),
        row("a PUT is not implemented", put(answered(501, {})), Broken("answered 501")),
        row("a GET, which need not be there, is not implemented", get(answered(501, {})), HOLDS),
        row("a GET makes the server fail", get(answered(500, {})), Broken("answered 500")),
        row("an odd method is not implemented", put(answered(501, {}), method="BREW"), HOLDS),
        row("an odd version is not supported", put(answered(505, {}), raw=True), HOLDS),
        row("an odd method makes the server fail", put(answered(500, {}), method="BREW"), Broken("answered 500")),
        row("the connection is closed on a small request, once", put(lost("closed"))),
        row("the connection is closed on a large body", put(lost("closed"), content="size")),
        row("the connection is closed on malformed HTTP", put(lost("closed"), raw=True)),
        row("the connection is closed on an odd id", odd(lost("closed"))),
        row("nothing can be connected to", put(lost("connect"))),
        row("nothing comes in time", put(lost("timeout"))),
    ),
    "envelope.well-formed": (
        row("an answer is valid JSON", put(ok()), HOLDS),
        row("an answer is not ASCII", put(ok(rule(nickname="Spar­schwein €"))), HOLDS),
        row("a name stands twice", put(answered(200, b'{"b":0,"a":1,"a":2}')), Broken("duplicate name", told='"a"')),
        row("a name stands twice further down", put(answered(200, b'{"a":[{"b":1,"b":1}]}')), Broken("duplicate name")),
        row("a number is NaN", put(answered(200, b'{"a":NaN}')), Broken("not a JSON number")),
        row("a number is infinite", get(answered(200, b'{"a":-Infinity}')), Broken("not a JSON number", "read")),
        row("a text is Latin-1", put(answered(200, b'{"a":"\xe9"}')), Broken("invalid UTF-8")),
        row("an answer is cut off", wrong(answered(400, b'{"error":{"co')), Broken("invalid JSON", "broken body")),
        row("an answer is empty", put(answered(200, b"")), Broken("invalid JSON")),
        row("something follows the JSON", put(answered(200, b"{} {}")), Broken("invalid JSON")),
        row("the answer does not say that it is JSON", wrong(answered(400, b"<p>", headers=HTML))),
        row("the answer was cut off by us", put(answered(200, b'{"da', cut=True))),
        row("a proxy refused the size", put(answered(413, b""), content="size")),
    ),
    "envelope.no-leak": (
        row("an answer holds nothing secret", put(ok()), HOLDS),
        row("a refusal holds nothing secret", wrong(refused()), HOLDS),
        row(
            "a refusal repeats the place in a script that was sent",
            put(
                refused(message="No such thing: at run http://host/x.js:1:2"),
                body(nickname="at run http://host/x.js:1:2"),
            ),
            HOLDS,
        ),
        row(
            "a refusal links to a host with a port",
            wrong(refused(message="See https://docs.example.rs:8443/errors/invalid")),
            HOLDS,
        ),
        row("a success holds the key of the run", put(leaking(ok(), "full")), Broken("holds an API key", "update")),
        row(
            "a success shows a key that the same request wrote into the rule",
            put(leaking(ok(), "full"), body(nickname="{key:full}")),
            HOLDS,
        ),
        row(
            "a success shows a key that a client wrote into the rule before",
            put(leaking(ok(), "full")),
            HOLDS,
            before=rule(nickname="Bearer {key:full|lower}"),
        ),
        row(
            "a success shows a key that a read showed in the rule",
            [get(rule(description="{key:full}")), put(leaking(ok(), "full"))],
            HOLDS,
            HOLDS,
        ),
        row(
            "a success shows the key of another credential than the rule does",
            put(leaking(ok(), "limited"), body(nickname="{key:full}")),
            Broken("holds an API key"),
        ),
        row(
            "the rule is gone, and a refusal holds a key",
            [get(refused(404)), put(leaking(refused(), "full"))],
            HOLDS,
            Broken("holds an API key"),
        ),
        row(
            "a refusal holds a trace of Java over lines",
            wrong(refused(message="Refused.\n\tat com.example.Rules.update(Rules.java:12)")),
            Broken("holds a stack trace", "broken body"),
        ),
        row("a 429 holds another's key", put(leaking(refused(429), "limited")), Broken("holds an API key")),
        row(
            "a refusal holds a Python trace",
            wrong(refused(message=TRACE)),
            Broken("holds a stack trace", "broken body"),
        ),
        row(
            "a refusal holds a Java frame", wrong(refused(message="at a.B.c(B.java:3)")), Broken("holds a stack trace")
        ),
        row(
            "a refusal holds Java frames, each behind an escaped tab",
            wrong(refused(message="x\n\tat a.B.c(B.java:3)\n\tat a.B.d(B.java:4)")),
            Broken("holds a stack trace"),
        ),
        row(
            "a refusal holds a PHP warning",
            wrong(refused(message="Undefined index: x in /web/x.php on line 3")),
            Broken("holds a stack trace"),
        ),
        row(
            "a refusal repeats a trace that was sent",
            wrong(refused(message="\tat a.B.c(B.java:3)"), body(nickname="\tat a.B.c(B.java:3)")),
            HOLDS,
        ),
        row(
            "a refusal holds a Node frame", wrong(refused(message="at f (/x/a.js:1:2)")), Broken("holds a stack trace")
        ),
        row(
            "a refusal holds a Go frame", wrong(refused(message="goroutine 7 [running]")), Broken("holds a stack trace")
        ),
        row("a refusal holds a query", wrong(refused(message="SELECT a FROM rules")), Broken("holds SQL")),
        row("a refusal holds an error of a database", wrong(refused(message="SQLSTATE[22P02]")), Broken("holds SQL")),
        row("a refusal holds a home folder", wrong(refused(message="no /home/app/x")), Broken("holds a file path")),
        row(
            "a refusal holds a source file", wrong(refused(message="in /srv/rules/api.py")), Broken("holds a file path")
        ),
        row("a refusal holds a Windows path", wrong(refused(message="C:\\app\\rules")), Broken("holds a file path")),
        row("a refusal says the place of a field", wrong(refused(message="/steps/0/actions is no array")), HOLDS),
        row("a refusal says a path of the API", wrong(refused(message="see /rules/rule_a")), HOLDS),
        row(
            "a refusal repeats what was sent",
            wrong(refused(message="SELECT a FROM b"), body(nickname="SELECT a FROM b")),
            HOLDS,
        ),
        row(
            "what was sent was not text, and the refusal holds a trace",
            wrong(refused(message=TRACE), b"\xff\xfe"),
            Broken("holds a stack trace"),
        ),
        row("a success repeats an earlier nickname", put(ok(rule(nickname="/home/me/x"))), HOLDS),
        row("nothing came back", put(lost())),
    ),
    "envelope.documented-status": (
        row("a success is documented", put(ok()), HOLDS),
        row("a conflict is documented", put(refused(409), key="k"), HOLDS),
        row("an update answers 202", put(ok(status=202)), Broken("answered 202", "update")),
        row("an update is redirected", put(answered(302, b"")), Broken("answered 302")),
        row("a body is refused with 418", wrong(refused(418)), Broken("answered 418", "broken body")),
        row("a read is gone", get(refused(410)), Broken("answered 410")),
        row("an odd id is redirected", odd(answered(301, b"")), HOLDS),
        row("an odd id is gone", odd(refused(410)), Broken("answered 410")),
        row("odd headers are refused in any way", put(refused(494), requirement="http.headers")),
        row("the server fails, which is judged elsewhere", put(answered(500, {}))),
        row("the rule is triggered", trigger(ok(status=202))),
        row("another method is answered", put(answered(204, b""), method="OPTIONS")),
    ),
}
