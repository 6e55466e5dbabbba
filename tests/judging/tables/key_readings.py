"""Which answers a target gives to the open questions about keys."""

from __future__ import annotations

from rules_harness.harness.exchange import Answer
from tests.judging.episodes import OTHER, Sent, get, lost, ok, put, refused
from tests.judging.keyed import (
    BEFORE,
    LATER,
    again,
    answer,
    beyond,
    elsewhere,
    held,
    not_poisoned,
    not_reused,
    poison,
    reordered,
    replay,
    reuse,
    spaced,
    use,
    windowed,
)
from tests.judging.rows import Says, Table, row


def _wrong() -> Sent:
    return use(outcome=refused(400), content="broken", requirement="idempotency.not-stuck")


def _wrong_again(outcome: Answer | None = None) -> Sent:
    return again(1, outcome or refused(400), content="broken", requirement="idempotency.not-stuck")


def _told_to_wait(times: int) -> list[Sent]:
    """A right body under the key of the wrong one, again and again."""
    return [again(2, refused(409))] * times


TABLE: Table = {
    "reading.replayed-request-id": (
        row("the replay has the original's", [use(), replay()], Says("original")),
        row("the replay has one of its own", [use(), replay(outcome=answer(1, request_id="req_2"))], Says("new")),
        row("it is asked with an id", [use(), replay(request_id="req_9")], Says("original", "with an id")),
        row("the replay has none", [use(), replay(outcome=ok(held(1), request_id=...))]),
        row("the replay is refused", [use(), replay(outcome=refused(409))]),
        row("the replay is refused with the original's", [use(), replay(outcome=refused(409, request_id="req_1"))]),
        row("it is no replay", use(requirement="idempotency.replay")),
        row("the original was lost", [use(outcome=lost()), replay()]),
        row("it is for another requirement", [use(), again()]),
    ),
    "reading.key-reuse": (
        row("the original answer", [use(), reuse(answer(1)), not_reused(held(1))], Says("original"), before=BEFORE),
        row("a 400", [use(), reuse(refused(400))], Says("400"), before=BEFORE),
        row("a 409", [use(), reuse(refused(409))], Says("409"), before=BEFORE),
        row("a 422", [use(), reuse(refused(422))], Says("422"), before=BEFORE),
        row("any other refusal", [use(), reuse(refused(417))], Says("417"), before=BEFORE),
        row("it is executed, which breaks more", [use(), reuse()], before=BEFORE),
        row("there is no time for it", [use(), reuse(refused(429))], before=BEFORE),
        row("a replay breaks more", [use(), reuse(refused(422)), replay(outcome=refused(409))], before=BEFORE),
        row("nothing was asked of keys", put(ok())),
    ),
    "reading.key-on-other-rule": (
        row("it executes", [use(), elsewhere(answer(2, OTHER))], Says("executes"), before=BEFORE),
        row("a 400", [use(), elsewhere(refused(400))], Says("400"), before=BEFORE),
        row("a 409", [use(), elsewhere(refused(409))], Says("409"), before=BEFORE),
        row("a 422", [use(), elsewhere(refused(422))], Says("422"), before=BEFORE),
        row("any other refusal", [use(), elsewhere(refused(417))], Says("417"), before=BEFORE),
        row("the first rule's data, which breaks more", [use(), elsewhere(answer(1))], before=BEFORE),
        row("there is one rule", [use(), replay()], before=BEFORE),
    ),
    "reading.key-scope": (
        row(
            "another credential's key is another",
            [use(), use(2, caller="limited", repeats=0, requirement="idempotency.per-caller")],
            Says("credential"),
            before=BEFORE,
        ),
        row(
            "another credential's key is the same",
            [use(), use(2, caller="limited", repeats=0, outcome=refused(422), requirement="idempotency.per-caller")],
            Says("organization"),
            before=BEFORE,
        ),
        row("there is one credential", [use(), reuse(refused(422))], before=BEFORE),
        row(
            "the other one is lost",
            [use(), use(2, caller="limited", outcome=lost(), requirement="idempotency.per-caller")],
        ),
    ),
    "reading.body-identity": (
        row("bytes", [use(), spaced(refused(422), requirement="idempotency.replay")], Says("bytes"), before=BEFORE),
        row(
            "the value of the JSON",
            [use(), spaced(answer(1), requirement="idempotency.replay"), reuse(refused(422))],
            Says("json-value"),
            before=BEFORE,
        ),
        row(
            "any body gets the original answer",
            [use(), spaced(answer(1), requirement="idempotency.replay")],
            before=BEFORE,
        ),
        row("the bytes are the same", [use(), replay()], before=BEFORE),
        row(
            "white space is no difference, and the order of names is one",
            [
                use(),
                spaced(answer(1), requirement="idempotency.replay"),
                reordered(refused(422), requirement="idempotency.replay"),
                reuse(refused(422)),
            ],
            Says("bytes", "order"),
            Says("json-value"),
            before=BEFORE,
        ),
    ),
    "reading.refusal-replayed": (
        row(
            "a refused body is stored",
            [use(outcome=refused(400), content="broken"), not_poisoned(outcome=refused(400))],
            Says("stored", "400"),
            before=BEFORE,
        ),
        row(
            "a refused body is not stored",
            [use(outcome=refused(422), content="broken"), not_poisoned()],
            Says("not-stored", "422"),
            before=BEFORE,
        ),
        row(
            "a refused body is not stored, and one that names an account of nobody is",
            [
                use(outcome=refused(422), content="broken"),
                not_poisoned(),
                use(2, key="key-b", outcome=refused(422), content="foreign-account"),
                not_poisoned(2, key="key-b", repeats=2, outcome=refused(422)),
            ],
            Says("not-stored", "422"),
            Says("stored", "422 of foreign-account"),
            before=BEFORE,
        ),
        row(
            "a 403 is stored",
            [use(outcome=refused(403), access="no-permission"), not_poisoned(outcome=refused(403))],
            Says("stored", "403"),
            before=BEFORE,
        ),
        row(
            "a right body is told to wait for the refused one, which was just asked for again",
            [_wrong(), _wrong_again(), *_told_to_wait(1)],
            before=BEFORE,
        ),
        row(
            "a right body is told to wait for good",
            [_wrong(), _wrong_again(), *_told_to_wait(3)],
            Says("stored", "400"),
            before=BEFORE,
        ),
        row(
            "the refused body itself is told to wait",
            [_wrong(), _wrong_again(refused(409)), *_told_to_wait(3)],
            before=BEFORE,
        ),
        row("a 401 is no question", [poison(), not_poisoned()], before=BEFORE),
        row("the key was refused once", [not_poisoned(outcome=refused(400))], before=BEFORE),
    ),
    "reading.after-window": (
        row(
            "it executes", [use(), use(2, "key-b"), beyond(outcome=answer(1, **LATER))], Says("executes"), before=BEFORE
        ),
        row(
            "it has the original answer",
            [use(), use(2, "key-b"), beyond(), get(held(2))],
            Says("original"),
            before=BEFORE,
        ),
        row("it is refused, which breaks more", [use(), beyond(outcome=refused(409))], before=BEFORE),
        row("the window is not over", [use(), windowed()], before=BEFORE),
    ),
}
