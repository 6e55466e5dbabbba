"""What is sent to judge simultaneous requests: released together, each on its own connection."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from rules_harness.harness.intent import GroupBodies
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.planner import Planned
from rules_harness.harness.scenarios.scenario import NeedsHook, NeedsInFlight, NeedsRead, NeedsRules, Scenario
from rules_harness.harness.scenarios.unmet import NotEnabled
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.world import World

ROUNDS = 3
WIDTH = 6


def scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """Rounds of simultaneous requests."""
    key = ("idempotency.concurrent",)
    kinds: tuple[GroupBodies, ...] = ("equal", "distinct")
    for bodies in kinds:
        run = partial(_one_key, bodies=bodies)
        yield Scenario(f"concurrency/one-key-{bodies}", "concurrency", key, run, "alone", (NeedsInFlight(2),))
    enabled = (NeedsRead(), NeedsInFlight(2), NeedsHook("enable_rule"))
    where_enabled = ("concurrency.disabled", *key)
    yield Scenario("concurrency/enabled", "concurrency", where_enabled, _enabled, "alone", enabled)
    one_rule = ("concurrency.whole", "concurrency.disabled")
    yield Scenario("concurrency/one-rule", "concurrency", one_rule, _one_rule, "alone", (NeedsRead(), NeedsInFlight(2)))
    apart = ("concurrency.isolated", "concurrency.disabled")
    yield Scenario("concurrency/apart", "concurrency", apart, _apart, "first", (NeedsRules(2), NeedsInFlight(2)))


def _round(number: int) -> str:
    return f"round {number + 1}"


def _one_key(bench: Bench, bodies: GroupBodies) -> None:
    bench.begin()
    for number in bench.cases.of(range(ROUNDS), _round):
        _send_under_one_key(bench, number, bodies)


def _send_under_one_key(bench: Bench, number: int, bodies: GroupBodies) -> None:
    key = bench.new_key()
    planned = [
        bench.plan_update(
            bench.distinct(10 * number + (index if bodies == "distinct" else 0)),
            key=key,
            acceptance="open",
            requirement="idempotency.concurrent",
            label=f"simultaneous, one key, {bodies} bodies",
            group_bodies=bodies,
        )
        for index in range(bench.width(WIDTH))
    ]
    bench.send_all(planned, together=True)
    bench.read()


def _one_rule(bench: Bench) -> None:
    """Different bodies on one rule, some with keys, and reads in between."""
    bench.begin()
    for number in bench.cases.of(range(ROUNDS), _round):
        held = bench.distinct(19 + 10 * number)
        bench.update(held, purpose="setup", acceptance="open", label="before it is updated at once")
        bench.read()
        planned: list[Planned] = []
        for index in range(bench.width(WIDTH)):
            if index % 3 == 2:
                planned.append(bench.plan_read(purpose="probe", label="read in between"))
                continue
            planned.append(
                bench.plan_update(
                    _in_two_parts(bench, _partly_kept(bench, bench.distinct(20 + 10 * number + index), held, index)),
                    key=bench.new_key() if index % 2 else None,
                    acceptance="open",
                    requirement="concurrency.whole",
                    label=f"simultaneous, one {bench.contract.noun}",
                )
            )
        bench.send_all(planned, together=True)
        bench.read()


def _partly_kept(bench: Bench, body: dict[str, Any], held: dict[str, Any], index: int) -> dict[str, Any]:
    """The body with one text as the rule has it, each in turn: who writes only what changes mixes the two."""
    names = bench.names.texts
    name = names[index % len(names)] if names else None
    return body if name is None or name not in held else {**body, name: held[name]}


def _in_two_parts(bench: Bench, body: dict[str, Any]) -> dict[str, Any]:
    """The body with its parts twice, where that may be sent: who writes them one by one writes for longer."""
    parts = bench.names.parts
    return {**body, parts: [*body[parts], *body[parts]]} if parts and bench.shared.guard.is_open else body


def _enabled(bench: Bench) -> None:
    """Different bodies on an enabled rule: whichever comes last, it ends disabled; and one under one key."""
    bench.begin()
    for number in bench.cases.of(range(ROUNDS), _round):
        _enable_anew(bench)
        planned = [
            bench.plan_update(
                bench.distinct(100 + 10 * number + index),
                acceptance="open",
                requirement="concurrency.disabled",
                label=f"simultaneous, an enabled {bench.contract.noun}",
            )
            for index in range(bench.width(WIDTH))
        ]
        bench.send_all(planned, together=True)
        bench.read()
    for _ in bench.cases.of(("under one key",), str):
        _enable_anew(bench)
        _send_under_one_key(bench, ROUNDS, "equal")


def _enable_anew(bench: Bench) -> None:
    bench.update(bench.usual(), purpose="setup", acceptance="open", label="before it is enabled")
    if not bench.enable():
        raise NotEnabled(bench.contract)


def _apart(bench: Bench) -> None:
    rules = [rule for rule in bench.rules if rule in bench.shared.profile.rules.writable]
    bench.begin(*rules)
    for number in bench.cases.of(range(ROUNDS), _round):
        planned = [
            bench.plan_update(
                bench.distinct(60 + 10 * number + index),
                rule=rules[index % len(rules)],
                acceptance="open",
                requirement="concurrency.isolated",
                label=f"simultaneous, different {bench.contract.noun.plural}",
            )
            for index in range(min(len(rules), bench.width(WIDTH)))
        ]
        bench.send_all(planned, together=True)
        for rule in rules:
            bench.read(rule)
