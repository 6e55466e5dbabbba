"""How many bodies of an update are generated in a second, beside what schemathesis and Hypothesis alone reach.

Run as `python -m benchmarks.generation` from the root of the repository. All figures are of one run on one machine,
each the best of several rounds that take turns; every value is drawn by Hypothesis in its generate phase. A mutated
body is one mutation applied to a drawn base body; each base takes the whole catalogue.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from rules_harness.openapi.contract import Contract, load
from rules_harness.strategies.bodies import Body, bodies
from rules_harness.strategies.mutations import apply, catalogue
from rules_harness.strategies.world import Account, World

ROUNDS = 3
OURS, PEER, PLAIN, BASES = 400, 25, 2_000, 4
LEAST_PLAUSIBLE, LEAST_MUTATED = 10, 50
Work = Callable[[Any], int]


def rate(strategy: st.SearchStrategy[Any], draws: int, work: Work = lambda _: 1) -> float:
    """Values in a second: what `work` counts for each of so many draws."""
    made = 0

    @settings(
        max_examples=draws,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(value: Any) -> None:
        nonlocal made
        made += work(value)

    begun = time.perf_counter()
    draw()
    return made / (time.perf_counter() - begun)


def measured(contract: Contract, world: World) -> dict[str, float]:
    """The best rates of all rounds, by what was drawn."""
    operation = schemathesis.openapi.from_dict(dict(contract.document))[contract.update.path][contract.update.method]
    everything = catalogue(contract)

    def mutate(base: Body) -> int:
        return sum(1 for mutation in everything if apply(contract, world, mutation, base))

    runs: dict[str, Callable[[], float]] = {
        "integers": lambda: rate(st.integers(), PLAIN),
        "plausible": lambda: rate(bodies(contract, world), OURS),
        "mutated": lambda: rate(bodies(contract, world), BASES, mutate),
        "positive": lambda: rate(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), PEER),
        "negative": lambda: rate(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), PEER),
    }
    best = dict.fromkeys(runs, 0.0)
    for _ in range(ROUNDS):
        for name, run in runs.items():
            best[name] = max(best[name], run())
    return best


def rates_here() -> dict[str, float]:
    """The best rates for the packaged contract and a few accounts."""
    accounts = (
        Account("acc_income", "income_source"),
        Account("acc_pod", "pod"),
        Account("acc_card", "external_account", liability=True),
    )
    return measured(load(), World(accounts=accounts, now=datetime.now(UTC)))


def main() -> int:
    """Prints the figures; 1 where a target is missed."""
    rates = rates_here()
    peer = f"schemathesis {version('schemathesis')}, default configuration"
    alone = f"hypothesis {version('hypothesis')}, integers()"
    print(f"{'values':<24}{'per second':>12}{'of ' + alone:>40}")
    for name in ("plausible", "mutated"):
        print(f"{name + ' bodies':<24}{rates[name]:>12,.0f}{rates[name] / rates['integers']:>40.1%}")
    print(f"{'integers()':<24}{rates['integers']:>12,.0f}")
    targets = (("plausible", "positive", LEAST_PLAUSIBLE), ("mutated", "negative", LEAST_MUTATED))
    for name, mode, least in targets:
        print(f"{name} bodies: {rates[name] / rates[mode]:,.0f} times the {rates[mode]:,.1f} a second")
        print(f"    of {peer}, generation mode {mode} (at least {least} times)")
    return int(any(rates[name] < least * rates[mode] for name, mode, least in targets))


if __name__ == "__main__":
    raise SystemExit(main())
