"""The steps that histories of keys are made of: a first use, the same again, another body under the same key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rules_harness.harness.exchange import Exchange
from rules_harness.harness.intent import BodyKind, Window
from rules_harness.harness.judging.states import same_answer
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.unmet import Unmet

REPLAY = "idempotency.replay"
REUSE = "idempotency.reuse-not-executed"
MARGIN_SECONDS = 60
"""How far from the end of a key's window a target is asked: so much its clock and ours may differ."""


def first_use(
    bench: Bench,
    body: dict[str, Any],
    key: str,
    *,
    rule: str | None = None,
    caller: str = "full",
    requirement: str = "idempotency.any-key",
    label: str = "first use of a key",
) -> int:
    """Send an update that uses a key for the first time; returns its position."""
    bench.update(body, rule=rule, caller=caller, key=key, acceptance="open", requirement=requirement, label=label)
    return len(bench.exchanges) - 1


def again(
    bench: Bench,
    first: int,
    label: str = "replay",
    *,
    requirement: str = REPLAY,
    window: Window = "",
    target: str | None = None,
    request_id: str | None = None,
) -> Exchange:
    """Send the very same request again; with ``target``, its path in another spelling."""
    original = bench.exchanges[first]
    return bench.update(
        original.request.body.content if original.request.body else None,
        rule=original.intent.rule,
        caller=original.intent.caller,
        existence=original.intent.existence,
        key=original.intent.key,
        request_id=request_id,
        repeats=first,
        purpose="replay",
        body=original.intent.body,
        acceptance="open",
        requirement=requirement,
        label=label,
        window=window,
        target=target,
    )


def is_replayed(bench: Bench, first: int) -> bool:
    """Send the very same request again, and see whether it gets the original answer."""
    bench.sleep(bench.granule())
    original, answer = bench.exchanges[first].answer, again(bench, first).answer
    return original is not None and answer is not None and same_answer(bench.contract, original, answer)


def again_where_taken(bench: Bench, first: int, label: str) -> None:
    """Send the very same request again, a moment later, where it was accepted: else that is what there is to say."""
    answer = bench.exchanges[first].answer
    if answer is not None and answer.is_success:
        bench.sleep(bench.granule())
        again(bench, first, label)


def need_replays(bench: Bench, first: int) -> None:
    """Go on only where a key that nothing is odd about keeps its answer: where it does not, that is the finding."""
    if not is_replayed(bench, first):
        raise Unmet("a replay at once is not answered as one, so that no more can be said of keys")


def other_body(
    bench: Bench,
    body: Mapping[str, Any] | bytes,
    first: int,
    label: str = "same key, other body",
    *,
    requirement: str = REUSE,
    kind: BodyKind = "valid",
) -> Exchange:
    """Send another body under a key that was used."""
    return bench.update(
        body,
        key=bench.exchanges[first].intent.key,
        repeats=first,
        body=kind,
        acceptance="open",
        requirement=requirement,
        label=label,
    )
