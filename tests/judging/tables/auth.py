"""401: who may not ask learns nothing and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from tests.judging.episodes import (
    CONTRACT,
    JSON,
    RULE,
    Sent,
    answered,
    get,
    lost,
    ok,
    put,
    refused,
    rule,
    under_another_path,
)
from tests.judging.rows import HOLDS, Broken, Row, Says, Table, row

stranger = partial(put, caller="none", access="unauthenticated")
CHALLENGED = (*JSON, ("WWW-Authenticate", CONTRACT.names.auth_scheme))


def _only_401(requirement: str, who: str, **about: Any) -> Sequence[Row]:
    ask = partial(stranger, requirement=requirement, **about)
    return (
        row(f"{who} is answered with 401", ask(refused(401)), HOLDS),
        row(f"{who} updates the rule", ask(ok(), named="no key"), Broken("answered 200", "no key", told="status")),
        row(f"{who} is told that it is forbidden", ask(refused(403)), Broken("answered 403", told='403 "forbidden"')),
        row(f"{who} learns whether the rule is there", ask(refused(404)), Broken("answered 404")),
        row(f"{who} has the body looked at", ask(refused(400)), Broken("answered 400")),
        row(f"{who} makes the server fail", ask(answered(500, {})), Broken("answered 500")),
        row(f"{who} is asked to slow down", ask(refused(429))),
        row(f"{who} gets no answer", ask(lost("timeout"))),
        row("another requirement's request is executed", stranger(ok(), requirement="auth.no-effect")),
    )


def _elsewhere(outcome: Any) -> Sent:
    return under_another_path(stranger(outcome, requirement="auth.missing"))


TABLE: Table = {
    "auth.missing": (
        *_only_401("auth.missing", "whoever has no key"),
        row("under another path there is a 401", _elsewhere(refused(401)), HOLDS),
        row("another path leads nowhere", _elsewhere(refused(404))),
        row("another path leads elsewhere", _elsewhere(answered(308, {}))),
        row("under another path the rule is updated", _elsewhere(ok()), Broken("answered 200")),
    ),
    "auth.malformed": _only_401("auth.malformed", "whoever writes no scheme"),
    "auth.unknown-key": _only_401("auth.unknown-key", "whoever has an unknown key"),
    "auth.header-only": _only_401("auth.header-only", "whoever has a key in the query"),
    "auth.before-lookup": _only_401("auth.before-lookup", "whoever has no key and asks for an id that is not there"),
    "auth.before-validation": _only_401(
        "auth.before-validation", "whoever has no key and sends a wrong body", content="broken"
    ),
    "auth.no-effect": (
        row("the rule is as it was after a 401", [stranger(refused(401)), get(rule())], HOLDS, before=rule()),
        row(
            "the rule has changed after a 401",
            [stranger(refused(401), named="no key"), get(rule(nickname="Taken"))],
            Broken("changed", "no key", by_states=True),
            before=rule(),
        ),
        row(
            "the rule has changed after several sorts of 401",
            [stranger(refused(401), named="no key"), stranger(refused(401), named="Basic"), get(rule(steps=[]))],
            Broken("changed", "several requests", by_states=True),
            before=rule(),
        ),
        row(
            "the status has changed after a 401",
            [stranger(refused(401)), get(rule(status="enabled"))],
            Broken("changed", by_states=True),
            before=rule(),
        ),
        row(
            "the time of the making has changed after a 401",
            [stranger(refused(401)), get(rule(created_at="2026-06-02T09:00:00Z"))],
            Broken("changed", by_states=True),
            before=rule(),
        ),
        row(
            "the time of the making is told in another zone",
            [stranger(refused(401)), get(rule(created_at="2026-03-01T11:00:00+01:00"))],
            HOLDS,
            before=rule(),
        ),
        row(
            "the time of the last update has changed",
            [stranger(refused(401)), get(rule(updated_at="2026-06-02T09:00:00Z"))],
            Broken("changed", by_states=True),
            before=rule(),
        ),
        row(
            "the time of the last update is told in another zone",
            [stranger(refused(401)), get(rule(updated_at="2026-06-01T11:00:00+02:00"))],
            HOLDS,
            before=rule(),
        ),
        row(
            "a read before stands for what was known at the beginning",
            [get(rule()), stranger(refused(401)), get(rule(nickname="Taken"))],
            Broken("changed", by_states=True),
        ),
        row("nothing is known of the rule before", [stranger(refused(401)), get(rule(nickname="Taken"))]),
        row("the rule is not read afterwards", [stranger(refused(401))], before=rule()),
        row(
            "something else was sent in between",
            [stranger(refused(401)), put(ok()), get(rule(nickname="Sent"))],
            before=rule(),
        ),
        row(
            "something else was lost in between, and may have been executed",
            [stranger(refused(401)), put(lost()), get(rule(nickname="Sent"))],
            before=rule(),
        ),
        row(
            "whoever has no key was let in, which is for others to judge",
            [stranger(ok()), get(rule(nickname="Taken"))],
            before=rule(),
        ),
        row(
            "another method changes the rule, which is judged elsewhere",
            [stranger(refused(401), method="PATCH"), get(rule(nickname="Taken"))],
            before=rule(),
        ),
        row("a rightful caller got a 401", [put(refused(401)), get(rule(nickname="Taken"))], before=rule()),
        row(
            "another rule was read",
            [stranger(refused(401)), get(rule("rule_b", nickname="Else"), rule="rule_b")],
            before=(rule(), rule("rule_b")),
        ),
    ),
    "auth.challenge": (
        row("a 401 says how to authenticate", stranger(refused(401, headers=CHALLENGED)), HOLDS),
        row("a 401 says nothing", stranger(refused(401)), Broken("no WWW-Authenticate", "401 to update")),
        row(
            "a 401 has an empty challenge",
            stranger(refused(401, headers=(*JSON, ("WWW-Authenticate", "")))),
            Broken("no WWW-Authenticate"),
        ),
        row("a read is answered with 401", get(refused(401))),
        row("whoever has no key is forbidden", stranger(refused(403))),
        row("a rightful update succeeds", put(ok())),
    ),
    "reading.scheme-case": (
        row(
            "the scheme in lower case is accepted",
            put(ok(), access="open", reading="reading.scheme-case", named="lower case"),
            Says("accepted", "lower case"),
        ),
        row(
            "the scheme in lower case is refused",
            put(refused(401), access="open", reading="reading.scheme-case", named="lower case"),
            Says("401", "lower case"),
        ),
        row("the answer is about something else", put(refused(404), access="open", reading="reading.scheme-case")),
        row("the scheme was as documented", put(ok(), rule=RULE)),
    ),
}
