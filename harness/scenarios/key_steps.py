"""The steps that histories of keys are made of: a first use, the same again, another body under the same key."""

from __future__ import annotations

from typing import Any

from rules_harness.harness.exchange import Exchange
from rules_harness.harness.judging.histories import same_answer
from rules_harness.harness.scenarios.bench import Bench

REPLAY = "idempotency.replay"
REUSE = "idempotency.reuse-not-executed"


def first_use(bench: Bench, body: dict[str, Any], key: str, /, **details: Any) -> int:
    """Send an update that uses a key for the first time; returns its position."""
    details.setdefault("requirement", "idempotency.any-key")
    bench.update(body, key=key, acceptance="open", label=details.pop("label", "first use of a key"), **details)
    return len(bench.exchanges) - 1


def again(bench: Bench, first: int, label: str = "replay", **details: Any) -> Exchange:
    """Send the very same request again."""
    original = bench.exchanges[first]
    details.setdefault("requirement", REPLAY)
    request, intent = bench.plan_update(
        original.request.body.content if original.request.body else None,
        rule=original.intent.rule,
        caller=original.intent.caller,
        existence=original.intent.existence,
        key=original.intent.key,
        repeats=first,
        purpose="replay",
        body="valid",
        acceptance="open",
        label=label,
        **details,
    )
    return bench.send(request, intent)


def is_replayed(bench: Bench, first: int, **details: Any) -> bool:
    """Send the very same request again, and see whether it gets the original answer."""
    bench.sleep(bench.granule())
    original, answer = bench.exchanges[first].answer, again(bench, first, **details).answer
    return original is not None and answer is not None and same_answer(bench.contract, original, answer)


def other_body(bench: Bench, body: Any, first: int, /, **details: Any) -> Exchange:
    """Send another body under a key that was used."""
    details.setdefault("requirement", REUSE)
    details.setdefault("body", "valid")
    key = bench.exchanges[first].intent.key
    return bench.update(
        body, key=key, repeats=first, acceptance="open", label=details.pop("label", "same key, other body"), **details
    )
