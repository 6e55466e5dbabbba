"""What is sent to judge that an update disables: every sort of update of an enabled rule, by whoever may send one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Any

from rules_harness.harness.scenarios import crossing
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.key_steps import REPLAY, again, again_where_taken, first_use
from rules_harness.harness.scenarios.own_texts import own
from rules_harness.harness.scenarios.scenario import (
    Lane,
    Need,
    NeedsAccounts,
    NeedsCredential,
    NeedsHook,
    NeedsPermission,
    NeedsRead,
    Scenario,
)
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.safety import configuration
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.bodies import is_suitable
from rules_harness.strategies.places import fields_with
from rules_harness.strategies.world import World

WITHOUT_PERMISSION = ("read_only", "unrelated")
ENABLED = ("status.enabled-becomes-disabled", "status.stored")


def scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """Every sort of update of an enabled rule, the most telling first."""
    family = "status"
    yield Scenario("status/stays-disabled", family, ("status.stays-disabled",), _stays_disabled)
    yield Scenario("status/enable-by-body", family, ("status.no-enable-by-body",), _enable_by_body)
    yield from crossing.scenarios(contract, world)
    yield _enabled("twice", (*ENABLED, "status.stays-disabled"), _twice)
    yield _enabled("unseen", ENABLED, _unseen)
    yield _enabled("with-key", (*ENABLED, REPLAY), _with_key)
    by_permission = ("authz.no-effect",) if profile.credentials.keys() & set(WITHOUT_PERMISSION) else ()
    yield _enabled("refused", ("status.rejected-keeps", "auth.no-effect", *by_permission), _refused)
    of_others = (*ENABLED, "idempotency.replay", "idempotency.no-reexecution")
    kept = (*of_others, "status.rejected-keeps")
    yield _enabled("limited", kept, _limited, NeedsCredential("limited"), lane="limited")
    theirs = (NeedsCredential("other_org"), NeedsAccounts("foreign"))
    yield _enabled("foreign", of_others, _foreign, *theirs, lane="foreign")
    yield _enabled(
        "trigger", ("status.not-triggerable",), _trigger, NeedsPermission("trigger"), NeedsCredential("trigger_only")
    )


def _enabled(
    name: str, requirements: tuple[str, ...], run: Callable[[Bench], None], *needs: Need, lane: Lane = "rule"
) -> Scenario:
    return Scenario(
        f"status/{name}", "status", requirements, run, lane, needs=(NeedsHook("enable_rule"), NeedsRead(), *needs)
    )


def _stays_disabled(bench: Bench) -> None:
    bench.begin()
    _disable(bench)
    for _ in range(2):
        bench.update(bench.marked(), label="disabled to disabled")
        bench.read()


def _enable_by_body(bench: Bench) -> None:
    """A disabled rule and a body that says enabled, for each time at which it runs where live shapes may be sent."""
    names = bench.names
    bench.begin()
    for _, body in bench.cases.of(_of_each_timing(bench), itemgetter(0)):
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
    return configuration(bench.contract, bench.begin_enabled(body))


def _twice(bench: Bench) -> None:
    body = _prepare(bench)
    for label in ("the first of two updates", "the second of two updates"):
        bench.update(body, acceptance="open", label=label)
        bench.read()
    if bench.enable():
        bench.update(body, acceptance="open", label="the same bytes, after it was enabled again")
        bench.read()


def _limited(bench: Bench) -> None:
    """The one rule that a limited key may update, by that key."""
    _prepare(bench)
    _, wrong = bench.wrong_bodies()[1]
    bench.update(wrong, body="broken", caller="limited", label="refused: by the limited key")
    bench.read()
    _keyed(bench, "limited")


def _keyed(bench: Bench, caller: str) -> None:
    """An update with a key of another caller than the others, and the same again after one more update."""
    body = {name: value for name, value in bench.marked_for(caller).items() if name != bench.names.note}
    first = first_use(bench, body, bench.new_key(), caller=caller, requirement="", label=f"by {caller}")
    bench.read()
    bench.update(bench.marked_for(caller), caller=caller, label=f"by {caller}, another one")
    again_where_taken(bench, first, f"replay by {caller}")
    bench.read(requirement="idempotency.no-reexecution", label=f"after a replay by {caller}")


def _foreign(bench: Bench) -> None:
    """Another organization's, by that organization."""
    _prepare(bench, bench.marked_for("other_org"))
    _keyed(bench, "other_org")


def _unseen(bench: Bench) -> None:
    """An enabling that no read tells the target of, where it asks a cache."""
    _prepare(bench)
    bench.update(bench.marked(), acceptance="open", label="before an enabling that nobody reads")
    bench.enable_unseen()
    bench.update(bench.marked(), acceptance="open", label="after an enabling that nobody has read")
    bench.read()


def _with_key(bench: Bench) -> None:
    """A key whose first request finds the rule enabled."""
    _prepare(bench)
    label = f"a key, on {bench.contract.noun.with_article} that is enabled"
    first = first_use(bench, bench.distinct(1), bench.new_key(), requirement="", label=label)
    bench.read()
    bench.sleep(bench.granule())
    again(bench, first)
    bench.read()


def _refused(bench: Bench) -> None:
    """Each sort of refusal, a read after each; whatever was executed after all is noticed."""
    _prepare(bench)
    credentials = bench.shared.profile.credentials
    refused: list[tuple[str, dict[str, Any] | bytes]] = [*bench.wrong_bodies(), ("malformed JSON", b"{")]
    for name, content in bench.cases.of(refused, itemgetter(0)):
        bench.update(content, body="broken", label=f"refused: {name}")
        bench.read()
    for _ in bench.cases.of(["the same again"], str):
        name, content = bench.wrong_bodies()[1]
        first = bench.update(content, key=bench.new_key(), body="broken", label=f"refused with a key: {name}")
        bench.read()
        bench.sleep(bench.granule())
        again(bench, bench.exchanges.index(first), f"refused with a key, again: {name}", requirement="")
        bench.read()
    for _ in bench.cases.of(["no key"], str):
        bench.update(bench.inert(), authorization="", caller="none", access="unauthenticated", label="refused: no key")
        bench.read()
    for name in bench.cases.of(filter(credentials.__contains__, WITHOUT_PERMISSION), str):
        bench.update(bench.inert(), caller=name, access="no-permission", label=f"refused: {name}")
        bench.read()
    for _ in bench.cases.of(filter(credentials.__contains__, ["limited"]), str):
        bench.update(
            bench.marked_for("limited"),
            key=bench.new_key(),
            caller="limited",
            access="outside-resources",
            label="refused: limited, with a key",
        )
        bench.read()
    for _ in bench.cases.of(filter(credentials.__contains__, ["other_org"]), str):
        body = bench.marked_for("other_org")
        bench.update(body, caller="other_org", access="other-organization", label="refused: another organization")
        bench.read()


def _trigger(bench: Bench) -> None:
    for _, body in bench.cases.of(_of_each_timing(bench), itemgetter(0)):
        sent = bench.update(_prepare(bench, body), acceptance="open", label="before it is triggered")
        bench.read()
        if sent.answer is None or not sent.answer.is_success:
            continue
        bench.trigger("trigger_only", requirement="status.not-triggerable", label="trigger after an update")
        bench.read()


def _of_each_timing(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    """The usual body, and one for each way in which a rule is timed where live shapes may be sent, by name."""
    bodies = [("usual", bench.usual().value)]
    if bench.shared.guard.is_open and is_suitable(bench.contract, bench.world):
        timed = tuple(f"/{name}:" for name in fields_with(bench.contract, "start-date"))
        kinds = crossing.kinds(bench.contract, bench.world).items()
        bodies += [(shape, body.value) for shape, body in kinds if shape.startswith(timed)]
    return bodies
