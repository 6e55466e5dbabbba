"""What is sent to judge request ids: plain ones, none, hostile ones, on successes and on errors."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.planner import Planned
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.requests import odd_request_ids
from rules_harness.strategies.world import World

PLAIN = "request-id.echo-header"


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


def _sent_with(bench: Bench) -> Iterator[tuple[str | None, str | None]]:
    """A request's id and key: each of them with and without the other."""
    for has_id, has_key in bench.cases.of(((True, False), (True, True), (False, True)), str):
        yield bench.new_key() if has_id else None, bench.new_key() if has_key else None


def _errors(bench: Bench) -> None:
    """Each sort of refusal, with and without an id and a key of the client's."""
    bench.begin()
    credentials = bench.shared.profile.credentials
    forbidden = next((name for name in ("read_only", "unrelated", "trigger_only") if name in credentials), None)
    _, wrong = bench.wrong_bodies()[1]
    for request_id, key in _sent_with(bench):
        bench.update(
            bench.marked(),
            request_id=request_id,
            key=key,
            authorization="",
            caller="none",
            access="unauthenticated",
            label="401",
        )
        if forbidden is not None:
            bench.update(
                bench.marked(), request_id=request_id, key=key, caller=forbidden, access="no-permission", label="403"
            )
        bench.update(wrong, request_id=request_id, key=key, body="broken", label="a refused body")
        bench.update(b"{", request_id=request_id, key=key, body="syntax", label="malformed JSON")
    bench.read()


def _unknown_rule(bench: Bench) -> None:
    for request_id, key in _sent_with(bench):
        bench.update(
            bench.inert(), rule=bench.unknown_id(), request_id=request_id, key=key, existence="unknown", label="404"
        )


def _hostile(bench: Bench) -> None:
    planned: list[Planned] = []
    hostile = [odd for odd in odd_request_ids(bench.contract) if odd.requirement != PLAIN]
    for odd in bench.cases.of(hostile, attrgetter("name")):
        planned.append(bench.plan_odd(odd, bench.marked(), request_id_kind="hostile"))
    for request, intent in planned:
        bench.send(request, intent)
