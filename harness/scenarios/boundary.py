"""A second, independent source: schemathesis' boundary cases for the update, sent our way.

One of them stands for all that break the same place in the same manner, one that is firmly refused if there is one.
What breaks a place in a manner of which the catalogue has its own is left to campaigns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from rules_harness.harness.intent import BodyKind
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.planner import Planned
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.scenarios.telling import chunked
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import is_suitable
from rules_harness.strategies.boundary import BoundaryCase, boundary_cases
from rules_harness.strategies.mutations import catalogue
from rules_harness.strategies.world import World

ABOUT = frozenset(
    {
        "http.headers",
        "validation.bounds",
        "validation.enum",
        "validation.media-type",
        "validation.required",
        "validation.syntax",
        "validation.type",
    }
)
"""The requirements that a boundary case may exercise. Which of them do shows when all cases are there, which takes
seconds."""
CASES_PER_SCENARIO = 30
KINDS: dict[str, BodyKind] = {"validation.syntax": "media-type", "validation.media-type": "media-type"}
"""A body that is missing, or no JSON by its Content-Type, may be refused for either."""


def scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """Boundary cases whose numbers stay within the cap, and that stay inert where they must."""
    if not is_suitable(contract, world):
        return
    chosen: dict[tuple[str, str], BoundaryCase] = {}
    known = {(mutation.place, mutation.requirement) for mutation in catalogue(contract) if mutation.is_to_be_refused}
    for case in sorted(boundary_cases(contract, world), key=_is_lenient):
        is_known = not case.valid and (case.place, case.requirement) in known
        if case.within_cap and (case.dormant or profile.allows_live_shapes) and not is_known:
            chosen.setdefault((case.place, case.scenario), case)
    some = tuple(chosen.values())
    yield from chunked("boundary/cases", some, CASES_PER_SCENARIO, _name, _sending)


def _name(case: BoundaryCase) -> str:
    return case.name


def _sending(scenario_id: str, cases: Sequence[BoundaryCase]) -> Scenario:
    requirements = tuple(sorted({case.requirement for case in cases if case.requirement}))
    return Scenario(scenario_id, "validation", requirements, partial(_send, chosen=cases))


def plan(bench: Bench, case: BoundaryCase) -> Planned:
    """One boundary case, with our rule, credentials and no Idempotency-Key."""
    return bench.plan_update(
        case.body,
        content_type=None,
        headers=case.headers,
        body="open" if case.valid else KINDS.get(case.requirement or "", "broken"),
        acceptance="open",
        label=case.name,
        place=case.place,
        boundary=case.scenario,
        requirement=_requirement(case),
        standing=case.standing,
        level=case.level,
    )


def _requirement(case: BoundaryCase) -> str:
    return (case.requirement or "") if case.body is not None and not _is_lenient(case) else ""


def _is_lenient(case: BoundaryCase) -> bool:
    """A type that is not firmly refused, such as null for a field that may be left out: nobody is held to it."""
    return case.requirement == "validation.type" and case.level == "should"


def _send(bench: Bench, chosen: Sequence[BoundaryCase]) -> None:
    """What is valid first, each followed by a read; then all that is broken, and one read for all of it."""
    bench.begin()
    lenient = [case for case in chosen if case.valid or _is_lenient(case)]
    sent = [bench.send(*plan(bench, case)) for case in bench.cases.of(lenient, _name)]
    if sent:
        bench.read()
    broken = [plan(bench, case) for case in bench.cases.of((case for case in chosen if case not in lenient), _name)]
    if broken:
        bench.send_all(broken)
        bench.read()
