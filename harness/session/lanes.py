"""Which scenarios run, and where: each rule has one lane, so that no rule has two writers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from rules_harness.harness.journal import Note, Skipped
from rules_harness.harness.judging.judge import selected
from rules_harness.harness.judging.outcome import Finding
from rules_harness.harness.scenarios import all_scenarios
from rules_harness.harness.scenarios.planner import Shared
from rules_harness.harness.scenarios.scenario import Scenario, Situation, lacking
from rules_harness.harness.session.record import RunRecord
from rules_harness.openapi.contract import Contract

GENERAL = "envelope"
"""The family that every answer is judged by."""
_SIDE_BY_SIDE: Final = "concurrency.isolated"
"""What lanes side by side rest on: where it does not hold, each would find what another did."""
IN_TURN: Final = Note("in turn", f"{_SIDE_BY_SIDE} does not hold: the rest was sent to one rule after the other.")


def chosen_scenarios(contract: Contract, shared: Shared, select: tuple[str, ...]) -> list[Scenario]:
    """The scenarios that judge what is selected; what every answer must keep is judged by all of them."""
    wanted = {requirement.id for requirement in contract.requirements.values() if selected(requirement.id, select)}
    families = frozenset(contract.requirements[requirement].family for requirement in wanted)
    if not select or GENERAL in families:
        return list(all_scenarios(contract, shared.world, shared.profile))
    scenarios = all_scenarios(contract, shared.world, shared.profile, families=families, wanted=wanted)
    return [scenario for scenario in scenarios if wanted & set(scenario.requirements)]


def runnable(scenarios: Iterable[Scenario], situation: Situation, record: RunRecord) -> list[Scenario]:
    """The scenarios that can be run here; of the others it is recorded why not."""
    chosen = []
    for scenario in scenarios:
        reason = lacking(scenario, situation)
        if reason is None:
            chosen.append(scenario)
        else:
            record.skip(Skipped(scenario=scenario.id, requirements=scenario.requirements, reason=reason))
    return chosen


def may_run_side_by_side(findings: Iterable[Finding]) -> bool:
    """Whether nothing of what was found first keeps lanes from running at once."""
    return all(finding.requirement != _SIDE_BY_SIDE for finding in findings)


class Lane(msgspec.Struct, frozen=True):
    """Rules that one thread owns, and what it does with them, in order."""

    rules: tuple[str, ...]
    scenarios: tuple[Scenario, ...]


def other_rules(situation: Situation) -> tuple[str, ...]:
    """The usable rules that are not the main credential's own to write."""
    rules = situation.profile.rules
    pairs = ((rules.limited, situation.limited), (rules.other_org, situation.foreign))
    return tuple(rule for rule, usable in pairs if usable and rule is not None)


def lanes_of(scenarios: Sequence[Scenario], situation: Situation) -> list[Lane]:
    """Scenarios dealt to the rules in turn, so that the same profile always gives the same requests."""
    rules = situation.profile.rules
    dealt: list[list[Scenario]] = [[] for _ in situation.usable]
    for number, scenario in enumerate(scenario for scenario in scenarios if scenario.lane == "rule"):
        dealt[number % len(dealt)].append(scenario)
    lanes = [Lane((rule,), tuple(own)) for rule, own in zip(situation.usable, dealt, strict=True)]
    for name, own_rules in (
        ("unknown", situation.usable),
        ("limited", (rules.limited,)),
        ("foreign", (rules.other_org,)),
    ):
        lanes.append(
            Lane(tuple(r for r in own_rules if r), tuple(scenario for scenario in scenarios if scenario.lane == name))
        )
    return lanes
