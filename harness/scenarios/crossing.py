"""Updates of a rule under circumstances that are crossed: what a human left it as, the key, what the body says, what
went just before, what changes, of which kind it is, and how it is written."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from rules_harness.harness.exchange import Exchange
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.circumstances import plan_in
from rules_harness.harness.scenarios.foreign import with_unknown_account
from rules_harness.harness.scenarios.key_steps import is_replayed, other_body
from rules_harness.harness.scenarios.own_texts import own
from rules_harness.harness.scenarios.scenario import NeedsHook, NeedsRead, Scenario
from rules_harness.harness.scenarios.unmet import NotEnabled, Unmet
from rules_harness.harness.target.safety import group_index_name
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import Body, covering_set, is_suitable, open_bodies
from rules_harness.strategies.design import Row, named
from rules_harness.strategies.factors import (
    BEFORE,
    CHANGED,
    CHANGES,
    CLEARED,
    FOR_AN_ACCOUNT,
    KEY_USED,
    KIND,
    MARKER,
    NOTE,
    ONE_FIELD,
    PARTS,
    REFUSALS,
    REQUEST_ID_SEEN,
    RULE,
    SAYS,
    TEXTS,
    updates_crossed,
)
from rules_harness.strategies.shapes import is_kind
from rules_harness.strategies.world import World

REPLAY_KEEPS = "status.replay-keeps"
LONG = own("Each month, for the rent and whatever is due with")
"""As long as every target has to take it."""
JUDGED = ("status.enabled-becomes-disabled", "status.stored")


def scenarios(contract: Contract, world: World) -> Iterator[Scenario]:
    """One for each row."""
    bodies = kinds(contract, world) if is_suitable(contract, world) else {}
    for number, row in enumerate(updates_crossed(contract, tuple(bodies)), start=1):
        yield crossed(contract, f"crossed-{number:02d}", row, bodies)


def crossed(contract: Contract, name: str, row: Row, bodies: Mapping[str, Body]) -> Scenario:
    """An update under the circumstances of a row; ``bodies`` are by their kind."""
    run = partial(_Crossed.run, row=row, body=bodies.get(row[KIND]))
    needs = (NeedsHook("enable_rule"), NeedsRead())
    return Scenario(f"status/{name}", "status", _requirements(contract, row), run, needs=needs)


def kinds(contract: Contract, world: World) -> dict[str, Body]:
    """One body for each kind that a field of it or a member of its parts may be, the simplest that has it."""
    simplest: dict[str, Body] = {}
    for body in covering_set(contract, world):
        for shape in filter(is_kind, body.shapes):
            if "/conditions" in shape:
                continue
            if shape not in simplest or len(body.shapes) < len(simplest[shape].shapes):
                simplest[shape] = body
    no_parts = f"/{contract.names.parts}=empty"
    for body in open_bodies(contract, world):
        if no_parts in body.shapes:
            simplest.setdefault(no_parts, body)
    return dict(sorted(simplest.items()))


def _requirements(contract: Contract, row: Row) -> tuple[str, ...]:
    requirements = []
    if row[KEY_USED.name] == "repeated":
        requirements += [REPLAY_KEEPS, "idempotency.no-reexecution", "idempotency.replay"]
    elif row[RULE.name] != "disabled":
        requirements += JUDGED
    elif row[SAYS] == contract.names.disabled:
        requirements.append("status.stays-disabled")
    else:
        requirements.append("status.no-enable-by-body")
    if row[BEFORE.name] in REFUSALS and row[RULE.name] != "disabled":
        requirements.append("status.rejected-keeps")
    if row[TEXTS.name] in CLEARED:
        requirements.append("update.omitted-is-cleared")
    return tuple(requirements)


class _Crossed:
    """One row at work."""

    def __init__(self, bench: Bench, row: Row, body: Body | None) -> None:
        self._bench = bench
        self._row = row
        self._usual = bench.usual().value if body is None else body.value
        self._request_id = bench.new_key()
        """The one that is seen again."""
        parts, index = bench.names.parts, group_index_name(bench.contract)
        self._ordered = (parts, index) if parts and index and bench.shared.guard.is_open else None
        """The names of the parts and of what tells equal ones apart, where their order may change."""

    @classmethod
    def run(cls, bench: Bench, row: Row, body: Body | None) -> None:
        if not bench.shared.guard.is_open and body is not None:
            raise Unmet(
                f"off loopback an enabled {bench.contract.noun} carries the inert shape only "
                "(permissions.live_shapes is missing)"
            )
        crossed = cls(bench, row, body)
        bench.begin()
        first = crossed.prepare()
        crossed.leave_as()
        crossed.go_before(first)
        crossed.update(first)
        crossed.contain()

    def prepare(self) -> Exchange:
        """Give the rule what the update is to change, under a key if that is to be used again."""
        bench, row = self._bench, self._row
        if row[KEY_USED.name] != "repeated":
            key = bench.new_key() if row[BEFORE.name] == "a replay" else None
            held = {**self._held(), bench.names.status: bench.names.disabled}
            exchange = bench.update(
                held, key=key, request_id=self._seen(), purpose="setup", acceptance="open", label="before it is updated"
            )
        else:
            exchange = self._send(key=bench.new_key(), request_id=self._seen(), label="first use of a key")
        if exchange.answer is None or not exchange.answer.is_success:
            raise Unmet(f"what the {bench.contract.noun} is to hold before the update was not accepted")
        bench.read()
        if exchange.intent.key is not None and not is_replayed(bench, bench.exchanges.index(exchange)):
            raise Unmet("a replay at once is not answered as one, so that there is none")
        return exchange

    def leave_as(self) -> None:
        """What a human makes of the rule before the update."""
        bench, rule = self._bench, self._row[RULE.name]
        if rule == "disabled":
            return
        if not bench.enable():
            raise NotEnabled(bench.contract)
        if rule == "enabled again":
            between = bench.marked() if self._row[KEY_USED.name] == "repeated" else self._held()
            held = {**between, bench.names.status: bench.names.disabled}
            bench.update(held, acceptance="open", label="before it is enabled again")
            bench.read()
            if not bench.enable():
                raise NotEnabled(bench.contract)

    def go_before(self, first: Exchange) -> None:
        """What comes between and changes nothing."""
        before = self._row[BEFORE.name]
        if before in REFUSALS:
            self._be_refused(first)
        elif before == "a replay":
            self._again(first, "replay before the update")
        else:
            return
        self._bench.read()

    def _be_refused(self, first: Exchange) -> None:
        """A refusal for an account; for the key, where one is used again and the target refuses that; else for the
        body."""
        bench, is_for_account = self._bench, self._row[BEFORE.name] == FOR_AN_ACCOUNT
        if first.intent.key is not None and self._row[KEY_USED.name] == "repeated" and not is_for_account:
            other_body(bench, bench.marked(), bench.exchanges.index(first), "refused: a used key", requirement="")
            reused = bench.exchanges[-1].answer
            if reused is None or not reused.is_success:
                return
        unknown = with_unknown_account(bench) if is_for_account else None
        name, content = bench.wrong_bodies()[1] if unknown is None else ("an unknown account", unknown)
        noted = {} if bench.names.note is None else {bench.names.note: own("Refused")}
        refused = bench.update({**content, **noted}, body="broken", acceptance="open", label=f"refused: {name}")
        if unknown is not None and refused.answer is not None and refused.answer.is_success:
            raise Unmet("a body that names an account of nobody was accepted")

    def update(self, first: Exchange) -> None:
        """The update itself, and what is stored then."""
        bench, row = self._bench, self._row
        if row[SAYS] == bench.names.enabled and row[RULE.name] == "disabled":
            bench.shared.guard.enabled.add(bench.rule)
        if row[KEY_USED.name] == "repeated":
            self._again(first, f"replayed, says {row[SAYS]}")
        else:
            with_key = "with" if row[KEY_USED.name] == "fresh" else "without"
            label = f"says {row[SAYS]}, changes {row[CHANGES.name]}, {with_key} key"
            request_id = bench.new_key() if row[REQUEST_ID_SEEN.name] == "given" else self._seen()
            self._send(key=bench.new_key() if with_key == "with" else None, request_id=request_id, label=label)
        bench.read()

    def contain(self) -> None:
        """Leave no rule enabled that the body may have enabled."""
        bench = self._bench
        state = bench.state()
        if state is not None and state.get(bench.names.status) == bench.names.enabled:
            bench.update(
                {**bench.inert(), bench.names.marker: own("Disabled again")}, purpose="contain", label="disabled again"
            )
            bench.read()

    def _send(self, *, key: str | None, request_id: str | None, label: str) -> Exchange:
        bench = self._bench
        body = {**self._wanted(), bench.names.status: self._row[SAYS]}
        planned = plan_in(bench, self._row, body, key=key, request_id=request_id, acceptance="open", label=label)
        return bench.send(*planned)

    def _again(self, first: Exchange, label: str) -> None:
        bench = self._bench
        bench.update(
            first.request.body.content if first.request.body else None,
            key=first.intent.key,
            request_id=self._seen(),
            repeats=bench.exchanges.index(first),
            purpose="replay",
            body="valid",
            acceptance="open",
            requirement=REPLAY_KEEPS,
            label=label,
            factors=named(self._row) if self._row[KEY_USED.name] == "repeated" else (),
        )

    def _seen(self) -> str | None:
        return self._request_id if self._row[REQUEST_ID_SEEN.name] == "seen" else None

    def _wanted(self) -> dict[str, Any]:
        """What the update asks for, its status aside."""
        names, note, texts = self._bench.names, self._bench.names.note, self._row[TEXTS.name]
        wanted = dict(self._usual)
        if self._row[CHANGES.name] == "order":
            if self._ordered is None:
                wanted[names.texts[-1]] = "Another text"
            else:
                parts, index = self._ordered
                wanted[parts] = [*wanted[parts], *_renumbered(wanted[parts], index)]
        if texts == "long":
            wanted.update(dict.fromkeys(names.texts, LONG))
        elif texts == "null" and note is not None:
            wanted[note] = None
        elif note is not None and texts == "left out":
            wanted.pop(note, None)
        return wanted

    def _held(self) -> dict[str, Any]:
        """What the rule holds before the update."""
        bench, wanted, changes = self._bench, self._wanted(), self._row[CHANGES.name]
        if changes == "nothing":
            return wanted
        if changes == ONE_FIELD:
            held = {**wanted, **self._one_field(wanted)}
        elif changes == "order" and self._ordered is not None:
            parts, _ = self._ordered
            held = {**wanted, parts: wanted[parts][::-1]}
        else:
            held = bench.marked()
        if bench.names.note is not None and self._row[TEXTS.name] in CLEARED:
            held[bench.names.note] = "A note"
        return held

    def _one_field(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """What the rule holds of the fields of which the update changes one; of its marker, where it can hold nothing
        else of those."""
        bench, changed = self._bench, self._row.get(CHANGED.name, MARKER)
        if changed == NOTE and bench.names.note is not None:
            return {bench.names.note: "Another note"}
        parts = {bench.names.parts}
        fields = parts if changed == PARTS else wanted.keys() - parts - {bench.names.status, *bench.names.texts}
        for other in () if changed in (MARKER, NOTE) else (bench.usual().value, bench.distinct(1)):
            held = {name: other[name] for name in other if name in fields}
            if any(wanted.get(name) != value for name, value in held.items()):
                return held
        return {bench.names.marker: own("Another text")}


def _renumbered(parts: list[Any], index: str) -> list[Any]:
    """The same parts with their members in the next group."""
    renumbered = copy.deepcopy(parts)
    for part in renumbered:
        for members in filter(lambda value: isinstance(value, list), part.values()):
            for member in members:
                member[index] = member.get(index, 0) + 1
    return renumbered
