"""A scenario whose needs are met is run; of any other it is said what is lacking."""

from __future__ import annotations

import msgspec
import pytest

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.scenario import (
    Need,
    NeedsAccounts,
    NeedsCredential,
    NeedsForeignRule,
    NeedsHook,
    NeedsInFlight,
    NeedsPermission,
    NeedsRead,
    NeedsRules,
    Scenario,
    Situation,
    lacking,
)
from rules_harness.harness.target.profile import Credential, HttpHook, Limits, Permissions, Profile, Rules, Target
from rules_harness.openapi.contract import load
from rules_harness.strategies.world import Account

ONE_RULE = Situation(
    contract=load(),
    profile=Profile(
        target=Target(name="bare", base_url="http://127.0.0.1:9/api/v1"),
        credentials={"full": Credential("full", "KEY")},
        rules=Rules(writable=("rule_a",)),
        limits=Limits(in_flight=1),
    ),
    readable=False,
    usable=("rule_a",),
    limited=False,
    foreign=False,
)
EVERYTHING = Situation(
    contract=ONE_RULE.contract,
    profile=msgspec.structs.replace(
        ONE_RULE.profile,
        credentials={name: Credential(name, "KEY") for name in ("full", "limited", "other_org")},
        accounts=(Account("acc_a", "pod"),),
        other_org_accounts=(Account("acc_b", "pod"),),
        hooks={"enable_rule": HttpHook("POST", "http://127.0.0.1:9/enable")},
        limits=Limits(in_flight=2),
        permissions=Permissions(trigger=True, expose_key=True),
    ),
    readable=True,
    usable=("rule_a", "rule_b"),
    limited=True,
    foreign=True,
)
REASONS: tuple[tuple[Need, str], ...] = (
    (NeedsCredential("other_org"), "the profile has no credentials.other_org"),
    (NeedsHook("enable_rule"), "the profile has no hook enable_rule"),
    (NeedsPermission("trigger"), "the profile does not give permissions.trigger"),
    (NeedsPermission("expose_key"), "the profile does not give permissions.expose_key"),
    (NeedsRules(2), "it takes 2 writable rules, and 1 can be used"),
    (NeedsInFlight(2), "it takes 2 requests in flight, and limits.in_flight is 1"),
    (NeedsForeignRule(), "the profile has no usable rules.other_org"),
    (NeedsRead(), "the target has no companion GET, so that states cannot be compared"),
    (NeedsAccounts("own"), "the profile lists no accounts"),
    (
        NeedsAccounts("foreign"),
        "no account is known that is another organization's alone; list one under other_org_accounts",
    ),
)


def _run(bench: Bench) -> None:
    raise AssertionError("nothing is sent here")


@pytest.mark.parametrize(("need", "reason"), REASONS, ids=[str(need) for need, _ in REASONS])
def test_need(need: Need, reason: str) -> None:
    scenario = Scenario("auth/one", "auth", (), _run, needs=(NeedsCredential("full"), need))
    assert lacking(scenario, ONE_RULE) == reason
    assert lacking(scenario, EVERYTHING) is None
