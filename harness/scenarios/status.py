"""What is sent to judge that an update disables: every sort of update of an enabled rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.key_steps import is_replayed
from rules_harness.harness.scenarios.own_texts import own
from rules_harness.harness.scenarios.planner import Unmet
from rules_harness.harness.scenarios.scenario import (
    Need,
    NeedsCredential,
    NeedsHook,
    NeedsPermission,
    NeedsRead,
    Scenario,
)
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.safety import configuration
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import Body, covering_set, is_suitable
from rules_harness.strategies.places import fields_with
from rules_harness.strategies.world import World

WITHOUT_PERMISSION = ("read_only", "unrelated")
ENABLED = ("status.enabled-becomes-disabled", "status.stored")


class Variation(msgspec.Struct, frozen=True):
    """One sort of update of an enabled rule."""

    says: str
    changes: str
    keyed: bool

    @property
    def name(self) -> str:
        return f"says {self.says}, changes {self.changes}, {'with' if self.keyed else 'without'} key"


def scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """Every sort of update of an enabled rule, the most telling first."""
    family, names = "status", contract.names
    yield Scenario("status/stays-disabled", family, ("status.stays-disabled",), _stays_disabled)
    yield Scenario("status/enable-by-body", family, ("status.no-enable-by-body",), _enable_by_body)
    for changes in ("nothing", "marker", "parts", "everything"):
        for says in (names.enabled, names.disabled):
            for keyed in (False, True):
                variation = Variation(says, changes, keyed)
                yield _enabled(
                    f"{changes}-{says}{'-keyed' if keyed else ''}", ENABLED, partial(_update, variation=variation)
                )
    if is_suitable(contract, world):
        for shape, body in _kinds(contract, world):
            for says in (names.enabled, names.disabled):
                run = partial(_carries, shape=shape, body=body, says=says)
                yield _enabled(f"{shape.strip('/').replace('/', '.')}-{says}", ENABLED, run)
    yield _enabled("twice", (*ENABLED, "status.stays-disabled"), _twice)
    by_permission = ("authz.no-effect",) if profile.credentials.keys() & set(WITHOUT_PERMISSION) else ()
    yield _enabled("refused", ("status.rejected-keeps", "auth.no-effect", *by_permission), _refused)
    yield _enabled("after-refused", ENABLED, _after_refused)
    yield _enabled("replay", ("status.replay-keeps",), _replay)
    yield _enabled(
        "trigger", ("status.not-triggerable",), _trigger, NeedsPermission("trigger"), NeedsCredential("trigger_only")
    )


def _enabled(name: str, requirements: tuple[str, ...], run: Callable[[Bench], None], *needs: Need) -> Scenario:
    return Scenario(
        f"status/{name}", "status", requirements, run, needs=(NeedsHook("enable_rule"), NeedsRead(), *needs)
    )


def _kinds(contract: Contract, world: World) -> Iterator[tuple[str, Body]]:
    """One body for each kind of trigger and each kind of action, the simplest that has it."""
    found: dict[str, Body] = {}
    for body in covering_set(contract, world):
        for shape in sorted(body.shapes):
            is_kind = ":" in shape and "=" not in shape and "/conditions" not in shape and shape.count(":") == 1
            if is_kind and "/" not in shape.partition(":")[2]:
                known = found.get(shape)
                if known is None or len(body.shapes) < len(known.shapes):
                    found[shape] = body
    yield from sorted(found.items())


def _stays_disabled(bench: Bench) -> None:
    bench.begin()
    _disable(bench)
    for _ in range(2):
        bench.update(bench.marked(), label="disabled to disabled")
        bench.read()


def _enable_by_body(bench: Bench) -> None:
    """A disabled rule and a body that says enabled, for each time at which it runs where live shapes may be sent."""
    names = bench.names
    bodies = [bench.usual().value]
    if bench.shared.guard.is_open and is_suitable(bench.contract, bench.world):
        timed = tuple(f"/{name}" for name in fields_with(bench.contract, "start-date"))
        bodies += (body.value for shape, body in _kinds(bench.contract, bench.world) if shape.startswith(timed))
    bench.begin()
    for body in bodies:
        bench.update({**body, names.status: names.disabled}, purpose="setup", acceptance="open", label="disabled first")
        bench.read()
        bench.shared.guard.enabled.add(bench.rule)
        bench.update({**body, names.status: names.enabled}, acceptance="open", label="enabled by the body")
        bench.read()
    bench.update({**bench.inert(), names.marker: own("Disabled again")}, purpose="contain", label="disabled again")
    bench.read()


def _disable(bench: Bench) -> None:
    """Begin with a rule that is known to be disabled."""
    state = bench.state()
    if state is None or state.get(bench.names.status) != bench.names.disabled:
        bench.update(bench.inert(), purpose="setup", label="disable first")
        bench.read()


def _prepare(bench: Bench, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An enabled rule with a known configuration, which is returned as the body that says the same."""
    bench.begin()
    bench.update(
        bench.usual() if body is None else body, purpose="setup", acceptance="open", label="before it is enabled"
    )
    state = bench.read()
    if state is None or not bench.enable():
        raise Unmet("the hook enable_rule did not leave the rule enabled")
    return configuration(bench.contract, bench.state() or state)


def _update(bench: Bench, variation: Variation) -> None:
    body = _changed(bench, _prepare(bench), variation.changes)
    body[bench.names.status] = variation.says
    key = bench.new_key() if variation.keyed else None
    bench.update(body, key=key, acceptance="open", label=variation.name)
    bench.read()


def _changed(bench: Bench, body: dict[str, Any], changes: str) -> dict[str, Any]:
    other = bench.marked()
    names = bench.names
    if changes == "marker":
        return {**body, names.marker: other[names.marker]}
    if changes == "parts":
        if names.parts is None or not bench.shared.guard.is_open:
            return {**body, names.texts[-1]: "Another text"}
        return {**body, names.parts: [*body[names.parts], *body[names.parts]]}
    return other if changes == "everything" else body


def _carries(bench: Bench, shape: str, body: Body, says: str) -> None:
    """An enabled rule is updated to a body of each kind, and once more with nothing changed."""
    if not bench.shared.guard.is_open:
        raise Unmet("off loopback an enabled rule carries the inert shape only (permissions.live_shapes is not given)")
    names = bench.names
    _prepare(bench)
    sent = bench.update({**body.value, names.status: says}, acceptance="open", label=f"to {shape}, says {says}")
    bench.read()
    if sent.answer is not None and sent.answer.is_success and bench.enable():
        bench.update({**body.value, names.status: says}, acceptance="open", label=f"{shape} again, says {says}")
        bench.read()


def _twice(bench: Bench) -> None:
    body = _prepare(bench)
    for label in ("the first of two updates", "the second of two updates"):
        bench.update(body, acceptance="open", label=label)
        bench.read()


def _refused(bench: Bench) -> None:
    """Each sort of refusal, a read after each; whatever was executed after all is noticed."""
    _prepare(bench)
    credentials = bench.shared.profile.credentials
    refused: list[tuple[str, dict[str, Any] | bytes]] = [*bench.wrong_bodies(), ("malformed JSON", b"{")]
    for name, content in refused:
        bench.update(content, body="broken", label=f"refused: {name}")
        bench.read()
    bench.update(bench.inert(), authorization="", caller="none", access="unauthenticated", label="refused: no key")
    bench.read()
    for name in WITHOUT_PERMISSION:
        if name in credentials:
            bench.update(bench.inert(), caller=name, access="no-permission", label=f"refused: {name}")
            bench.read()


def _after_refused(bench: Bench) -> None:
    body = _prepare(bench)
    name, content = bench.wrong_bodies()[1]
    bench.update(content, body="broken", label=f"refused: {name}")
    bench.read()
    bench.update(body, acceptance="open", label="after a refused update")
    bench.read()


def _replay(bench: Bench) -> None:
    """An update with a key, a human who enables the rule again, and the same update again."""
    body = _prepare(bench)
    for says in (bench.names.disabled, bench.names.enabled):
        key = bench.new_key()
        sent = {**body, bench.names.status: says}
        bench.update(sent, key=key, acceptance="open", label=f"before a replay, says {says}")
        first = len(bench.exchanges) - 1
        bench.read()
        if not is_replayed(bench, first, requirement=""):
            raise Unmet("a replay at once is not answered as one, so that there is none that could keep the status")
        if not bench.enable():
            raise Unmet("the hook enable_rule did not leave the rule enabled")
        for _ in range(2):
            bench.update(
                sent,
                key=key,
                repeats=first,
                purpose="replay",
                acceptance="open",
                requirement="status.replay-keeps",
                label=f"replayed after it was enabled again, says {says}",
            )
            bench.read()


def _trigger(bench: Bench) -> None:
    body = _prepare(bench)
    bench.update(body, acceptance="open", label="before it is triggered")
    bench.read()
    bench.trigger("trigger_only", requirement="status.not-triggerable", label="trigger after an update")
    bench.read()
