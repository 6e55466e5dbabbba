"""Requests that were released together: what came of them must be explainable by some order of whole updates."""

from __future__ import annotations

from functools import partial
from typing import Any

from rules_harness.harness.intent import GroupBodies
from tests.judging.episodes import OTHER, Sent, answered, body, get, lost, ok, put, refused, rule
from tests.judging.keyed import BEFORE, answer, held, says
from tests.judging.rows import HOLDS, Broken, Says, Table, row

AT_ONCE, LATER = (1.0, 2.0), (5.0, 6.0)
ENABLED = rule(status="enabled")


def one_key(outcome: Any, number: int = 1, bodies: GroupBodies = "equal", **about: Any) -> Sent:
    """One of several simultaneous requests with one key."""
    at = about.pop("at", AT_ONCE)
    asked = {"requirement": "idempotency.concurrent", "named": f"{bodies} bodies", **about}
    return put(outcome, says(number), key="key-a", group_bodies=bodies, group=1, at=at, **asked)


distinct = partial(one_key, bodies="distinct")
at_once = partial(put, group=1, at=AT_ONCE)


def whole(number: int, outcome: Any = None, at: tuple[float, float] = AT_ONCE) -> Sent:
    """One of several simultaneous updates of one rule."""
    return put(
        answer(number) if outcome is None else outcome, says(number), requirement="concurrency.whole", group=1, at=at
    )


def between(state: Any, at: tuple[float, float] = (1.2, 1.8)) -> Sent:
    return get(state, group=1, at=at)


def finally_(state: Any, **about: Any) -> Sent:
    return get(state, at=LATER, **about)


def apart(number: int, outcome: Any = None, *, id: str = "rule_a", **about: Any) -> Sent:
    """One of several simultaneous updates, each of a rule of its own."""
    given = answer(number, id) if outcome is None else outcome
    return put(given, says(number), rule=id, requirement="concurrency.isolated", group=1, at=AT_ONCE, **about)


MIXED = rule(nickname="Version 1", description="Body 2")

TABLE: Table = {
    "idempotency.concurrent": (
        row("all have the answer of the one that executed", [one_key(answer(1)), one_key(answer(1))], HOLDS),
        row("one executes, the other is a conflict", [one_key(answer(1)), one_key(refused(409))], HOLDS),
        row(
            "they differ in their request ids only", [one_key(answer(1)), one_key(answer(1, request_id="req_2"))], HOLDS
        ),
        row("the rule holds what was answered", [one_key(answer(1)), one_key(refused(409)), finally_(held(1))], HOLDS),
        row(
            "of distinct bodies one executes, the other is refused",
            [distinct(answer(1)), distinct(refused(422), 2)],
            HOLDS,
        ),
        row("of distinct bodies all have the answer of one", [distinct(answer(1)), distinct(answer(1), 2)], HOLDS),
        row(
            "both execute",
            [one_key(answer(1)), one_key(answer(1, updated_at="2026-06-01T09:00:01Z"))],
            Broken("two answers", "equal bodies"),
        ),
        row(
            "both of two distinct bodies execute",
            [distinct(answer(1)), distinct(answer(2), 2)],
            Broken("two answers", "distinct bodies"),
        ),
        row("none executes", [one_key(refused(409)), one_key(refused(409))], Broken("none executed", "equal bodies")),
        row(
            "the other of two equal bodies is refused",
            [one_key(answer(1)), one_key(refused(422))],
            Broken("answered 422", "equal bodies"),
        ),
        row(
            "the other of two distinct bodies is forbidden",
            [distinct(answer(1)), distinct(refused(403), 2)],
            Broken("answered 403"),
        ),
        row(
            "the other makes the server fail", [one_key(answer(1)), one_key(answered(500, {}))], Broken("answered 500")
        ),
        row(
            "the rule holds the body that was not answered",
            [distinct(answer(1)), distinct(refused(409), 2), finally_(held(2))],
            Broken("another body is stored", "distinct bodies", by_states=True),
        ),
        row(
            "the answers hold no data, which is judged elsewhere",
            [one_key(ok(data=...)), one_key(ok(data=...)), finally_(held(1))],
            HOLDS,
        ),
        row(
            "the one that is answered is not the first, and the rule holds another body",
            [distinct(refused(409)), distinct(answer(2), 2), finally_(held(1))],
            Broken("another body is stored", "distinct bodies", by_states=True),
        ),
        row(
            "of distinct bodies one makes the server fail",
            [distinct(answer(1)), distinct(answered(500, {}), 2)],
            Broken("answered 500"),
        ),
        row("the rule cannot be read", [one_key(answer(1)), one_key(answer(1)), get(refused(404), at=LATER)], HOLDS),
        row("all are lost, and the rule holds the body", [one_key(lost()), one_key(lost()), finally_(held(1))]),
        row("there is no time for the other", [one_key(answer(1)), one_key(refused(429))]),
        row("there is no time for any", [one_key(refused(429)), one_key(refused(429))]),
        row("a gateway gives up on the other", [one_key(answer(1)), one_key(answered(504, b""))]),
        row("the other is lost", [one_key(answer(1)), one_key(lost())]),
        row("all are lost", [one_key(lost()), one_key(lost())]),
        row(
            "one is refused, and the other, which may have executed, is lost", [one_key(refused(409)), one_key(lost())]
        ),
        row("they did not overlap", [one_key(answer(1)), one_key(answer(2), at=(3, 4))]),
        row(
            "they are for another requirement", [one_key(answer(1), requirement=""), one_key(answer(2), requirement="")]
        ),
        row("they were sent one after the other", [put(answer(1), key="key-a"), put(answer(2), key="key-a")]),
    ),
    "reading.key-in-flight": (
        row("all have the original answer", [one_key(answer(1)), one_key(answer(1))], Says("original")),
        row("the others are conflicts", [one_key(answer(1)), one_key(refused(409))], Says("409")),
        row("the bodies are distinct", [distinct(answer(1)), distinct(refused(409), 2)]),
        row("both execute, which breaks more", [one_key(answer(1)), one_key(answer(2))]),
        row("there is no time for the other", [one_key(answer(1)), one_key(refused(429))]),
        row("the other is lost", [one_key(answer(1)), one_key(lost())]),
        row("all are lost", [one_key(lost()), one_key(lost())]),
        row("they did not overlap", [one_key(answer(1)), one_key(answer(1), at=(3, 4))]),
    ),
    "concurrency.whole": (
        row("the rule holds one body, whole", [whole(1), whole(2), finally_(held(2))], HOLDS, before=BEFORE),
        row("the rule holds the other body, whole", [whole(1), whole(2), finally_(held(1))], HOLDS, before=BEFORE),
        row("the rule holds a lost body, whole", [whole(1), whole(2, lost()), finally_(held(2))], HOLDS, before=BEFORE),
        row("a read in between finds the state before", [whole(1), whole(2), between(BEFORE[0])], HOLDS, before=BEFORE),
        row("a read in between finds one of the bodies", [whole(1), whole(2), between(held(1))], HOLDS, before=BEFORE),
        row(
            "the status is judged elsewhere",
            [whole(1), whole(2), finally_(held(1, status="enabled"))],
            HOLDS,
            before=BEFORE,
        ),
        row(
            "the rule holds a mixture",
            [whole(1), whole(2), finally_(MIXED)],
            Broken("no body of them, whole", "the final state", by_states=True, explained=True),
            before=BEFORE,
        ),
        row(
            "the rule holds a mixture, and one of the bodies is not an object",
            [whole(1), put(lost(), b"[]", requirement="concurrency.whole", group=1, at=AT_ONCE), finally_(MIXED)],
            Broken("no body of them, whole", "the final state", by_states=True, explained=False),
            before=BEFORE,
        ),
        row(
            "the first of those released together is a read",
            [between(MIXED), whole(1), whole(2)],
            Broken("no body of them, whole", "a read in between", by_states=True),
            before=BEFORE,
        ),
        row(
            "two reads find a body that only a lost one could have overwritten",
            [whole(1, at=(1, 2)), whole(2, lost(), at=(1, 4)), between(held(1), (2.5, 3)), finally_(held(1))],
            HOLDS,
            HOLDS,
            before=BEFORE,
        ),
        row(
            "another rule was updated before the read",
            [whole(1), whole(2), put(ok(rule(OTHER)), rule=OTHER, at=(3, 4)), finally_(MIXED)],
            before=BEFORE,
        ),
        row(
            "they overlapped, and were not released together",
            [
                put(answer(1), says(1), requirement="concurrency.whole", at=AT_ONCE),
                put(answer(2), says(2), requirement="concurrency.whole", at=AT_ONCE),
                finally_(MIXED),
            ],
            before=BEFORE,
        ),
        row(
            "a read in between finds a mixture",
            [whole(1), whole(2), between(MIXED)],
            Broken("no body of them, whole", "a read in between", by_states=True),
            before=BEFORE,
        ),
        row(
            "the rule holds the state before, though both were executed",
            [whole(1), whole(2), finally_(BEFORE[0])],
            Broken("no body of them, whole", "the final state", by_states=True),
            before=BEFORE,
        ),
        row(
            "a gateway gave up on the body that the rule holds",
            [whole(1), whole(2, answered(504, b"")), finally_(held(2))],
            HOLDS,
            before=BEFORE,
        ),
        row(
            "an answer is a mixture",
            [whole(1, ok(MIXED)), whole(2), finally_(held(2))],
            Broken("no body of them, whole", "the answer to one of them", explained=True),
            HOLDS,
            before=BEFORE,
        ),
        row("an answer has the other body", [whole(1, answer(2)), whole(2), finally_(held(2))], HOLDS, before=BEFORE),
        row(
            "a read in between does not find the rule",
            [whole(1), whole(2), get(refused(404), group=1, at=AT_ONCE), finally_(held(2))],
            Broken("the rule is gone", "a read in between", by_states=True),
            HOLDS,
            before=BEFORE,
        ),
        row(
            "the rule holds a body that was refused",
            [whole(1), whole(2, refused(409)), finally_(held(2))],
            Broken("no body of them, whole", by_states=True),
            before=BEFORE,
        ),
        row(
            "the rule holds a body that was overwritten for certain",
            [whole(1, at=(1, 2)), whole(3, at=(1, 4)), whole(2, at=(3, 4)), finally_(held(1))],
            Broken("no body of them, whole", by_states=True),
            before=BEFORE,
        ),
        row(
            "a read in between finds a body that was sent only afterwards",
            [whole(1, at=(1, 3)), whole(2, at=(2.5, 4)), between(held(2), (1.2, 2))],
            Broken("no body of them, whole", "a read in between", by_states=True),
            before=BEFORE,
        ),
        row(
            "a read in between finds the state before, though one was done",
            [whole(1, at=(1, 2)), whole(2, at=(1, 4)), between(BEFORE[0], (2.5, 3))],
            Broken("no body of them, whole", "a read in between", by_states=True),
            before=BEFORE,
        ),
        row(
            "reads lag, and find the state before",
            [whole(1, at=(1, 2)), whole(2, at=(1, 4)), between(BEFORE[0], (2.5, 3))],
            HOLDS,
            before=BEFORE,
            settle=1.0,
        ),
        row(
            "all were lost, and the rule holds the state before",
            [whole(1, lost()), whole(2, lost()), finally_(BEFORE[0])],
            HOLDS,
            before=BEFORE,
        ),
        row(
            "all were refused, and the rule holds the state before",
            [whole(1, refused(409)), whole(2, refused(409)), finally_(BEFORE[0])],
            HOLDS,
            before=BEFORE,
        ),
        row(
            "the state before is what was read before",
            [get(BEFORE[0], at=(0, 0.5)), whole(1), whole(2), between(BEFORE[0])],
            HOLDS,
        ),
        row(
            "the rule holds a body that only a lost one could have overwritten",
            [whole(1, at=(1, 2)), whole(3, at=(1, 4)), whole(2, lost(), at=(3, 4)), finally_(held(1))],
            HOLDS,
            before=BEFORE,
        ),
        row(
            "a read finds a body while the next one is still under way",
            [whole(1, at=(1, 2)), whole(3, at=(1, 4)), whole(2, at=(2.2, 4)), between(held(1), (2.5, 3))],
            HOLDS,
            before=BEFORE,
        ),
        row("it is not read", [whole(1), whole(2)], before=BEFORE),
        row(
            "another update came before the read",
            [whole(1), whole(2), put(ok(), at=(3, 4)), finally_(MIXED)],
            before=BEFORE,
        ),
        row("they did not overlap", [whole(1), whole(2, at=(3, 4)), finally_(MIXED)], before=BEFORE),
        row(
            "they are for another requirement", [at_once(answer(1)), at_once(answer(2)), finally_(MIXED)], before=BEFORE
        ),
    ),
    "concurrency.disabled": (
        row("the rule is disabled afterwards", [whole(1), whole(2), finally_(held(1))], HOLDS, before=ENABLED),
        row(
            "the rule is enabled afterwards",
            [whole(1), whole(2), finally_(held(1, status="enabled"))],
            Broken('stored "enabled"', "the final state", by_states=True),
            before=ENABLED,
        ),
        row(
            "one of several rules is enabled afterwards",
            [
                apart(1),
                apart(2, id=OTHER),
                finally_(held(1)),
                get(held(2, OTHER, status="enabled"), rule=OTHER, at=(6, 7)),
            ],
            HOLDS,
            Broken('stored "enabled"', by_states=True),
            before=(ENABLED, rule(OTHER)),
        ),
        row("all were refused", [whole(1, refused(409)), whole(2, refused(409)), finally_(ENABLED)], before=ENABLED),
        row("all were lost", [whole(1, lost()), whole(2, lost()), finally_(ENABLED)], before=ENABLED),
        row(
            "one of the bodies asks for another status",
            [whole(1), put(answer(2), body(status="enabled"), requirement="", group=1, at=AT_ONCE), finally_(ENABLED)],
            before=ENABLED,
        ),
        row(
            "one of several rules was refused, and stays enabled",
            [
                apart(1),
                apart(2, refused(409), id=OTHER),
                finally_(held(1)),
                get(rule(OTHER, status="enabled"), rule=OTHER, at=(6, 7)),
            ],
            HOLDS,
            before=(ENABLED, rule(OTHER, status="enabled")),
        ),
        row(
            "a rule that they did not write is enabled afterwards, which is nothing of theirs",
            [whole(1), whole(2), finally_(held(1)), get(rule(OTHER, status="enabled"), rule=OTHER, at=(6, 7))],
            HOLDS,
            before=(ENABLED, rule(OTHER, status="enabled")),
        ),
        row(
            "they have one key",
            [one_key(answer(1)), one_key(answer(1)), finally_(ENABLED)],
            Broken('stored "enabled"', by_states=True),
            before=ENABLED,
        ),
        row("they may be replays", [one_key(answer(1), repeats=0), one_key(answer(1), repeats=0), finally_(ENABLED)]),
        row("it is not read", [whole(1), whole(2)], before=ENABLED),
        row("they did not overlap", [whole(1), whole(2, at=(3, 4)), finally_(ENABLED)], before=ENABLED),
    ),
}
