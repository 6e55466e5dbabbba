"""What is sent to judge 403: valid keys that lack the permission, the rule or the organization."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from operator import itemgetter

from rules_harness.harness.intent import Access
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.foreign import with_foreign_account
from rules_harness.harness.scenarios.paths import other_paths
from rules_harness.harness.scenarios.scenario import NeedsAccounts, NeedsCredential, NeedsHook, NeedsRead, Scenario
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.world import World

FORBIDDEN = ("read_only", "unrelated", "trigger_only")


def scenarios(contract: Contract, world: World, profile: Profile) -> Iterator[Scenario]:
    """Valid keys, on what they may not update."""
    scopes = [name for name in profile.credentials if name.startswith("scope.")]
    callers = [name for name in (*FORBIDDEN, *scopes) if name in profile.credentials]
    if callers:
        yield Scenario(
            "authz/scopes-where-enabled",
            "authz",
            ("authz.scope", "authz.no-effect"),
            partial(_where_enabled, callers=callers),
            needs=(NeedsHook("enable_rule"), NeedsRead()),
        )
    for credential in (*FORBIDDEN, *scopes):
        yield Scenario(
            f"authz/scope-{credential}",
            "authz",
            ("authz.scope", "authz.before-validation", "authz.no-effect"),
            partial(_forbidden, credential=credential, access="no-permission", requirement="authz.scope"),
            needs=(NeedsCredential(credential),),
        )
    yield Scenario(
        "authz/resource",
        "authz",
        ("authz.resource", "authz.before-validation", "authz.no-effect"),
        partial(_forbidden, credential="limited", access="outside-resources", requirement="authz.resource"),
        needs=(NeedsCredential("limited"),),
    )
    yield Scenario(
        "authz/other-resources",
        "authz",
        ("authz.resource", "authz.no-effect"),
        _other_resources,
        "alone",
        (NeedsCredential("limited"),),
    )
    yield Scenario(
        "authz/own-resource", "authz", ("authz.resource",), _own_resource, "limited", (NeedsCredential("limited"),)
    )
    yield Scenario(
        "authz/limited-unknown-id",
        "authz",
        ("not-found.unknown-id",),
        _limited_unknown,
        "unknown",
        (NeedsCredential("limited"),),
    )
    yield Scenario(
        "authz/organization",
        "authz",
        ("authz.organization", "authz.before-validation", "authz.no-effect"),
        partial(_forbidden, credential="other_org", access="other-organization", requirement="authz.organization"),
        needs=(NeedsCredential("other_org"),),
    )
    yield Scenario(
        "authz/rule-of-others",
        "authz",
        ("authz.organization", "authz.no-effect"),
        _rule_of_others,
        "foreign",
        (NeedsCredential("other_org"), NeedsCredential("full")),
    )
    yield Scenario(
        "authz/foreign-account",
        "authz",
        ("authz.foreign-account",),
        _foreign_account,
        needs=(NeedsAccounts("foreign"),),
    )


def _forbidden(bench: Bench, credential: str, access: Access, requirement: str) -> None:
    bench.begin()
    for _ in bench.cases.of(["our accounts"] if credential == "other_org" else [], str):
        # Right for the rule, and naming accounts that are foreign to the caller: a target may refuse it for either.
        bench.update(
            bench.marked("c"), caller=credential, access=access, acceptance="open", label=f"{credential}, our accounts"
        )
        bench.read()
    paths = list(other_paths(bench.contract, bench.rule).items())
    # One of them for each credential: a turn each, so that all are asked for.
    path, target = paths[list(bench.shared.profile.credentials).index(credential) % len(paths)]
    on = f"{credential} on {bench.contract.noun.with_article}"
    ways: tuple[tuple[str, str, str | None], ...] = (
        ("its path", on, None),
        ("another path", f"{on}, {path}", target),
    )
    for _, label, spelt in bench.cases.of(ways, itemgetter(0)):
        bench.update(
            bench.marked_for(credential, "b" if spelt else "a"),
            caller=credential,
            access=access,
            requirement=requirement,
            label=label,
            target=spelt,
        )
    for name, content in bench.cases.of(bench.wrong_bodies(), itemgetter(0)):
        bench.update(
            content,
            caller=credential,
            access=access,
            body="broken",
            requirement="authz.before-validation",
            label=f"{credential}, {name}",
        )
    bench.read()


def _where_enabled(bench: Bench, callers: Sequence[str]) -> None:
    """What the other scenarios ask of a rule as it happens to be, of one that is enabled."""
    bench.begin()
    bench.begin_enabled()
    for name in bench.cases.of(callers, str):
        bench.update(
            bench.inert(),
            caller=name,
            access="no-permission",
            requirement="authz.scope",
            label=f"{name}, {bench.contract.noun.with_article} that is enabled",
        )
    bench.read()


def _other_resources(bench: Bench) -> None:
    """Every rule that the limited key was not given, whatever its id has in common with the one that it was."""
    rules = bench.shared.profile.rules
    others = [rule for rule in bench.rules if rule not in (rules.limited, rules.other_org)]
    bench.begin(*others)
    for _, rule in bench.cases.of(enumerate(others, start=1), lambda numbered: f"rule {numbered[0]}"):
        bench.update(
            bench.marked(),
            rule=rule,
            key=bench.new_key(),
            caller="limited",
            access="outside-resources",
            requirement="authz.resource",
            label=f"limited on each other {bench.contract.noun}",
        )
        bench.read(rule)
    path = bench.contract.update.path_for(others[0])
    own_named = {"its own in the query": f"{path}?{bench.names.id}={rules.limited}"}
    spelt = {**other_paths(bench.contract, others[0]), **own_named}
    for label, target in bench.cases.of(spelt.items(), itemgetter(0)):
        bench.update(
            bench.marked(),
            rule=others[0],
            caller="limited",
            access="outside-resources",
            requirement="authz.resource",
            label=f"limited on another {bench.contract.noun}, {label}",
            target=target,
        )
    bench.read(others[0])


def _own_resource(bench: Bench) -> None:
    bench.begin()
    bench.update(
        bench.marked(),
        caller="limited",
        requirement="authz.resource",
        label=f"limited on its own {bench.contract.noun}",
    )
    bench.read()


def _limited_unknown(bench: Bench) -> None:
    for _ in range(2):
        bench.update(
            bench.inert(),
            rule=bench.unknown_id(),
            caller="limited",
            existence="unknown",
            access="open",
            reading="reading.limited-unknown-id",
            label="limited, unknown id",
        )


def _rule_of_others(bench: Bench) -> None:
    bench.begin()
    for mark in bench.cases.of(("a", "b"), str):
        bench.update(
            bench.marked(mark),
            caller="full",
            existence="foreign",
            access="other-organization",
            requirement="authz.organization",
            label=f"another organization's {bench.contract.noun}",
        )
    bench.read()


def _foreign_account(bench: Bench) -> None:
    """One body for each place of an account, so that a finding names the place."""
    bench.begin()
    listed = list(enumerate(with_foreign_account(bench), start=1))
    for _, (place, body, account) in bench.cases.of(listed, lambda numbered: f"{numbered[0]} {numbered[1][0]}"):
        bench.update(
            body,
            body="foreign-account",
            acceptance="open",
            place=place,
            label="another organization's account",
            requirement="authz.foreign-account",
            foreign_account=account,
        )
    bench.read()
