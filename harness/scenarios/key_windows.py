"""What shows only when time has passed: keys about the end of their window, and what was enabled a while ago."""

from __future__ import annotations

from operator import itemgetter
from typing import Final

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.key_steps import MARGIN_SECONDS, again, first_use, need_replays, other_body
from rules_harness.harness.scenarios.unmet import NotEnabled

HOUR: Final = 3_600
DAY: Final = 24 * HOUR


def window(bench: Bench) -> None:
    """Just inside and just outside the window, and inside the one that begins then; only where a replay is answered as
    one in the first place."""
    requirement, hooks = "idempotency.window", bench.shared.hooks
    seconds = bench.names.key_window_seconds
    bench.begin()
    first = first_use(bench, bench.distinct(1), bench.new_key())
    need_replays(bench, first)
    bench.update(bench.distinct(2), key=bench.new_key(), acceptance="open", label="another update")
    passed = 0
    moments = (("long before its end", seconds // 4), ("just before its end", seconds - MARGIN_SECONDS))
    for name, moment in bench.cases.of(moments, itemgetter(0)):
        hooks.advance_clock(moment - passed)
        passed = moment
        # Whoever clears away old keys does so when another one is used.
        bench.update(bench.marked(), key=bench.new_key(), acceptance="open", label="another key, later")
        again(bench, first, label="replay within the window", requirement=requirement, window="within")
        for _ in bench.cases.of([f"{name}, another body"], str):
            other_body(bench, bench.marked(), first, "same key, other body, hours later", requirement=requirement)
            bench.read(requirement=requirement, label="after a replay within the window")
    for _ in bench.cases.of(["after its end"], str):
        hooks.advance_clock(seconds + MARGIN_SECONDS - passed)
        again(bench, first, label="after the window", requirement=requirement, window="beyond")
        used_anew = len(bench.exchanges) - 1
        bench.read(requirement=requirement, label="after the window")
        bench.update(bench.marked(), key=bench.new_key(), acceptance="open", label="another key, after the window")
        again(bench, used_anew, label="replay within a second window", requirement=requirement, window="within")
        bench.read(requirement=requirement, label="after a replay within a second window")


def enabled_since(bench: Bench) -> None:
    """A replay hours after the rule was enabled, and an update when that is more than a day ago."""
    bench.begin()
    label = f"a key, before the {bench.contract.noun} is enabled"
    first = first_use(bench, bench.marked(), bench.new_key(), requirement="", label=label)
    need_replays(bench, first)
    bench.read()
    if not bench.enable():
        raise NotEnabled(bench.contract)
    bench.shared.hooks.advance_clock(2 * HOUR)
    again(bench, first, label="replay, hours after it was enabled", requirement="status.replay-keeps")
    bench.read()
    bench.shared.hooks.advance_clock(DAY)
    bench.update(bench.marked(), acceptance="open", label="a day after it was enabled")
    bench.read()
