"""What is sent to judge methods and headers beside the documented ones."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.requests import odd_header_sets
from rules_harness.strategies.world import World

OTHER_METHODS = ("PATCH", "POST", "PUT")
"""Those that the contract has on the path are left out; DELETE and other methods that could destroy are never sent."""
METHOD_OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
"""Headers by which frameworks take another method for the one that was sent."""


def scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """Other methods, other headers."""
    yield Scenario("http/methods", "http", ("http.methods",), _methods)
    yield Scenario("http/headers", "http", ("http.headers",), _headers)


def _methods(bench: Bench) -> None:
    bench.begin()
    for method in bench.cases.of((name for name in OTHER_METHODS if name not in bench.contract.methods), str):
        bench.update(
            bench.marked(),
            method=method,
            operation="other",
            acceptance="open",
            requirement="http.methods",
            label=method,
        )
        bench.read_apart(method)
    for override in bench.cases.of(METHOD_OVERRIDES if bench.contract.update.method != "POST" else (), str):
        bench.update(
            bench.marked(),
            method="POST",
            headers=((override, bench.contract.update.method),),
            operation="other",
            acceptance="open",
            requirement="http.methods",
            label=f"POST with {override}",
        )
        bench.read_apart(override)


def _headers(bench: Bench) -> None:
    bench.begin()
    for odd in bench.cases.of(odd_header_sets(), attrgetter("name")):
        bench.send(*bench.plan_odd(odd, bench.marked()))
    bench.read()
