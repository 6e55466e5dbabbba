"""The catalogue of mutations, and doing one to a body."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from hypothesis import strategies as st

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import bodies
from rules_harness.strategies.design import Design, Factor, Row
from rules_harness.strategies.examples import Body
from rules_harness.strategies.factors import DEPTH, MEMBER, OUTSIDE
from rules_harness.strategies.mutations.edits import Edit, Level
from rules_harness.strategies.mutations.openings import openings
from rules_harness.strategies.mutations.pools import BodyPool, example_world, pool_of
from rules_harness.strategies.mutations.positions import NOWHERE_ELSE, movable, moved
from rules_harness.strategies.mutations.routes import PlaceRoute, completed, edited, routes
from rules_harness.strategies.mutations.violations import misspelt, violations
from rules_harness.strategies.places import Standing
from rules_harness.strategies.validity import is_valid_body
from rules_harness.strategies.world import World

VIOLATION: Final = "violation"
FIELD: Final = "field"


class Mutation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One named violation, or one open question, at one place of a valid body.

    Attributes:
        name: Unique and stable: a pointer into an ordinary body, with the alternative where it is not the one of the
            page's example, and the kind.
        place: The place in the schema, as `places_of` names it.
        keyword: The keyword that is violated; empty where none is.
        kind: The keyword and what was done (``type:string``), or a word of its own (``unknown-property``).
        standing: Whether the page shows the place.
        detail: What was done, in words.
        requirement: The requirement that it exercises; None where it only asks a question.
        reading: The question that it asks; None where it asks none.
        level: How firmly the contract says that the body is refused, were the place documented.
        claims_violation: The body violates the schema on the wire.
        risky: An amount or a share beyond what the contract has, which a lax target might carry out.
    """

    name: str
    place: str
    keyword: str
    kind: str
    standing: Standing
    detail: str
    requirement: str | None = None
    reading: str | None = None
    level: Level = "must"
    claims_violation: bool = True
    risky: bool = False

    @property
    def is_to_be_refused(self) -> bool:
        """Whether the body violates the schema, and the contract says that this is refused."""
        return self.claims_violation and self.requirement is not None


class _Plan(msgspec.Struct, frozen=True, eq=False):
    mutation: Mutation
    route: PlaceRoute
    edit: Edit


def catalogue(contract: Contract) -> tuple[Mutation, ...]:
    """Every mutation of the contract's body, the outer places before the inner, in the order of the document.

    What a mutation claims is decided here once, from the bytes that it makes of a plausible body: one that does not do
    what it claims is not listed.
    """
    return tuple(plan.mutation for plan in _plans(contract).values())


def apply(
    contract: Contract, world: World, mutation: Mutation, base: Body | None = None, *, setting: Row = NOWHERE_ELSE
) -> bytes:
    """The bytes of a body with the mutation done to it.

    Without `base` it is done to the simplest plausible body that has the place, so that nothing else can be the reason
    of a refusal.  Where `base` has not the place, the smallest piece that has it is put in.  `setting` moves it behind
    rightful members, or further down.  Raises KeyError for a mutation that is not of this contract.
    """
    plan = _plans(contract)[mutation.name]
    return _applied(plan, pool_of(contract, world), None if base is None else base.value, setting=setting)


@functools.lru_cache(maxsize=16)
def settings(contract: Contract) -> Mapping[str, Row]:
    """For each mutation that claims a violation, by its name, the circumstances that it is sent in.

    Among them each keyword and each field meets every value of every factor that it can meet, and each value of a
    factor every one of another; where several mutations do one thing to fields of one name, the members differ in
    which they do it.
    """
    keywords = Factor(VIOLATION, tuple(dict.fromkeys(what[VIOLATION] for what, _ in circumstances(contract).values())))
    fields = Factor(FIELD, tuple(dict.fromkeys(what[FIELD] for what, _ in circumstances(contract).values())))
    design = Design((keywords, fields, *OUTSIDE, MEMBER, DEPTH), triples=((VIOLATION, FIELD, MEMBER.name),))
    return {
        name: design.complete(what, [factor.name for factor in around])
        for name, (what, around) in circumstances(contract).items()
    }


@functools.lru_cache(maxsize=16)
def circumstances(contract: Contract) -> Mapping[str, tuple[Row, tuple[Factor, ...]]]:
    """For each mutation that claims a violation, by its name, what it is, and the factors of what can be around it."""
    return {
        plan.mutation.name: (
            {VIOLATION: violation_of(plan.mutation), FIELD: field_of(plan.mutation)},
            (*OUTSIDE, *movable(contract, plan.route)),
        )
        for plan in _plans(contract).values()
        if plan.mutation.claims_violation
    }


def violation_of(mutation: Mutation) -> str:
    """What a mutation violates: the keyword, with what stands there instead where that is of a wrong type; or a word of
    its own."""
    return mutation.kind if mutation.keyword == "type" else mutation.keyword or mutation.kind


def field_of(mutation: Mutation) -> str:
    """The last name of the place of a mutation."""
    return mutation.place.rpartition("/")[2] or "/"


def mutated(contract: Contract, world: World) -> st.SearchStrategy[tuple[Mutation, Body, bytes]]:
    """A mutation, the plausible body that it is done to, and the bytes that come of it.

    Each kind is as likely as any other, and so is each place of a kind.  Shrinks to the outermost place of the kind,
    and to the simplest body.
    """
    kinds: dict[str, list[Mutation]] = {}
    for mutation in catalogue(contract):
        kinds.setdefault(mutation.kind, []).append(mutation)
    drawn = st.tuples(st.sampled_from(list(kinds.values())).flatmap(st.sampled_from), bodies(contract, world))
    return drawn.map(lambda pair: (*pair, apply(contract, world, *pair)))


@functools.lru_cache(maxsize=16)
def _plans(contract: Contract) -> dict[str, _Plan]:
    pool = pool_of(contract, example_world(contract))
    plans: dict[str, _Plan] = {}
    for route, edit in _edits(contract):
        plan = _plan(route, edit)
        if plan.mutation.name not in plans and is_valid_body(contract, _applied(plan, pool)) is not edit.claims:
            plans[plan.mutation.name] = plan
    return plans


def _edits(contract: Contract) -> Iterator[tuple[PlaceRoute, Edit]]:
    ways = routes(contract)
    opened: dict[int, list[Edit]] = {}
    for route, edit in openings(contract, ways):
        opened.setdefault(id(route), []).append(edit)
    for route in ways:
        yield from ((route, edit) for edit in violations(route))
        yield from ((route, edit) for edit in opened.get(id(route), ()))
    yield from misspelt(ways)


def _plan(route: PlaceRoute, edit: Edit) -> _Plan:
    place, pointer, path = route.place, route.name, route.path
    if edit.below:
        pointer, path = f"{pointer.rstrip('/')}/{edit.below}", f"{path}/{edit.below}"
        place = place.properties.get(edit.below, place)
    mutation = Mutation(
        name=f"{pointer} {edit.kind}",
        place=path,
        keyword=edit.keyword,
        kind=edit.kind,
        standing=place.standing,
        detail=edit.detail,
        requirement=edit.requirement,
        reading=edit.reading,
        level=edit.level,
        claims_violation=edit.claims,
        risky=edit.risky,
    )
    return _Plan(mutation, route, edit)


def _applied(plan: _Plan, pool: BodyPool, base: dict[str, Any] | None = None, *, setting: Row = NOWHERE_ELSE) -> bytes:
    to_null = plan.edit.on_null
    body, keys = pool.donor(plan.route, to_null=to_null)
    if base is not None:
        body, keys = completed(plan.route, base, body, keys, to_null=to_null)
    body, keys = moved(pool, plan.route, body, keys, setting)
    return msgspec.json.encode(edited(body, keys, lambda value: plan.edit.make(value, pool.scene)))
