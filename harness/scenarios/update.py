"""What is sent to judge full replacement: the page's example, its variations, and every choice of the contract."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.cases import sent_and_read
from rules_harness.harness.scenarios.circumstances import plan_in
from rules_harness.harness.scenarios.own_texts import own
from rules_harness.harness.scenarios.scenario import NeedsAccounts, NeedsHook, NeedsRead, NeedsRules, Scenario
from rules_harness.harness.scenarios.structure import send_structures
from rules_harness.harness.scenarios.telling import chunked
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.safety import amounts_in, with_amount
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import (
    Body,
    combined_bodies,
    covering_set,
    exact_bodies,
    example,
    is_suitable,
    open_bodies,
    scattered_bodies,
    variations,
)
from rules_harness.strategies.contents import place_asking
from rules_harness.strategies.design import Row
from rules_harness.strategies.factors import bodies_crossed
from rules_harness.strategies.places import Place, body_place, visited
from rules_harness.strategies.world import World

Crossed = tuple[str, Body, Row]
"""A body by name, and its circumstances."""
BODIES_PER_SCENARIO = 8
FIRM_CENTS = 100_000
"""The amount of the page's example; that a larger one is accepted is a *should*."""
GRANULE_SECONDS = 1.1
"""The coarsest update time in use is a second."""
EXACT = ("update.accepts-valid", "update.amounts-exact", "update.replaces")
SCATTERED = ("update.amounts-exact", "update.replaces", "update.steps-replaced")
ACCEPTED = ("update.accepts-valid", "update.replaces", "update.omitted-is-cleared", "update.read-back")


def scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """The page's example, its variations, and every choice of the contract."""
    family = "update"
    yield Scenario(
        "update/example", family, ("update.documented-example", *ACCEPTED), _example, needs=(NeedsAccounts("own"),)
    )
    yield Scenario("update/omitted", family, ("update.omitted-is-cleared",), _omitted)
    yield Scenario("update/left-out", family, ("update.omitted-stays",), _left_out)
    yield Scenario("update/repeatable", family, ("update.repeatable",), _repeatable)
    yield Scenario("update/advances", family, ("update.updated-at", "update.created-at-kept"), _advances)
    enabled = (NeedsRules(2), NeedsRead(), NeedsHook("enable_rule"))
    yield Scenario("update/isolated-enabled", family, ("update.isolated",), _isolated_enabled, "alone", enabled)
    yield Scenario("update/isolated", family, ("update.isolated",), _isolated, "alone", (NeedsRules(2), NeedsRead()))
    named = (NeedsRules(2), NeedsRead())
    yield Scenario("update/named-twice", family, ("update.identity", "update.isolated"), _named_twice, "alone", named)
    if not is_suitable(contract, world):
        return
    for name, bodies, requirements in (
        ("varied", variations, ACCEPTED),
        ("covering", covering_set, (*ACCEPTED, "update.steps-replaced")),
        ("combined", combined_bodies, ("update.replaces", "update.omitted-is-cleared")),
        ("exact", exact_bodies, EXACT),
        ("scattered", scattered_bodies, SCATTERED),
        ("open", open_bodies, ("update.replaces", "update.amounts-exact")),
    ):
        yield from _chunked(name, _crossed(contract, world, bodies), requirements)
    if contract.names.parts is not None:
        inside = partial(_omitted_inside, parts=contract.names.parts)
        yield Scenario("update/omitted-inside", family, ("update.omitted-is-cleared",), inside)
        structure = partial(send_structures, parts=contract.names.parts)
        listed = ("update.steps-replaced", "update.replaces", "update.read-back")
        yield Scenario("update/structure", family, listed, structure)


def _chunked(name: str, crossed: Sequence[Crossed], requirements: tuple[str, ...]) -> Iterator[Scenario]:
    def sending(scenario_id: str, chunk: Sequence[Crossed]) -> Scenario:
        run = partial(_send_all, bodies=chunk, is_asking=name == "open")
        return Scenario(scenario_id, "update", requirements, run)

    yield from chunked(f"update/{name}", crossed, BODIES_PER_SCENARIO, _name, sending, parts=sent_and_read)


@functools.lru_cache(maxsize=16)
def _crossed(
    contract: Contract, world: World, bodies: Callable[[Contract, World], tuple[Body, ...]]
) -> tuple[Crossed, ...]:
    crossed = enumerate(bodies_crossed(bodies(contract, world)), start=1)
    return tuple((f"body {number}", body, row) for number, (body, row) in crossed)


def _name(crossed: Crossed) -> str:
    return crossed[0]


def _send_all(bench: Bench, bodies: Sequence[Crossed], *, is_asking: bool) -> None:
    """Each body under its circumstances, and what is stored of it; where they ask, each asks a question."""
    bench.begin()
    for name, body, row in bench.cases.of(bodies, _name):
        asked = body.open_features[0] if len(body.open_features) == 1 else ""
        is_question = is_asking and asked != ""
        large = max(amounts_in(bench.contract, body.value), default=0) > FIRM_CENTS
        planned = plan_in(
            bench,
            row,
            body,
            acceptance="should" if large and body.acceptance == "must" else body.acceptance,
            requirement="update.accepts-valid",
            reading="reading.empty" if is_question else "",
            place=place_asking(bench.contract, body.value, asked) if is_question else "",
            open_feature=asked,
        )
        bench.send(*planned)
        bench.read_apart(name)


def _example(bench: Bench) -> None:
    """As the page has it, enabled, where that can do no harm; and disabled."""
    body, names = example(bench.contract, bench.world).value, bench.names
    requirement = "update.documented-example"
    forms = {"the page's example, disabled": body}
    if bench.shared.guard.is_open:
        bench.shared.guard.enabled.add(bench.rule)
        forms = {"the page's example as it stands": {**body, names.status: names.enabled}, **forms}
    bench.begin()
    for label, form in bench.cases.of(forms.items(), itemgetter(0)):
        bench.update(form, requirement=requirement, acceptance="must", label=label)
        bench.read()


def _left_out(bench: Bench) -> None:
    """Each field that need not be there left out once, when it and all others hold something."""
    names = bench.names
    bench.begin()
    for name, field in body_place(bench.contract).properties.items():
        if field.required or name == names.status:
            continue
        bench.update({**bench.marked(), **dict.fromkeys(names.texts, own("Kept apart"))}, acceptance="open")
        bench.read()
        body = bench.marked()
        body.pop(name, None)
        bench.update(body, acceptance="open", requirement="update.omitted-stays", label=f"without {name}")
        bench.read()


def _omitted(bench: Bench) -> None:
    """Every optional text set, then left out; set again, then null; then under a name in another case, which is another
    name."""
    names = bench.names
    bench.begin()
    for cleared in bench.cases.of(("absent", "null", "in another case"), str):
        bench.update({**bench.marked(), **dict.fromkeys(names.texts, own("Kept apart"))})
        bench.read()
        body = bench.marked()
        for name in names.texts:
            if cleared == "absent":
                body.pop(name, None)
            elif cleared == "null":
                body[name] = None
            else:
                body[name.swapcase()] = body.pop(name, None) or "In another case"
        bench.update(body, acceptance="open", label=f"optional fields {cleared}")
        bench.read()


def _omitted_inside(bench: Bench, parts: str) -> None:
    """What parts and the fields around them had, left out: in as many parts and in more; and null."""
    place = body_place(bench.contract)
    covered = [body.value for body in covering_set(bench.contract, bench.world)]
    full = max(covered, key=lambda value: sum(inner is not None for _, _, inner in visited(place, value)))
    bare = _pruned(place, full)
    member = place.properties[parts].items
    conditions = [name for name, field in member.properties.items() if field.offers("conditions")] if member else []
    unconditional = [{name: value for name, value in part.items() if name not in conditions} for part in full[parts]]
    without = (
        (f"optional fields left out, as many {parts}", bare),
        ("conditions left out", {**full, parts: unconditional}),
        (f"optional fields left out, more {parts}", {**bare, parts: [*bare[parts], *bare[parts]]}),
        ("optional fields null", _pruned(place, full, null=True)),
    )
    bench.begin()
    for label, body in bench.cases.of(without, itemgetter(0)):
        bench.update({**full, parts: [*full[parts], *full[parts]]}, acceptance="open", label="in full")
        bench.read()
        bench.update(body, acceptance="open", label=label)
        bench.read()


def _pruned(place: Place, value: Any, *, null: bool = False) -> Any:
    """A value without its optional fields, or with null in those that may be; conditions are null in either case."""
    place = place.alternative(value) or place if place.alternatives else place
    if isinstance(value, list) and place.items is not None:
        return [_pruned(place.items, inner, null=null) for inner in value]
    if not isinstance(value, dict):
        return value
    pruned = {}
    for name, inner in value.items():
        part = place.properties[name]
        if part.required and not part.offers("conditions"):
            pruned[name] = _pruned(part, inner, null=null)
        elif part.nullable and (null or part.offers("conditions")):
            pruned[name] = None
    return pruned


def _repeatable(bench: Bench) -> None:
    bench.begin()
    body = bench.marked()
    for _ in range(3):
        bench.update(body, requirement="update.repeatable", label="the same body again")
    bench.read()


def _advances(bench: Bench) -> None:
    bench.begin()
    for pause in bench.cases.of((0.0, 0.1, GRANULE_SECONDS), "after {:g} s".format):
        bench.sleep(pause)
        bench.update(bench.marked())
    for _ in bench.cases.of(("read",), str):
        bench.read()


def _named_twice(bench: Bench) -> None:
    """The id of another writable rule in the body, the query or a header: the path alone says which rule it is."""
    here, other = bench.rules[:2]
    path = bench.contract.update.path_for
    name = bench.names.id
    bench.begin(here, other)
    usual = bench.contract.noun.singular.replace(" ", "_") + "_id"
    header = f"X-{usual.replace('_', '-').title()}"
    ways: tuple[tuple[str, dict[str, Any], str | None, tuple[tuple[str, str], ...]], ...] = (
        (f"{name} in the body", {name: other}, None, ()),
        (f"{usual} in the body", {usual: other}, None, ()),
        (f"{name} in the query", {}, f"{path(here)}?{name}={other}", ()),
        (f"{usual} in the query", {}, f"{path(here)}?{usual}={other}", ()),
        ("a header", {}, None, ((header, other),)),
    )
    for way, fields, target, headers in bench.cases.of(ways, itemgetter(0)):
        bench.update(
            {**bench.marked(), **fields},
            rule=here,
            target=target,
            headers=headers,
            acceptance="open",
            requirement="update.identity",
            label=f"another {bench.contract.noun}'s id: {way}",
        )
        for _ in bench.cases.of([f"{way}, read"], str):
            bench.read(here)
            bench.read(other)


def _isolated_enabled(bench: Bench) -> None:
    """An enabled rule stays enabled while another enabled one is updated."""
    written, watched = bench.rules[:2]
    bench.begin(written, watched)
    bench.begin_enabled(rule=written)
    bench.begin_enabled(rule=watched)
    bench.update(bench.marked(), rule=written, label=f"another {bench.contract.noun} is enabled")
    bench.read(watched)
    bench.update(bench.usual(), rule=watched, purpose="contain", acceptance="open", label="disabled again")
    bench.read(watched)


def _isolated(bench: Bench) -> None:
    """Each rule is written in turn while the others are watched, the limited and the other organization's too."""
    watched = bench.rules
    for rule in watched:
        bench.begin(rule)
    for _, rule in bench.cases.of(enumerate(watched, start=1), lambda numbered: f"rule {numbered[0]}"):
        body = bench.own_body(rule, own(f"Isolated {bench.random.randrange(10**6)}"))
        most = bench.world.max_amount_in_cents if bench.shared.guard.is_open else 1
        body = with_amount(bench.contract, body, bench.random.randint(1, most))
        bench.update(body, rule=rule, existence=bench.existence(rule), caller=bench.owner(rule), acceptance="open")
        for other in watched:
            if other != rule:
                bench.read(other, existence=bench.existence(other))
        bench.read(rule, existence=bench.existence(rule))
