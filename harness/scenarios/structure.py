"""What is sent to judge whether lists are kept as they are: how many members, in which order, and equal ones."""

from __future__ import annotations

import copy
from operator import itemgetter
from typing import Any

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.own_texts import own
from rules_harness.harness.target.safety import group_index_name, with_amount
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import covering_set, is_suitable
from rules_harness.strategies.examples import put
from rules_harness.strategies.mutations import Recursion, recursions
from rules_harness.strategies.places import body_place, visited

MANY = 26


def send_structures(bench: Bench, parts: str) -> None:
    """Many parts, many members of one part, out of any order, and some of them equal."""
    usual = bench.usual().value
    cap = bench.world.max_amount_in_cents
    variants = [with_amount(bench.contract, usual, 1 + (7 * number) % min(cap, 97)) for number in range(MANY)]
    each = [variant[parts][0] for variant in variants]
    field = next(name for name, value in each[0].items() if isinstance(value, list))
    members = [part[field][0] for part in each]
    index = group_index_name(bench.contract)
    conditional = _conditional_part(bench, parts)
    nested = [recursion for recursion in recursions(bench.contract, bench.world) if recursion.listed]
    wide = [part for recursion in nested for part in _wide(bench.contract, recursion)[parts]]
    groups: list[dict[str, Any]] = [{} if index is None else {index: (MANY - number) // 2} for number in range(MANY)]
    grouped = [{**member, **group} for member, group in zip(members, groups, strict=True)]
    arrangements = (
        (f"many {parts}", each),
        (f"equal {parts}", [each[0], each[1], each[0], each[0]]),
        (f"equal {parts} in another order", [each[1], each[0], each[0], each[0]]),
        (f"{parts} with and without conditions", [each[0], conditional, each[1], *wide, conditional, each[2]]),
        (f"many {field}", [{**each[0], field: grouped}]),
        (f"equal {field}", [{**each[0], field: [members[0], members[1], members[0]]}, each[1]]),
    )
    bench.begin()
    for label, arranged in bench.cases.of(arrangements, itemgetter(0)):
        bench.update({**bench.marked(), parts: arranged}, label=label, acceptance="open")
        bench.read()
    for outer, inner in bench.cases.of(
        zip(nested, nested[::-1], strict=True), lambda pair: f"levels of {pair[0].name}"
    ):
        body = outer.body_with(_levels(outer, inner))
        label = f"equal conditions, several levels of {outer.name} and {inner.name}"
        bench.update({**body, bench.names.marker: own("Levels")}, label=label, acceptance="open")
        bench.read()


def _levels(outer: Recursion, inner: Recursion) -> Any:
    """Many equal conditions, and three that differ and are in no order, at the end of more levels than usual."""
    leaf = inner.leaf
    tree = outer.around(inner.around(leaf, leaf), leaf, outer.around(*[leaf] * MANY))
    for around in (inner, outer, inner, outer):
        tree = around.around(tree, leaf)
    return tree


def _wide(contract: Contract, recursion: Recursion) -> dict[str, Any]:
    """A body with many conditions beside each other, of which the first half have numbers in falling order."""
    body: dict[str, Any] = copy.deepcopy(recursion.body_with(recursion.around(*[recursion.leaf] * MANY)))
    numbers = [
        pointer
        for place, pointer, inner in visited(body_place(contract), body)
        if place.offers("operand") and isinstance(inner, int | float)
    ]
    for number, pointer in enumerate(reversed(numbers[: len(numbers) // 2]), start=1):
        put(body, pointer, number)
    return body


def _conditional_part(bench: Bench, parts: str) -> dict[str, Any]:
    """A part with conditions, from the simplest body that has one; the usual one where none has."""
    covered = covering_set(bench.contract, bench.world) if is_suitable(bench.contract, bench.world) else ()
    for body in sorted(covered, key=lambda body: len(body.shapes)):
        for part in body.value[parts]:
            if any(isinstance(value, dict) for value in part.values()):
                return dict(part)
    return dict(bench.usual().value[parts][0])
