"""What is sent to judge validation: every mutation of the catalogue, and every odd body, content type and size."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import partial

from rules_harness.harness.intent import BodyKind, Meaning
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.cases import sent_and_read
from rules_harness.harness.scenarios.circumstances import plan_in
from rules_harness.harness.scenarios.planner import Planned
from rules_harness.harness.scenarios.scenario import NeedsRead, Scenario
from rules_harness.harness.scenarios.telling import chunked
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import Body, is_suitable
from rules_harness.strategies.design import Row
from rules_harness.strategies.mutations import Mutation, apply, catalogue, settings
from rules_harness.strategies.requests import OddRequest, encoding_bodies, media_types, size_bodies, syntax_bodies
from rules_harness.strategies.world import World

MUTATIONS_PER_SCENARIO = 40
ODD_PER_SCENARIO = 10
SERVER_OWNED = "update.identity"
REFUSALS = ("validation.atomic", "validation.status", "envelope.error")
KINDS: dict[str, BodyKind] = {
    "validation.syntax": "syntax",
    "validation.encoding": "encoding",
    "validation.media-type": "media-type",
    "validation.size": "size",
}


def broken(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """What of the catalogue is to be refused."""
    claiming = [mutation for mutation in _sendable(contract, world, profile) if mutation.is_to_be_refused]
    yield from chunked("validation/broken", claiming, MUTATIONS_PER_SCENARIO, _name, _breaking)


def asked_and_odd(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """What of the catalogue asks a question, and every odd body."""
    if not is_suitable(contract, world):
        return
    asking = [
        mutation
        for mutation in _sendable(contract, world, profile)
        if not mutation.is_to_be_refused and mutation.requirement != SERVER_OWNED
    ]
    yield from chunked("validation/asked", asking, MUTATIONS_PER_SCENARIO, _name, _asking, parts=sent_and_read)
    odd = (make(contract, world) for make in (syntax_bodies, encoding_bodies, media_types, size_bodies))
    yield from chunked("validation/odd", itertools.chain.from_iterable(odd), ODD_PER_SCENARIO, _name, _of_odd)


def _sendable(contract: Contract, world: World, profile: Profile) -> Iterator[Mutation]:
    """The catalogue, where there is a body to break, without what a lax target might carry out and may not."""
    if is_suitable(contract, world):
        for mutation in catalogue(contract):
            if profile.allows_live_shapes or not mutation.risky:
                yield mutation


def _name(case: Mutation | OddRequest) -> str:
    return case.name


def _breaking(scenario_id: str, mutations: Sequence[Mutation]) -> Scenario:
    requirements = (*sorted(set(_about(mutations))), *REFUSALS)
    return Scenario(scenario_id, "validation", requirements, partial(_break, mutations=mutations))


def _asking(scenario_id: str, mutations: Sequence[Mutation]) -> Scenario:
    requirements = tuple(sorted({mutation.requirement for mutation in mutations if mutation.requirement}))
    return Scenario(scenario_id, "validation", requirements, partial(_ask, mutations=mutations))


def _of_odd(scenario_id: str, requests: Sequence[OddRequest]) -> Scenario:
    about = {request.requirement for request in requests}
    # A list of a thousand members that is accepted is kept whole.
    whole = ("update.steps-replaced",) if "validation.size" in about else ()
    return Scenario(scenario_id, "validation", (*sorted(about), *whole, *REFUSALS), partial(_odd, requests=requests))


def _about(mutations: Sequence[Mutation]) -> Iterator[str]:
    """What is judged where these mutations are accepted: a number beyond its bounds may be altered too."""
    for mutation in mutations:
        if mutation.requirement:
            yield mutation.requirement
        if mutation.requirement == "validation.bounds" and mutation.keyword in ("type", "maximum", "minimum"):
            yield "update.amounts-exact"


def server_owned(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """Fields that the server alone sets, last of all: a target that takes them over may lose the rule."""
    mutations = [mutation for mutation in catalogue(contract) if mutation.requirement == SERVER_OWNED]
    if mutations and is_suitable(contract, world):
        yield Scenario(
            "validation/server-owned",
            "update",
            (SERVER_OWNED,),
            partial(_ask, mutations=mutations),
            "alone",
            (NeedsRead(),),
        )


def plan_mutation(
    bench: Bench, mutation: Mutation, base: Body | None = None, *, key: str | None = None, row: Row | None = None
) -> Planned:
    """One mutation done to a body, under the circumstances of ``row``; without ``base`` to the simplest that has its
    place.

    Off loopback a status that is none is done to the simplest too, which moves nothing soon: a lax target could enable
    the rule.
    """
    if mutation.place == f"/{bench.names.status}" and not bench.shared.guard.is_open:
        base = None
    if row is not None:
        return plan_in(
            bench, row, apply(bench.contract, bench.world, mutation, base, setting=row), **_meaning(mutation)
        )
    return bench.plan_update(apply(bench.contract, bench.world, mutation, base), key=key, **_meaning(mutation))


def _meaning(mutation: Mutation) -> Meaning:
    return Meaning(
        body="broken" if mutation.is_to_be_refused else "open",
        acceptance="open",
        label=mutation.name,
        place=mutation.place,
        mutation=mutation.kind,
        requirement=mutation.requirement or "",
        reading=mutation.reading or "",
        standing=mutation.standing,
        level=mutation.level,
    )


def _begin_apart(bench: Bench) -> None:
    """Begin with a rule that holds nothing of what is sent, so that every effect shows."""
    bench.update(bench.distinct(1), purpose="setup", acceptance="open", label="before what is refused")
    bench.read()


def _break(bench: Bench, mutations: Sequence[Mutation]) -> None:
    """Bodies that are all to be refused; what is stored afterwards is looked at once for all of them."""
    _begin_apart(bench)
    rows = settings(bench.contract)
    bench.send_all(
        [plan_mutation(bench, mutation, row=rows[mutation.name]) for mutation in bench.cases.of(mutations, _name)]
    )
    bench.read()


def _ask(bench: Bench, mutations: Sequence[Mutation]) -> None:
    """Bodies that may be accepted: what is stored is looked at after each."""
    bench.begin()
    for mutation in bench.cases.of(mutations, _name):
        bench.send(*plan_mutation(bench, mutation))
        bench.read_apart(mutation.name)


def plan_wrong_body(bench: Bench, odd: OddRequest) -> Planned:
    """One body that is malformed, oddly encoded, of another content type or of an odd size."""
    kind: BodyKind = "open"
    if odd.expect != "success-or-4xx" or "size" in odd.requirement:
        kind = KINDS.get(odd.requirement, "open")
    return bench.plan_odd(odd, bench.inert(), body=kind, requirement=odd.requirement if kind != "open" else "")


def _odd(bench: Bench, requests: Sequence[OddRequest]) -> None:
    _begin_apart(bench)
    for odd in bench.cases.of(requests, _name):
        bench.send(*plan_wrong_body(bench, odd))
    bench.read()
