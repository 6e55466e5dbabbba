"""One thing to try on a target: what it needs, what it is for, and what is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract

Lane = Literal["rule", "limited", "foreign", "unknown", "alone", "last"]


class Scenario(msgspec.Struct, frozen=True):
    """A scenario is run by one bench and makes one episode.

    ``lane`` says whose rules it takes: one writable rule, the limited key's rule, the other organization's, none that
    exists, all of them with nothing else running, or none and after all else, for what may end a target.  ``needs`` are
    conditions by name, see `lacking`.
    """

    id: str
    family: str
    requirements: tuple[str, ...]
    run: Callable[[Bench], None]
    lane: Lane = "rule"
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.id.partition("/")[2]


class Situation(msgspec.Struct, frozen=True):
    """What a run found to work with."""

    contract: Contract
    profile: Profile
    readable: bool
    usable: tuple[str, ...]
    """Writable rules that were recorded and put back once."""
    limited: bool
    foreign: bool
    plausible: bool = True
    """Accounts are known that a plausible body can name."""
    reasons: dict[str, str] = {}
    """Why a rule is not used, by rule."""


def lacking(scenario: Scenario, situation: Situation) -> str | None:
    """Why a scenario cannot be run here; ``None`` where it can."""
    lane = _lacking_lane(scenario, situation)
    if lane is not None:
        return lane
    return next((reason for need in scenario.needs if (reason := _lacking_need(need, situation)) is not None), None)


def _lacking_lane(scenario: Scenario, situation: Situation) -> str | None:
    profile = situation.profile
    if not situation.plausible:
        return "no two accounts are known that money can move between; list them under [[accounts]] in the profile"
    missing = "; ".join(f"{rule}: {reason}" for rule, reason in situation.reasons.items())
    if scenario.lane in ("rule", "alone") and not situation.usable:
        return f"no writable rule can be used ({missing or 'the profile lists none under rules.writable'})"
    if scenario.lane == "limited" and not situation.limited:
        rule = profile.rules.limited
        return (
            "the profile has no rules.limited" if rule is None else f"{rule}: {situation.reasons.get(rule, 'unusable')}"
        )
    if scenario.lane == "foreign" and not situation.foreign:
        rule = profile.rules.other_org
        return (
            "the profile has no rules.other_org"
            if rule is None
            else f"{rule}: {situation.reasons.get(rule, 'unusable')}"
        )
    return None


def _lacking_need(need: str, situation: Situation) -> str | None:
    kind, _, name = need.partition(":")
    profile = situation.profile
    if kind == "credential":
        return None if name in profile.credentials else f"the profile has no credentials.{name}"
    if kind == "hook":
        return None if name in profile.hooks else f"the profile has no hook {name}"
    if kind == "permission":
        return None if getattr(profile.permissions, name) else f"the profile does not give permissions.{name}"
    if kind == "rules":
        enough = len(situation.usable) >= int(name)
        return None if enough else f"it takes {name} writable rules, and {len(situation.usable)} can be used"
    if kind == "in-flight":
        enough = profile.limits.in_flight >= int(name)
        return (
            None
            if enough
            else f"it takes {name} requests in flight, and limits.in_flight is {profile.limits.in_flight}"
        )
    if kind == "foreign-rule":
        return None if situation.foreign else "the profile has no usable rules.other_org"
    if kind == "read":
        return None if situation.readable else "the target has no companion GET, so that states cannot be compared"
    if kind == "accounts":
        listed = profile.other_org_accounts if name == "foreign" else profile.accounts
        return None if listed else f"the profile lists no {'other_org_accounts' if name == 'foreign' else 'accounts'}"
    raise ValueError(f"unknown need {need}")
