"""Whose a key is, and what may be one."""

from __future__ import annotations

from tests.judging.episodes import OTHER, THEIRS, answered, get, refused
from tests.judging.keyed import (
    BEFORE,
    LONG_KEY,
    again,
    answer,
    any_key,
    elsewhere,
    held,
    intruder,
    not_poisoned,
    odd_key,
    per_rule,
    poison,
    replay,
    stranger,
    use,
)
from tests.judging.rows import HOLDS, Broken, Table, row

TABLE: Table = {
    "idempotency.per-caller": (
        row("another organization's update executes", [use(), stranger(answer(2, THEIRS))], HOLDS, before=BEFORE),
        row(
            "another organization gets the stored answer",
            [use(), stranger(answer(1))],
            Broken("answered 200", "a probe"),
            before=BEFORE,
        ),
        row(
            "another organization is told of a conflict",
            [use(), stranger(refused(409))],
            Broken("answered 409"),
            before=BEFORE,
        ),
        row(
            "another organization is told that the key was used",
            [use(), stranger(refused(422))],
            Broken("answered 422"),
            before=BEFORE,
        ),
        row(
            "our replay is as it was afterwards",
            [use(), stranger(answer(2, THEIRS)), again(requirement="idempotency.per-caller")],
            HOLDS,
            HOLDS,
            before=BEFORE,
        ),
        row("there is no time for it", [use(), stranger(refused(429))], before=BEFORE),
        row("it is for another requirement", [use(), replay()]),
    ),
    "idempotency.per-rule": (
        row("the key executes on another rule", [use(), elsewhere(answer(2, OTHER))], HOLDS, before=BEFORE),
        row("the key is a conflict on another rule", [use(), elsewhere(refused(409))], HOLDS, before=BEFORE),
        row(
            "the key is refused on another rule",
            [use(), elsewhere(refused(422)), per_rule(BEFORE[1], rule=OTHER)],
            HOLDS,
            HOLDS,
            before=BEFORE,
        ),
        row(
            "another rule is answered with the first rule's data",
            [use(), elsewhere(answer(1))],
            Broken("answered 200"),
            before=BEFORE,
        ),
        row(
            "another rule gets the stored request",
            [use(), elsewhere(answer(2, OTHER)), per_rule(held(1, OTHER), rule=OTHER)],
            HOLDS,
            Broken("executed", "after the same key elsewhere", by_states=True),
            before=BEFORE,
        ),
        row(
            "the refused request is stored all the same",
            [use(), elsewhere(refused(422)), per_rule(held(2, OTHER), rule=OTHER)],
            HOLDS,
            Broken("executed", by_states=True),
            before=BEFORE,
        ),
        row("there is no time for it", [use(), elsewhere(refused(429))], before=BEFORE),
        row("it is for another requirement", [use(), again(2, answer(1), rule=OTHER)], before=BEFORE),
    ),
    "idempotency.auth-first": (
        row(
            "whoever has no key replays nothing",
            [use(), intruder(outcome=refused(401), access="unauthenticated")],
            HOLDS,
        ),
        row(
            "whoever lacks the permission replays nothing",
            [use(), intruder(outcome=refused(403), access="no-permission")],
            HOLDS,
        ),
        row(
            "another organization finds nothing",
            [use(), intruder(outcome=refused(404), access="other-organization")],
            HOLDS,
        ),
        row(
            "whoever has no key gets the stored answer",
            [use(), intruder(access="unauthenticated")],
            Broken("answered 200"),
        ),
        row(
            "whoever lacks the permission gets the stored answer",
            [use(), intruder(access="no-permission")],
            Broken("answered 200"),
        ),
        row(
            "whoever lacks the rule gets the stored answer",
            [use(), intruder(access="outside-resources")],
            Broken("answered 200"),
        ),
        row(
            "another organization gets the stored answer",
            [use(), intruder(access="other-organization")],
            Broken("answered 200"),
        ),
        row(
            "whoever has no key is told of a conflict",
            [use(), intruder(outcome=refused(409), access="unauthenticated")],
            Broken("answered 409"),
        ),
        row(
            "the rule holds what an intruder sent",
            [
                use(),
                use(2, "key-b"),
                intruder(outcome=refused(403), access="no-permission"),
                get(held(1), requirement="idempotency.auth-first"),
            ],
            HOLDS,
            Broken("executed", by_states=True),
            before=BEFORE,
        ),
        row("there is no time for it", [use(), intruder(outcome=refused(429), access="unauthenticated")]),
        row("it is for another requirement", [use(), again(access="no-permission")]),
    ),
    "idempotency.not-poisoned": (
        row("the rightful request executes after a 401", [poison(), not_poisoned()], HOLDS, before=BEFORE),
        row(
            "the rightful request gets the 401",
            [poison(), not_poisoned(outcome=refused(401))],
            Broken("answered 401", "a probe"),
        ),
        row(
            "the rightful request is a conflict", [poison(), not_poisoned(outcome=refused(409))], Broken("answered 409")
        ),
        row(
            "a stored 403 is a reading",
            [use(outcome=refused(403), access="no-permission"), not_poisoned(outcome=refused(403))],
            HOLDS,
        ),
        row(
            "a 403 is not stored",
            [use(outcome=refused(403), access="no-permission"), not_poisoned()],
            HOLDS,
            before=BEFORE,
        ),
        row(
            "a refused body is stored",
            [use(outcome=refused(400), content="broken"), not_poisoned(outcome=refused(400))],
            HOLDS,
        ),
        row(
            "after a refused body comes something else",
            [use(outcome=refused(400), content="broken"), not_poisoned(outcome=refused(404))],
            Broken("answered 404"),
        ),
        row("there is no time for it", [poison(), not_poisoned(outcome=refused(429))]),
        row("it is for another requirement", [poison(), use(outcome=refused(401))]),
    ),
    "idempotency.any-key": (
        row("a key of letters is taken", any_key(key="order-1"), HOLDS, before=BEFORE),
        row("a key of the marks that must be taken is taken", any_key(key="a-b_c.d~e:f"), HOLDS, before=BEFORE),
        row(
            "a key of letters is refused",
            any_key(key="order-1", outcome=refused(400)),
            Broken("answered 400", "a probe"),
            before=BEFORE,
        ),
        row(
            "a key of the marks that must be taken is refused",
            any_key(key="a-b_c.d~e:f", outcome=refused(400)),
            Broken("answered 400"),
        ),
        row(
            "two keys that differ in case are two",
            [any_key(key="key-a"), any_key(2, key="key-A")],
            HOLDS,
            HOLDS,
            before=BEFORE,
        ),
        row(
            "two keys that differ in case are one",
            [any_key(key="key-a"), any_key(2, key="key-A", outcome=answer(1))],
            HOLDS,
            Broken("answered 200"),
            before=BEFORE,
        ),
        row(
            "two keys that differ late are one, and the second is refused",
            [any_key(key="key-1"), any_key(2, key="key-2", outcome=refused(422))],
            HOLDS,
            Broken("answered 422"),
            before=BEFORE,
        ),
        row(
            "the second key's update is answered and not executed",
            [any_key(key="key-1"), any_key(2, key="key-2"), get(held(1), requirement="idempotency.any-key")],
            HOLDS,
            HOLDS,
            Broken("executed", by_states=True),
            before=BEFORE,
        ),
        row("a long key is refused", any_key(key=LONG_KEY, outcome=refused(400)), before=BEFORE),
        row("a key with another mark is refused", any_key(key="order/1", outcome=refused(400)), before=BEFORE),
        row("a key with a space is refused", any_key(key="order 1", outcome=refused(400)), before=BEFORE),
        row(
            "two long keys that differ late are one",
            [any_key(key=LONG_KEY), any_key(2, key=LONG_KEY + "2", outcome=answer(1))],
            HOLDS,
            Broken("answered 200"),
            before=BEFORE,
        ),
        row("there is no time for it", any_key(outcome=refused(429))),
        row("it is for another requirement", use(outcome=refused(400))),
    ),
    "idempotency.odd-keys": (
        row("an odd key is taken", odd_key(), HOLDS),
        row("an odd key is refused", odd_key(outcome=refused(400)), HOLDS),
        row(
            "an odd key makes the server fail", odd_key(outcome=answered(500, {})), Broken("answered 500", "a snowman")
        ),
        row("an odd key is redirected", odd_key(outcome=answered(302, b"")), Broken("answered 302")),
        row("a key that should be taken is taken", odd_key(key="null", acceptance="must"), HOLDS),
        row(
            "a key that should be taken is refused",
            odd_key(key="0", acceptance="must", outcome=refused(400)),
            Broken("answered 400"),
        ),
        row("there is no time for it", odd_key(outcome=refused(429), acceptance="must")),
        row("it is for another requirement", use(outcome=answered(500, {}))),
    ),
}
