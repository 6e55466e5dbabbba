"""What is sent to judge 401: no key, broken keys, keys in the wrong place, and what they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter, itemgetter

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.details import Authorization
from rules_harness.harness.scenarios.paths import other_paths
from rules_harness.harness.scenarios.scenario import Need, NeedsCredential, NeedsPermission, NeedsRead, Scenario
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.keys import UNKNOWN
from rules_harness.strategies.requests import OddRequest, odd_credentials
from rules_harness.strategies.world import World

READ = ("auth.missing", "auth.malformed", "auth.unknown-key", "auth.header-only")
READ_WITH = frozenset(
    f"credential:{name}" for name in ("bearer", "bare-key", "truncated", "swapcase", "query-api_key", "cookie-api_key")
)
"""What of the odd credentials reads are tried with too."""


def scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """Who may not ask, in every way of asking."""
    yield _scenario("missing", ("auth.missing", "auth.no-effect", "auth.challenge"), _missing)
    for requirement in ("auth.malformed", "auth.unknown-key", "auth.header-only"):
        needs = (NeedsPermission("expose_key"),) if requirement == "auth.header-only" else ()
        yield _scenario(
            requirement.partition(".")[2],
            (requirement, "auth.no-effect", "auth.challenge"),
            partial(_odd, requirement=requirement),
            *needs,
        )
    yield _scenario("body-key", ("auth.header-only", "auth.no-effect"), _key_in_body)
    yield _scenario("revoked", ("auth.unknown-key", "auth.no-effect"), _revoked, NeedsCredential("revoked"))
    yield Scenario("auth/before-lookup", "auth", ("auth.before-lookup",), _before_lookup, lane="unknown")
    yield _scenario("before-validation", ("auth.before-validation",), _before_validation)
    yield _scenario("scheme-case", ("auth.malformed",), _scheme_case)
    yield _scenario("read", READ, _read, NeedsRead())


def _scenario(name: str, requirements: tuple[str, ...], run: Callable[[Bench], None], *needs: Need) -> Scenario:
    return Scenario(f"auth/{name}", "auth", requirements, run, needs=needs)


def _missing(bench: Bench) -> None:
    bench.begin()
    paths: dict[str, str | None] = {"its path": None, **other_paths(bench.contract, bench.rule)}
    for label, target in bench.cases.of(paths.items(), itemgetter(0)):
        bench.update(
            bench.marked(),
            authorization="",
            caller="none",
            access="unauthenticated",
            requirement="auth.missing",
            label="no Authorization" if target is None else f"no Authorization, {label}",
            target=target,
        )
    bench.read()


def _odd(bench: Bench, requirement: str) -> None:
    bench.begin()
    chosen = [
        odd
        for odd in odd_credentials(bench.contract)
        if odd.requirement == requirement and not _in_body(odd) and bench.can_send(odd)
    ]
    # A request with an Idempotency-Key may go another way through a target, which authenticates for itself.
    planned = [
        bench.plan_odd(odd, bench.marked(), access="unauthenticated", caller=odd.name, key=bench.new_key())
        for odd in bench.cases.of(chosen, attrgetter("name"))
    ]
    bench.send_all(planned)
    bench.read()


def _key_in_body(bench: Bench) -> None:
    """The body is not a place that a target's logs keep: this needs no permission."""
    bench.begin()
    for odd in bench.cases.of(filter(_in_body, odd_credentials(bench.contract)), attrgetter("name")):
        bench.send(*bench.plan_odd(odd, bench.marked(), access="unauthenticated", caller=odd.name))
    bench.read()


def _in_body(odd: OddRequest) -> bool:
    return odd.key is not None and odd.key.place == "field"


def _revoked(bench: Bench) -> None:
    bench.begin()
    bench.update(
        bench.marked(),
        caller="revoked",
        access="unauthenticated",
        requirement="auth.unknown-key",
        label="a revoked key",
    )
    bench.read()


def _before_lookup(bench: Bench) -> None:
    body = bench.inert()
    authorizations: tuple[tuple[Authorization, str], ...] = (
        ("", "none"),
        (bench.key_of(UNKNOWN), "unknown"),
        (bench.key_of(UNKNOWN, "Bearer" if bench.names.auth_scheme != "Bearer" else "Basic"), "of another scheme"),
    )
    for authorization, caller in bench.cases.of(authorizations, itemgetter(1)):
        bench.update(
            body,
            rule=bench.unknown_id(),
            authorization=authorization,
            caller=caller,
            existence="unknown",
            access="unauthenticated",
            requirement="auth.before-lookup",
            label=f"unknown id, key {caller}",
        )


def _before_validation(bench: Bench) -> None:
    bench.begin()
    for name, content in bench.cases.of(bench.wrong_bodies(), itemgetter(0)):
        bench.update(
            content,
            authorization="",
            caller="none",
            access="unauthenticated",
            body="broken",
            requirement="auth.before-validation",
            label=name,
        )
    bench.read()


def _scheme_case(bench: Bench) -> None:
    bench.begin()
    for spelling in bench.cases.of((bench.names.auth_scheme.lower(), bench.names.auth_scheme.upper()), str):
        bench.update(
            bench.marked(),
            authorization=bench.key_of("full", spelling),
            access="open",
            acceptance="open",
            reading="reading.scheme-case",
            label="another case",
        )
    bench.read()


def _read(bench: Bench) -> None:
    odd_ones = [odd for odd in odd_credentials(bench.contract) if odd.name in READ_WITH and bench.can_send(odd)]
    credentials = bench.shared.profile.credentials
    authorizations: tuple[tuple[str, Authorization, str], ...] = (
        ("auth.missing", "", "none"),
        ("auth.unknown-key", bench.key_of(UNKNOWN), "unknown"),
        *(("auth.unknown-key", bench.key_of(name), name) for name in ("revoked",) if name in credentials),
        *((odd.requirement, odd.key, odd.name) for odd in odd_ones),
    )
    for requirement, authorization, caller in bench.cases.of(authorizations, itemgetter(2)):
        bench.send(
            *bench.plan_read(
                authorization=authorization,
                caller=caller,
                purpose="probe",
                access="unauthenticated",
                requirement=requirement,
                label=f"GET, key {caller}",
            )
        )
