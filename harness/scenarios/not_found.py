"""What is sent to judge 404: ids that are not there, and odd ones."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter, itemgetter

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.requests import odd_ids
from rules_harness.strategies.world import World

NEAR = {
    "an id, NUL and more": "%00x",
    "an id, NUL and an extension": "%00.json",
    "an id and a letter beyond ASCII": "%C3%A9",
    "an id, a quote and a comment": "'--",
}
"""What follows a known id: never white space, slashes or parameters, which a lenient router takes off."""

WITH_KEYS = 2
"""Which of the unknown ids is asked for with keys."""


def scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """Ids that are not there."""
    requirements = (
        "not-found.unknown-id",
        "not-found.no-upsert",
        "envelope.not-found-names-id",
        "envelope.code-stable",
    )
    yield Scenario("not-found/unknown-id", "not-found", requirements, _unknown, "unknown")
    yield Scenario("not-found/near-ids", "not-found", ("not-found.odd-ids",), _near_ids)


def odd(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """Odd ids, last of all: there are servers that one of them ends."""
    yield Scenario("not-found/odd-ids", "not-found", ("not-found.odd-ids",), _odd_ids, "last")


def _unknown(bench: Bench) -> None:
    for number in bench.cases.of(range(1, 4), lambda number: f"id {number}"):
        rule = bench.unknown_id()
        for _ in range(2):
            bench.update(
                bench.inert(),
                rule=rule,
                key=bench.new_key() if number == WITH_KEYS else None,
                existence="unknown",
                requirement="not-found.unknown-id",
                label="unknown id",
            )
        if bench.readable:
            bench.send(
                *bench.plan_read(
                    rule, caller=bench.shared.profile.main_credential, existence="unknown", purpose="probe"
                )
            )


def _near_ids(bench: Bench) -> None:
    """A writable rule's id with something behind it that no router takes off, and that careless code loses."""
    bench.begin()
    for name, suffix in bench.cases.of(NEAR.items(), itemgetter(0)):
        target = bench.contract.update.path_for(bench.rule) + suffix
        bench.update(
            bench.inert(),
            rule=f"{bench.rule}{suffix}",
            target=target,
            existence="odd",
            requirement="not-found.odd-ids",
            label=name,
            raw=True,
        )
    bench.read()


def _odd_ids(bench: Bench) -> None:
    body = bench.inert()
    known = [*bench.shared.profile.rules.all, *bench.rules]
    planned = [
        bench.plan_odd(odd, body, rule=odd.name, existence="odd", body="valid")
        for odd in bench.cases.of(odd_ids(known), attrgetter("name"))
    ]
    bench.send_all(planned)
