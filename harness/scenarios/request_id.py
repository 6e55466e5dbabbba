"""What is sent to judge request ids: plain ones, none, hostile ones, on successes and on errors."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter, itemgetter
from typing import Any

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.details import UpdateDetails
from rules_harness.harness.scenarios.planner import Planned
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.requests import odd_request_ids
from rules_harness.strategies.world import World

PLAIN = "request-id.echo-header"
HOW_SENT = {"with an id": (True, False), "with an id and a key": (True, True), "with a key": (False, True)}
"""Whether a request that is refused has an id and a key."""


def scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """Request ids, on successes and on errors."""
    family = "request-id"
    yield Scenario("request-id/echo", family, ("request-id.echo-header", "request-id.echo-body"), _echo)
    yield Scenario("request-id/generated", family, ("request-id.generated", "request-id.unique"), _generated)
    yield Scenario("request-id/errors", family, ("request-id.on-errors",), _errors)
    yield Scenario("request-id/unknown-rule", family, ("request-id.on-errors",), _unknown_rule, "unknown")
    yield Scenario("request-id/hostile", family, ("request-id.hostile",), _hostile)


def _echo(bench: Bench) -> None:
    plain = [odd for odd in odd_request_ids(bench.contract) if odd.requirement == PLAIN]
    with_key = {odd.name for odd in plain[1::2]}
    for odd in bench.cases.of(plain, attrgetter("name")):
        key = bench.new_key() if odd.name in with_key else None
        bench.send(*bench.plan_odd(odd, bench.marked(), key=key, request_id_kind="plain"))
    if bench.readable:
        bench.read(request_id=bench.new_key(), purpose="probe")


def _generated(bench: Bench) -> None:
    for _ in range(3):
        bench.update(bench.marked())
        bench.read()


def _sent(bench: Bench, how: str) -> UpdateDetails:
    """A request's id and key, new ones."""
    has_id, has_key = HOW_SENT[how]
    return {"request_id": bench.new_key() if has_id else None, "key": bench.new_key() if has_key else None}


def _errors(bench: Bench) -> None:
    """Each sort of refusal, with and without an id and a key of the client's."""
    bench.begin()
    credentials = bench.shared.profile.credentials
    forbidden = next((name for name in ("read_only", "unrelated", "trigger_only") if name in credentials), None)
    _, wrong = bench.wrong_bodies()[1]
    refused: list[tuple[dict[str, Any] | bytes, UpdateDetails]] = [
        (bench.marked(), {"label": "401", "authorization": "", "caller": "none", "access": "unauthenticated"}),
        (wrong, {"label": "a refused body", "body": "broken"}),
        (b"{", {"label": "malformed JSON", "body": "syntax"}),
    ]
    if forbidden is not None:
        refused.append((bench.marked(), {"label": "403", "caller": forbidden, "access": "no-permission"}))
    rows = [(f"{details['label']}, {how}", body, details, how) for how in HOW_SENT for body, details in refused]
    for _, body, details, how in bench.cases.of(rows, itemgetter(0)):
        bench.update(body, **UpdateDetails(**details, **_sent(bench, how)))
    bench.read()


def _unknown_rule(bench: Bench) -> None:
    for how in bench.cases.of(HOW_SENT, str):
        unknown: UpdateDetails = {"rule": bench.unknown_id(), "existence": "unknown", "label": "404"}
        bench.update(bench.inert(), **UpdateDetails(**unknown, **_sent(bench, how)))


def _hostile(bench: Bench) -> None:
    planned: list[Planned] = []
    hostile = [odd for odd in odd_request_ids(bench.contract) if odd.requirement != PLAIN]
    for odd in bench.cases.of(hostile, attrgetter("name")):
        planned.append(bench.plan_odd(odd, bench.marked(), request_id_kind="hostile"))
    for request, intent in planned:
        bench.send(request, intent)
