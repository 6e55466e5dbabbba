"""What is sent to judge validation: every mutation of the catalogue, and every odd body, content type and size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from rules_harness.harness.intent import BodyKind
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.planner import Planned
from rules_harness.harness.scenarios.scenario import NeedsRead, Scenario
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import Body, is_suitable
from rules_harness.strategies.mutations import Mutation, apply, catalogue
from rules_harness.strategies.requests import OddRequest, encoding_bodies, media_types, size_bodies, syntax_bodies
from rules_harness.strategies.world import World

T = TypeVar("T")
MUTATIONS_PER_SCENARIO = 12
ODD_PER_SCENARIO = 10
SERVER_OWNED = "update.identity"
REFUSALS = ("validation.atomic", "validation.status", "envelope.error")
KINDS: dict[str, BodyKind] = {
    "validation.syntax": "syntax",
    "validation.encoding": "encoding",
    "validation.media-type": "media-type",
    "validation.size": "size",
}


def scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """The whole catalogue, and every odd body."""
    if not is_suitable(contract, world):
        return
    sendable = [
        mutation
        for mutation in catalogue(contract)
        if profile.is_loopback or profile.permissions.live_shapes or not mutation.risky
    ]
    claiming = [mutation for mutation in sendable if mutation.is_to_be_refused]
    asking = [
        mutation for mutation in sendable if not mutation.is_to_be_refused and mutation.requirement != SERVER_OWNED
    ]
    for number, chunk in enumerate(_chunks(claiming, MUTATIONS_PER_SCENARIO), start=1):
        requirements = tuple(sorted(set(_about(chunk))))
        run = partial(_break, mutations=chunk)
        yield Scenario(f"validation/broken-{number:02d}", "validation", (*requirements, *REFUSALS), run)
    for number, chunk in enumerate(_chunks(asking, MUTATIONS_PER_SCENARIO), start=1):
        requirements = tuple(sorted({mutation.requirement for mutation in chunk if mutation.requirement}))
        yield Scenario(f"validation/asked-{number:02d}", "validation", requirements, partial(_ask, mutations=chunk))
    odd: tuple[tuple[str, Callable[[Contract, World], Sequence[OddRequest]]], ...] = (
        ("syntax", syntax_bodies),
        ("encoding", encoding_bodies),
        ("media-type", media_types),
        ("size", size_bodies),
    )
    for name, make in odd:
        for number, some in enumerate(_chunks(make(contract, world), ODD_PER_SCENARIO), start=1):
            requirements = tuple(sorted({one.requirement for one in some}))
            yield Scenario(
                f"validation/{name}-{number:02d}",
                "validation",
                (*requirements, *REFUSALS),
                partial(_odd, requests=some),
            )


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


def _chunks(items: Sequence[T], length: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), length):
        yield items[start : start + length]


def plan_mutation(bench: Bench, mutation: Mutation, base: Body | None = None, *, key: str | None = None) -> Planned:
    """One mutation done to a body; without ``base`` to the simplest that has its place."""
    return bench.plan_update(
        apply(bench.contract, bench.world, mutation, base),
        key=key,
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
    bench.send_all([plan_mutation(bench, mutation) for mutation in mutations])
    bench.read()


def _ask(bench: Bench, mutations: Sequence[Mutation]) -> None:
    """Bodies that may be accepted: what is stored is looked at after each."""
    bench.begin()
    for mutation in mutations:
        bench.send(*plan_mutation(bench, mutation))
        bench.read()


def plan_wrong_body(bench: Bench, odd: OddRequest) -> Planned:
    """One body that is malformed, oddly encoded, of another content type or of an odd size."""
    kind: BodyKind = "open"
    if odd.expect != "success-or-4xx" or "size" in odd.requirement:
        kind = KINDS.get(odd.requirement, "open")
    return bench.plan_odd(odd, bench.inert(), body=kind, requirement=odd.requirement if kind != "open" else "")


def _odd(bench: Bench, requests: Sequence[OddRequest]) -> None:
    _begin_apart(bench)
    for odd in requests:
        bench.send(*plan_wrong_body(bench, odd))
    bench.read()
