"""One thing to try on a target: what it needs, what it is for, and what is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.plausible import names_accounts

Lane = Literal["first", "rule", "limited", "foreign", "unknown", "alone", "last"]


class Need(Protocol):
    """What a scenario cannot do without; as text, the words of the profile for it."""

    def lacking(self, situation: Situation) -> str | None:
        """Why it is not to be had here; ``None`` where it is."""


class Scenario(msgspec.Struct, frozen=True):
    """A scenario is run by one bench and makes one episode.

    ``lane`` says whose rules it takes: all of them before all else, for what lanes side by side rest on and what the
    whole run is to follow; one writable rule, the limited key's rule, the other organization's, none that exists; all
    of them with nothing else running; or none and after all else, for what may end a target.
    """

    id: str
    family: str
    requirements: tuple[str, ...]
    run: Callable[[Bench], None]
    lane: Lane = "rule"
    needs: tuple[Need, ...] = ()
    alone_takes: int = 0
    """How many requests it takes where the run has sent few others, if it makes up for them."""
    part_of: str = ""
    """What it is called together with the others that share a list of cases with it."""
    cases: tuple[str, ...] = ()
    """Its share of that list, by name."""

    @property
    def name(self) -> str:
        return self.id.partition("/")[2]

    @property
    def listed_as(self) -> str:
        """The name under which its cases are listed."""
        return self.part_of or self.id

    def with_cases(self, wanted: frozenset[str], known: frozenset[str]) -> Scenario:
        """The same with only the wanted ones of the cases that are known to be sent by it."""

        def run(bench: Bench) -> None:
            bench.cases.limit(wanted, known)
            self.run(bench)

        return msgspec.structs.replace(self, run=run)

    @property
    def owns_rules(self) -> bool:
        """Whether nobody else of this run writes to the rules that it may use while it runs."""
        return self.lane not in ("unknown", "last")


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


class NeedsCredential(msgspec.Struct, frozen=True):
    """A credential of this name."""

    name: str

    def lacking(self, situation: Situation) -> str | None:
        return None if self.name in situation.profile.credentials else f"the profile has no {self}"

    def __str__(self) -> str:
        return f"credentials.{self.name}"


class NeedsHook(msgspec.Struct, frozen=True):
    """A hook of the operator's."""

    name: Literal["enable_rule", "advance_clock"]

    def lacking(self, situation: Situation) -> str | None:
        return None if self.name in situation.profile.hooks else f"the profile has no {self}"

    def __str__(self) -> str:
        return f"hook {self.name}"


class NeedsPermission(msgspec.Struct, frozen=True):
    """Something that the owner of the target must allow."""

    name: Literal["expose_key", "trigger"]

    def lacking(self, situation: Situation) -> str | None:
        permissions = situation.profile.permissions
        allowed = {"expose_key": permissions.expose_key, "trigger": permissions.trigger}
        return None if allowed[self.name] else f"the profile does not give {self}"

    def __str__(self) -> str:
        return f"permissions.{self.name}"


class NeedsRules(msgspec.Struct, frozen=True):
    """So many writable rules that can be used."""

    count: int

    def lacking(self, situation: Situation) -> str | None:
        usable = len(situation.usable)
        noun = situation.contract.noun
        return (
            None if usable >= self.count else f"it takes {self.count} writable {noun.plural}, and {usable} can be used"
        )

    def __str__(self) -> str:
        return f"{self.count} of rules.writable"


class NeedsInFlight(msgspec.Struct, frozen=True):
    """So many requests in flight at once."""

    count: int

    def lacking(self, situation: Situation) -> str | None:
        most = situation.profile.limits.in_flight
        return None if most >= self.count else f"it takes {self}, and limits.in_flight is {most}"

    def __str__(self) -> str:
        return f"{self.count} requests in flight"


class NeedsForeignRule(msgspec.Struct, frozen=True):
    """A rule of another organization."""

    def lacking(self, situation: Situation) -> str | None:
        return None if situation.foreign else f"the profile has no usable {self}"

    def __str__(self) -> str:
        return "rules.other_org"


class NeedsRead(msgspec.Struct, frozen=True):
    """The companion GET."""

    def lacking(self, situation: Situation) -> str | None:
        return None if situation.readable else f"the target has no {self}, so that states cannot be compared"

    def __str__(self) -> str:
        return "companion GET"


class NeedsAccounts(msgspec.Struct, frozen=True):
    """Accounts of the target's own, or of another organization."""

    owner: Literal["own", "foreign"]

    def lacking(self, situation: Situation) -> str | None:
        profile = situation.profile
        listed = profile.accounts if self.owner == "own" else profile.other_org_accounts
        if self.owner == "own":
            has = listed or not names_accounts(situation.contract)
            return None if has else f"the profile lists no {self}"
        return None if listed else f"no account is known that is another organization's alone; list one under {self}"

    def __str__(self) -> str:
        return "accounts" if self.owner == "own" else "other_org_accounts"


def lacking(scenario: Scenario, situation: Situation) -> str | None:
    """Why a scenario cannot be run here; ``None`` where it can."""
    lane = _lacking_lane(scenario, situation)
    if lane is not None:
        return lane
    return next((reason for need in scenario.needs if (reason := need.lacking(situation)) is not None), None)


def _lacking_lane(scenario: Scenario, situation: Situation) -> str | None:
    profile = situation.profile
    if not situation.plausible:
        return "no two accounts are known that money can move between; list them under [[accounts]] in the profile"
    missing = "; ".join(f"{rule}: {reason}" for rule, reason in situation.reasons.items())
    if scenario.lane in ("rule", "alone") and not situation.usable:
        return (
            f"no writable {situation.contract.noun} can be used "
            f"({missing or 'the profile lists none under rules.writable'})"
        )
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
