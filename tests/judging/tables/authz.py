"""403: a valid key does what it was given, on the rules it was given, in its own organization."""

from __future__ import annotations

from functools import partial

from tests.judging.episodes import (
    NOWHERE,
    action,
    answered,
    body,
    get,
    lost,
    ok,
    put,
    refused,
    rule,
    steps,
    under_another_path,
)
from tests.judging.rows import HOLDS, Broken, Says, Table, row

unpermitted = partial(put, caller="read_only", access="no-permission")
outside = partial(put, caller="limited", access="outside-resources")
foreigner = partial(put, caller="other_org", access="other-organization")
ask_scope = partial(unpermitted, requirement="authz.scope")
ask_resource = partial(outside, requirement="authz.resource")
ask_organization = partial(foreigner, requirement="authz.organization")
ask_early = partial(unpermitted, requirement="authz.before-validation", content="broken")
ask_early_abroad = partial(foreigner, requirement="authz.before-validation", content="broken")

ACCOUNT = "acc_theirs"
SOURCE = "/steps/*/actions/*/source/id"
NAMED = body(steps=steps(action(source={"id": ACCOUNT, "type": "pod"})))
HELD = rule(steps=NAMED["steps"])
ELSEWHERE = body(steps=steps(action(destination={"id": ACCOUNT, "type": "pod"})))
naming = partial(
    put,
    sent=NAMED,
    content="foreign-account",
    place=SOURCE,
    foreign_account=ACCOUNT,
    requirement="authz.foreign-account",
)
LONGER = rule(steps=steps(action(source={"id": f"{ACCOUNT}_too", "type": "pod"})))

TABLE: Table = {
    "authz.scope": (
        row("a key without the permission is forbidden", ask_scope(refused(403)), HOLDS),
        row("a key without the permission updates", ask_scope(ok()), Broken("answered 200")),
        row("a key without the permission finds no rule", ask_scope(refused(404)), Broken("answered 404")),
        row("a key without the permission is called unknown", ask_scope(refused(401)), Broken("answered 401")),
        row("a key without the permission makes the server fail", ask_scope(answered(500, {})), Broken("answered 500")),
        row("a key without the permission is asked to slow down", ask_scope(refused(429))),
        row("a key without the permission gets no answer", ask_scope(lost())),
        row("a key with the permission updates", put(ok(), requirement="authz.scope")),
        row("a request for another requirement updates", unpermitted(ok(), requirement="authz.before-validation")),
    ),
    "authz.resource": (
        row("a rule outside the key's list is forbidden", ask_resource(refused(403)), HOLDS),
        row("a rule outside the key's list is updated", ask_resource(ok()), Broken("answered 200")),
        row("a rule outside the key's list is not found", ask_resource(refused(404)), Broken("answered 404")),
        row("another path of it leads nowhere", under_another_path(ask_resource(refused(404)))),
        row("under another path it is updated", under_another_path(ask_resource(ok())), Broken("answered 200")),
        row("a rule in the key's list is updated", put(ok(), caller="limited", requirement="authz.resource"), HOLDS),
        row(
            "a rule in the key's list is forbidden",
            put(refused(403), caller="limited", requirement="authz.resource"),
            Broken("own rule answered 403"),
        ),
        row("a rule in the key's list, and no time", put(refused(429), caller="limited", requirement="authz.resource")),
        row("a key with a list updates for another requirement", outside(ok(), requirement="authz.before-validation")),
    ),
    "authz.organization": (
        row("another organization is forbidden", ask_organization(refused(403)), HOLDS),
        row("another organization finds no rule", ask_organization(refused(404)), HOLDS),
        row("another organization updates", ask_organization(ok()), Broken("answered 200")),
        row("another organization's body is looked at", ask_organization(refused(400)), Broken("answered 400")),
        row("another organization is called unknown", ask_organization(refused(401)), Broken("answered 401")),
        row("another organization is asked to slow down", ask_organization(refused(429))),
        row("the organization itself updates", put(ok(), requirement="authz.organization")),
    ),
    "reading.other-organization": (
        row("another organization is forbidden", foreigner(refused(403), named="theirs"), Says("403", "theirs")),
        row("another organization finds no rule", foreigner(refused(404), named="theirs"), Says("404", "theirs")),
        row("another spelling of the path finds nothing", under_another_path(foreigner(refused(404)))),
        row("another organization updates", foreigner(ok())),
        row("the organization itself finds no rule", put(refused(404))),
    ),
    "authz.foreign-account": (
        row("a body of another kind has it", naming(ok(HELD), content="valid")),
        row(
            "it is refused, and stored by an update that does not name it",
            [naming(refused()), put(ok()), get(HELD)],
            HOLDS,
            Broken("stored", by_states=True),
            before=rule(),
        ),
        row("a foreign account is refused", naming(refused(403)), HOLDS),
        row("a foreign account is refused as a wrong body", naming(refused(422)), HOLDS),
        row("a foreign account is accepted", naming(ok(HELD)), Broken("answered 200", SOURCE)),
        row(
            "a foreign account is refused, and not stored",
            [naming(refused(403)), get(rule())],
            HOLDS,
            HOLDS,
            before=rule(),
        ),
        row(
            "a foreign account is refused, and stored",
            [naming(refused(403)), get(HELD)],
            HOLDS,
            Broken("stored", SOURCE, by_states=True),
            before=rule(),
        ),
        row(
            "a foreign account is accepted and stored, which is one finding",
            [naming(ok(HELD)), get(HELD)],
            Broken("answered 200", SOURCE),
            before=rule(),
        ),
        row(
            "an earlier request left the account there, and a later one is refused",
            [
                naming(ok(HELD)),
                get(HELD),
                naming(refused(403), sent=ELSEWHERE, place="/steps/*/actions/*/destination/id"),
                get(HELD),
            ],
            Broken("answered 200", SOURCE),
            HOLDS,
            HOLDS,
            before=rule(),
        ),
        row(
            "an earlier request left the account there, and a later one that is refused puts it elsewhere",
            [
                naming(ok(HELD)),
                get(HELD),
                naming(refused(403), sent=ELSEWHERE, place="/steps/*/actions/*/destination/id"),
                get(rule(steps=ELSEWHERE["steps"])),
            ],
            Broken("answered 200", SOURCE),
            HOLDS,
            Broken("stored", "/steps/*/actions/*/destination/id", by_states=True),
            before=rule(),
        ),
        row(
            "the rule names an account whose id only begins alike",
            [naming(refused(403)), get(LONGER)],
            HOLDS,
            HOLDS,
            before=LONGER,
        ),
        row("our own rule names the account already, so that it is ours", naming(ok(HELD)), before=HELD),
        row(
            "our own rule goes on naming the account that it named",
            [naming(refused(403)), get(HELD)],
            before=HELD,
        ),
        row(
            "our other rule names the account, so that it is ours",
            naming(ok(HELD)),
            before=(rule(), rule("rule_b", steps=NAMED["steps"])),
        ),
        row(
            "their own rule names the account, which makes it no more ours",
            [get(rule("rule_theirs"), rule="rule_theirs", whose="foreign"), naming(ok(HELD))],
            Broken("answered 200", SOURCE),
            before=(rule(), rule("rule_theirs", steps=NAMED["steps"])),
        ),
        row("the server fails, which is for others to judge", naming(answered(500, {}))),
        row(
            "an ordinary body was sent beside it",
            [naming(refused(403)), put(refused()), get(rule(nickname="Old"))],
            HOLDS,
            HOLDS,
            before=rule(),
        ),
        row("an account of ours is accepted", put(ok(), requirement="authz.foreign-account")),
    ),
    "authz.before-validation": (
        row("a wrong body without permission is forbidden", ask_early(refused(403)), HOLDS),
        row(
            "a wrong body without permission is refused as wrong",
            ask_early(refused(400)),
            Broken("answered 400", "read_only"),
        ),
        row("a wrong body without permission finds no rule", ask_early(refused(404)), Broken("answered 404")),
        row("a wrong body of another organization is forbidden", ask_early_abroad(refused(403)), HOLDS),
        row("a wrong body of another organization finds no rule", ask_early_abroad(refused(404)), HOLDS),
        row(
            "a wrong body of another organization is refused as wrong",
            ask_early_abroad(refused(400)),
            Broken("answered 400", "other_org", told="403 or 404"),
        ),
        row("the key was let in before, which is judged there", [unpermitted(ok()), ask_early(refused(400))]),
        row("there is no time for it", ask_early(refused(429))),
        row("a right body without permission is refused as wrong", unpermitted(refused(400))),
    ),
    "authz.no-effect": (
        row("the rule is as it was after a 403", [unpermitted(refused(403)), get(rule())], HOLDS, before=rule()),
        row(
            "the rule has changed after a 403",
            [unpermitted(refused(403), named="no permission"), get(rule(description="Taken"))],
            Broken("changed", "no permission", by_states=True),
            before=rule(),
        ),
        row(
            "the rule has changed after the 403 of a key with a list",
            [outside(refused(403)), get(rule(description="Taken"))],
            Broken("changed", by_states=True),
            before=rule(),
        ),
        row(
            "the rule has changed after another organization's 404",
            [foreigner(refused(404)), get(rule(description="Taken"))],
            Broken("changed", by_states=True),
            before=rule(),
        ),
        row(
            "the rule has changed after a 404 to one of ours",
            [unpermitted(refused(404)), get(rule(description="Taken"))],
            before=rule(),
        ),
        row("the rule has changed after a 403 to a rightful key", [put(refused(403)), get(HELD)], before=rule()),
        row("whoever may not was let in", [unpermitted(ok()), get(HELD)], before=rule()),
        row(
            "another method changes the rule, which is judged elsewhere",
            [unpermitted(refused(403), method="PATCH"), get(rule(nickname="Taken"))],
            before=rule(),
        ),
        row("nobody knows how the rule was", [unpermitted(refused(403)), get(HELD)]),
    ),
    "reading.limited-unknown-id": (
        row(
            "an unknown id is forbidden to a key with a list",
            outside(refused(403), rule=NOWHERE, whose="unknown", reading="reading.limited-unknown-id"),
            Says("403"),
        ),
        row(
            "an unknown id is not found by a key with a list",
            outside(refused(404), rule=NOWHERE, whose="unknown", reading="reading.limited-unknown-id"),
            Says("404"),
        ),
        row("an unknown id is updated", outside(ok(), rule=NOWHERE, reading="reading.limited-unknown-id")),
        row("a known id is forbidden", outside(refused(403))),
    ),
}
