"""What a lane sends at once: refusals in bulk, plausible bodies, odd requests, ids that do not exist."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Final

from rules_harness.harness.intent import RequestIdKind
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.circumstances import plan_in
from rules_harness.harness.scenarios.details import Authorization
from rules_harness.harness.scenarios.planner import Planned
from rules_harness.harness.scenarios.validation import plan_mutation, plan_wrong_body
from rules_harness.strategies.bodies import Body
from rules_harness.strategies.design import Row
from rules_harness.strategies.keys import UNKNOWN
from rules_harness.strategies.mutations import Mutation
from rules_harness.strategies.requests import OddRequest

_PLAIN: Final = "request-id.echo-header"
_DRAWN: Final = re.compile(r":drawn .*", re.DOTALL)


def break_all(bench: Bench, mutations: Sequence[tuple[Mutation, Row | None]], base: Body | None) -> None:
    """Bodies that are all to be refused, each under its circumstances, and one look at what is stored afterwards."""
    bench.begin()
    bench.send_all([plan_mutation(bench, mutation, base, row=row) for mutation, row in mutations])
    bench.read()


def send_all(bench: Bench, bodies: Sequence[tuple[Body, Row]]) -> None:
    """Each body under its circumstances, and what is stored of it."""
    bench.begin()
    for body, row in bodies:
        bench.send(*plan_in(bench, row, body, requirement="update.accepts-valid"))
        bench.read()


def ask_all(bench: Bench, mutations: Sequence[Mutation]) -> None:
    """Bodies that a target may take or refuse, and what is stored of each."""
    bench.begin()
    for mutation in mutations:
        bench.send(*plan_mutation(bench, mutation))
        bench.read()


def send_odd(bench: Bench, requests: Sequence[OddRequest]) -> None:
    """Odd requests; what each may store is looked at after those that may be executed."""
    bench.begin()
    for odd in requests:
        if not bench.can_send(odd):
            continue
        request, intent = _planned(bench, odd)
        # Each drawn one has a name of its own; findings are told apart by the sort.
        bench.send(request, intent.but(label=_DRAWN.sub(":drawn", odd.name)))
    bench.read()


def _planned(bench: Bench, odd: OddRequest) -> Planned:
    family = odd.requirement.partition(".")[0]
    if family == "request-id":
        kind: RequestIdKind = "plain" if odd.requirement == _PLAIN else "hostile"
        return bench.plan_odd(odd, bench.marked(), request_id_kind=kind)
    if family == "not-found":
        return bench.plan_odd(odd, bench.inert(), rule=odd.name, existence="odd", body="valid")
    if family == "auth":
        return bench.plan_odd(odd, bench.marked(), access="unauthenticated", caller=odd.name)
    if family == "validation":
        return plan_wrong_body(bench, odd)
    return bench.plan_odd(odd, bench.marked())


def ask_for_unknown(bench: Bench, count: int, number: int) -> None:
    """Many ids that do not exist, asked for by whoever may and by whoever may not."""
    chance = random.Random(number)
    wrong = bench.wrong_bodies()
    body = bench.inert()
    planned: list[Planned] = []
    for index in range(count):
        rule = bench.unknown_id()
        if index % 2:
            planned.append(
                bench.plan_update(
                    body, rule=rule, existence="unknown", requirement="not-found.unknown-id", label="unknown id"
                )
            )
            continue
        callers: tuple[tuple[Authorization, str], ...] = (("", "none"), (bench.key_of(UNKNOWN), "unknown"))
        authorization, caller = chance.choice(callers)
        content = chance.choice([body, *(wrong_body for _, wrong_body in wrong)])
        planned.append(
            bench.plan_update(
                content,
                rule=rule,
                authorization=authorization,
                caller=caller,
                existence="unknown",
                access="unauthenticated",
                body="valid" if content is body else "broken",
                acceptance="open",
                requirement="auth.before-lookup" if content is body else "auth.before-validation",
                label=f"unknown id, key {caller}",
            )
        )
    bench.send_all(planned)
