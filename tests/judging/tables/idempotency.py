"""A key is used once: replays answer what was answered, and execute nothing."""

from __future__ import annotations

from functools import partial

from tests.judging.episodes import answered, get, lost, ok, put, refused
from tests.judging.keyed import (
    BEFORE,
    LATER,
    again,
    answer,
    beyond,
    held,
    keyless,
    no_more,
    not_reused,
    replay,
    reuse,
    says,
    spaced,
    use,
    windowed,
)
from tests.judging.rows import HOLDS, Broken, Table, row

kept_again = partial(again, requirement="status.replay-keeps")

TABLE: Table = {
    "idempotency.replay": (
        row("the replay has the original answer", [use(), replay()], HOLDS, before=BEFORE),
        row("the replay has another request id only", [use(), replay(outcome=answer(1, request_id="req_2"))], HOLDS),
        row("the third time is as the first", [use(), replay(), replay()], HOLDS, HOLDS),
        row("the replay comes after another update", [use(), use(2, "key-b"), replay()], HOLDS, before=BEFORE),
        row(
            "the replay executes",
            [use(), replay(outcome=answer(1, **LATER))],
            Broken("answered 200", "a probe", told='unlike the first answer at "/data/updated_at"'),
            before=BEFORE,
        ),
        row("the replay is a conflict", [use(), replay(outcome=refused(409))], Broken("answered 409")),
        row("the replay is refused as wrong", [use(), replay(outcome=refused(422))], Broken("answered 422")),
        row("the replay has another status", [use(), replay(outcome=ok(held(1), status=201))], Broken("answered 201")),
        row(
            "the replay shows what is there now",
            [use(), use(2, "key-b"), replay(outcome=answer(2))],
            Broken("answered 200", told=f"nickname {held(2)['nickname']!r}"),
            before=BEFORE,
        ),
        row(
            "the second replay executes",
            [use(), replay(), replay(outcome=answer(1, **LATER))],
            HOLDS,
            Broken("answered 200"),
        ),
        row(
            "the same JSON in other bytes is replayed",
            [use(), spaced(answer(1), requirement="idempotency.replay")],
            HOLDS,
        ),
        row(
            "the same JSON in other bytes is another body",
            [use(), spaced(refused(422), requirement="idempotency.replay")],
            HOLDS,
        ),
        row(
            "the same JSON in other bytes executes",
            [use(), spaced(answer(1, **LATER), requirement="idempotency.replay")],
            Broken("answered 200"),
        ),
        row(
            "the first came to nothing, and the second executes", [use(outcome=lost()), replay()], HOLDS, before=BEFORE
        ),
        row(
            "the first failed, and the second executes",
            [use(outcome=answered(500, {})), replay()],
            HOLDS,
            before=BEFORE,
        ),
        row("there is no time for the replay", [use(), replay(outcome=refused(429))]),
        row("the replay makes the server fail, which is judged elsewhere", [use(), replay(outcome=answered(500, {}))]),
        row("the replay gets no answer", [use(), replay(outcome=lost())]),
        row("the replay is for another requirement", [use(), again(outcome=refused(409))]),
        row(
            "the replay of what was enabled since says so",
            [use(), kept_again(outcome=answer(1, status="enabled"))],
            Broken("answered 200"),
            before=BEFORE,
        ),
        row("the replay of what was enabled since is the original", [use(), kept_again()], HOLDS, before=BEFORE),
    ),
    "idempotency.no-reexecution": (
        row(
            "the rule holds the later update", [use(), use(2, "key-b"), again(), no_more(held(2))], HOLDS, before=BEFORE
        ),
        row(
            "the rule holds the first update again",
            [use(), use(2, "key-b"), again(), no_more(held(1))],
            Broken("executed", "after a replay", by_states=True),
            before=BEFORE,
        ),
        row(
            "a human's change is reverted",
            [use(), get(held(1)), use(3, None), again(), no_more(held(1))],
            Broken("executed", by_states=True),
            before=BEFORE,
        ),
        row("nothing came in between", [use(), again(), no_more(held(1))], HOLDS, before=BEFORE),
        row("the replay leaves all as it was", [use(), get(held(1)), replay(), no_more(held(1))], HOLDS, HOLDS),
        row(
            "the replay moves the time of the last update",
            [use(), get(held(1)), replay(), no_more(held(1, **LATER))],
            HOLDS,
            Broken("changed", by_states=True),
        ),
        row(
            "another body under the key executes",
            [use(), get(held(1)), again(2, answer(2)), get(held(2))],
            before=BEFORE,
        ),
        row(
            "the same request by somebody else executes",
            [use(), get(held(1)), again(1, answer(1, **LATER), caller="limited"), get(held(1, **LATER))],
        ),
        row(
            "the first answer was lost, and the second request executes",
            [use(outcome=lost()), get(held(1)), again(1, answer(1, **LATER)), get(held(1, **LATER))],
        ),
        row(
            "after the window the same request executes",
            [use(), get(held(1)), again(1, answer(1, **LATER), window="beyond"), get(held(1, **LATER))],
        ),
        row(
            "a replay is refused, and the time of the last update moves",
            [use(), get(held(1)), again(1, refused(409)), get(held(1, **LATER))],
        ),
        row(
            "what was put off executes when it comes again",
            [use(outcome=refused(429)), get(held(1)), replay(outcome=answer(1, **LATER)), no_more(held(1, **LATER))],
            HOLDS,
        ),
        row(
            "an update was lost in between, and executed",
            [use(), use(2, "key-b", lost()), again(), no_more(held(2))],
            HOLDS,
            before=BEFORE,
        ),
        row(
            "an update was lost in between, and not executed",
            [use(), use(2, "key-b", lost()), again(), no_more(held(1))],
            HOLDS,
            before=BEFORE,
        ),
        row(
            "an update failed in between, and was executed",
            [use(), use(2, "key-b", answered(500, {})), no_more(held(2))],
            HOLDS,
            before=BEFORE,
        ),
        row(
            "an update was put off in between",
            [use(), use(2, "key-b", refused(429)), no_more(held(1))],
            HOLDS,
            before=BEFORE,
        ),
        row(
            "several at once came in between, and one was executed",
            [use(), put(answer(5), says(5), group=1), put(answer(6), says(6), group=1), no_more(held(6))],
            HOLDS,
            before=BEFORE,
        ),
        row("it is not read", [use(), use(2, "key-b"), again()], before=BEFORE),
        row("the read is for another requirement", [use(), use(2, "key-b"), again(), get(held(1))], before=BEFORE),
    ),
    "idempotency.reuse-not-executed": (
        row("the other body has the original answer", [use(), reuse(answer(1))], HOLDS, before=BEFORE),
        row("the other body is a conflict", [use(), reuse(refused(409))], HOLDS, before=BEFORE),
        row("the other body is refused in another way, which the reading tells", [use(), reuse(refused(417))], HOLDS),
        row(
            "the other body is refused", [use(), reuse(refused(422)), not_reused(held(1))], HOLDS, HOLDS, before=BEFORE
        ),
        row("the other body is executed", [use(), reuse()], Broken("answered 200", "a probe"), before=BEFORE),
        row(
            "the other body is refused and executed",
            [use(), reuse(refused(422)), not_reused(held(2))],
            HOLDS,
            Broken("executed", "after the reuse", by_states=True),
            before=BEFORE,
        ),
        row(
            "the other body has the original answer and is executed",
            [use(), reuse(answer(1)), not_reused(held(2))],
            HOLDS,
            Broken("executed", by_states=True),
            before=BEFORE,
        ),
        row("there is no time for it", [use(), reuse(refused(429))], before=BEFORE),
        row("it makes the server fail, which is judged elsewhere", [use(), reuse(answered(500, {}))], before=BEFORE),
        row("the key was not used before", use(2, requirement="idempotency.reuse-not-executed"), HOLDS, before=BEFORE),
        row("it is for another requirement", [use(), again(2)], before=BEFORE),
    ),
    "idempotency.window": (
        row("the key keeps its answer for a day", [use(), use(2, "key-b"), windowed()], HOLDS, before=BEFORE),
        row(
            "the key forgets within the day",
            [use(), use(2, "key-b"), windowed(outcome=answer(1, **LATER))],
            Broken("answered 200", "a probe"),
            before=BEFORE,
        ),
        row("the key is refused within the day", [use(), windowed(outcome=refused(409))], Broken("answered 409")),
        row(
            "the key executes after the day",
            [use(), use(2, "key-b"), beyond(outcome=answer(1, **LATER))],
            HOLDS,
            before=BEFORE,
        ),
        row("the key has its answer after the day", [use(), use(2, "key-b"), beyond()], HOLDS, before=BEFORE),
        row("the key is refused after the day", [use(), beyond(outcome=refused(409))], Broken("answered 409")),
        row(
            "a replay within the day executes in secret",
            [use(), use(2, "key-b"), windowed(), get(held(1), requirement="idempotency.window")],
            HOLDS,
            Broken("executed", by_states=True),
            before=BEFORE,
        ),
        row("there is no time for it", [use(), windowed(outcome=refused(429))]),
        row("it is for another requirement", [use(), again(outcome=refused(409))]),
    ),
    "idempotency.without-key": (
        row(
            "each request executes",
            [keyless(1), keyless(2), keyless(1, outcome=answer(1, **LATER))],
            HOLDS,
            HOLDS,
            HOLDS,
            before=BEFORE,
        ),
        row(
            "the same request id executes",
            [keyless(1, request_id="mine"), keyless(2, request_id="mine")],
            HOLDS,
            HOLDS,
            before=BEFORE,
        ),
        row(
            "the same request is refused the second time",
            [keyless(1), keyless(1, outcome=refused(409))],
            HOLDS,
            Broken("answered 409", "a probe"),
            before=BEFORE,
        ),
        row(
            "another request gets the first answer",
            [keyless(1), keyless(2, outcome=answer(1))],
            HOLDS,
            Broken("answered 200"),
            before=BEFORE,
        ),
        row(
            "the request id is taken for a key",
            [keyless(1, request_id="mine"), keyless(2, request_id="mine", outcome=answer(1))],
            HOLDS,
            Broken("answered 200"),
            before=BEFORE,
        ),
        row(
            "the same request is answered and not executed",
            [keyless(1), keyless(2), keyless(1), get(held(2), requirement="idempotency.without-key")],
            HOLDS,
            HOLDS,
            HOLDS,
            Broken("not executed", by_states=True),
            before=BEFORE,
        ),
        row("there is no time for it", keyless(1, outcome=refused(429)), before=BEFORE),
        row("it has a key", use()),
    ),
}
