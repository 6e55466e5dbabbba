"""The window of a key, judged in two halves a day apart, where the target's clock cannot be moved."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal

import msgspec

from rules_harness.harness.errors import UsageError
from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import Run
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.key_steps import MARGIN_SECONDS, again, first_use, is_replayed
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.scenarios.unmet import Unmet
from rules_harness.harness.target.cleaning import named_in
from rules_harness.harness.target.profile import Profile

REQUIREMENT: Final = "idempotency.window"
PLANT: Final = "window/plant"
DAY_SECONDS: Final = 86_400.0
MARGIN: Final = timedelta(seconds=MARGIN_SECONDS)
LAST_HOUR: Final = timedelta(hours=1)
"""Of the window: a replay before it says nothing of the whole window."""

Side = Literal["within", "beyond"]


def plant_scenario() -> Scenario:
    """The first half: an update with a key, and its replay at once."""
    return Scenario(PLANT, "idempotency", ("idempotency.replay",), _plant)


def verify_scenario(planted: Episode, side: Side) -> Scenario:
    """The second half: the same request again, within the window or beyond it.

    The first half may be somebody else's: nothing that it says of its requests is believed.
    """
    run = partial(_verify, planted=planted, side=side)
    return Scenario("window/verify", "idempotency", (REQUIREMENT,), run)


def planted_in(run: Run) -> Episode:
    """The first half in a recorded run; raises `UsageError` where it is not there, or shows no replay."""
    planted = next((episode for episode in run.episodes if episode.id == PLANT), None)
    if planted is None or run.footer is None or not any(exchange.intent.key for exchange in planted.exchanges):
        raise UsageError("this run holds no whole first half; make one with `rules-harness window plant --target FILE`")
    return planted


def check_own(planted: Episode, base_url: str, profile: Profile) -> None:
    """Raise `UsageError` where a first half, planted at ``base_url``, is none of this profile's target and rules."""
    if base_url != profile.target.base_url:
        raise UsageError(f"the first half went to {base_url}, and the profile is of {profile.target.base_url}")
    rules = {exchange.intent.rule for exchange in planted.exchanges} - set(profile.rules.all)
    if rules:
        raise UsageError(f"the first half wrote to {', '.join(sorted(rules))}, which the profile does not list")
    keys = named_in([msgspec.to_builtins(exchange.request) for exchange in planted.exchanges])
    if keys:
        raise UsageError(f"the first half holds the key of {', '.join(sorted(keys))} in a text; plant another")


def side_of(run: Run, now: datetime, window: timedelta) -> Side:
    """On which side of the window a moment lies; raises `UsageError` where that is too early or too close to call."""
    begun = datetime.fromisoformat(run.header.started_at)
    ended = datetime.fromisoformat(run.footer.ended_at) if run.footer is not None else begun
    if now < begun + window - LAST_HOUR:
        first, last = ((begun + window - before).isoformat(timespec="seconds") for before in (LAST_HOUR, MARGIN))
        raise UsageError(
            f"it is too early: a replay now says nothing of {window.total_seconds() / 3600:g} hours; run this again "
            f"between {first} and {last}, or later"
        )
    if now < begun + window - MARGIN:
        return "within"
    if now > ended + window + MARGIN:
        return "beyond"
    later = (ended + window + MARGIN).isoformat(timespec="seconds")
    raise UsageError(f"the window of the planted key ends just now; run this again after {later}")


def _plant(bench: Bench) -> None:
    bench.begin()
    first = first_use(bench, bench.distinct(1), bench.new_key())
    if not is_replayed(bench, first):
        raise Unmet("a replay at once is not answered as one, so that its window cannot be judged")


def _verify(bench: Bench, planted: Episode, side: Side) -> None:
    """Another update first, so that an execution of the planted one would show."""
    bench.shared.guard.distrust()
    bench.resume(shifted(planted, DAY_SECONDS))
    first = next(p for p, exchange in enumerate(planted.exchanges) if exchange.intent.key is not None)
    bench.update(
        bench.distinct(2), rule=planted.exchanges[first].intent.rule, acceptance="open", label="another update"
    )
    again(bench, first, label=f"replay {side} the window", requirement=REQUIREMENT, window=side)
    bench.read(planted.exchanges[first].intent.rule, requirement=REQUIREMENT, label=f"after a replay {side} the window")


def shifted(planted: Episode, by: float) -> Episode:
    """An episode of an earlier run, its times moved before those of this one, in seconds."""
    moved = tuple(
        msgspec.structs.replace(exchange, started=exchange.started - by, ended=exchange.ended - by)
        for exchange in planted.exchanges
    )
    return msgspec.structs.replace(planted, exchanges=moved)
