"""What an update makes of a rule's steps: exactly those that were sent."""

from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.switches import fault


def replaced_steps(before: list[Json], asked: list[Json]) -> list[Json]:
    """The steps afterwards."""
    if fault("update.steps-appended"):
        return [*before, *(step for step in asked if step not in before)]
    if fault("update.steps-merged-by-position"):
        return [*asked, *before[len(asked) :]]
    if fault("update.steps-cut-at-5"):
        return asked[:5]
    if fault("update.steps-sorted"):
        return sorted(asked, key=lambda step: step["conditions"] is None)
    if fault("update.equal-steps-merged"):
        return [step for position, step in enumerate(asked) if step not in asked[:position]]
    if fault("update.limit-kept-when-omitted"):
        return _with_old_limits(before, asked)
    return [_with_other_actions(step) for step in asked]


def _with_other_actions(step: Json) -> Json:
    actions = step["actions"]
    if fault("update.actions-sorted"):
        return {**step, "actions": sorted(actions, key=lambda action: action["group_index"])}
    if fault("update.groups-renumbered"):
        return {**step, "actions": [{**action, "group_index": index} for index, action in enumerate(actions)]}
    if fault("update.one-action-per-group"):
        return {**step, "actions": list({action["group_index"]: action for action in actions}.values())}
    return step


def _with_old_limits(before: list[Json], asked: list[Json]) -> list[Json]:
    merged = []
    for index, step in enumerate(asked):
        old = before[index]["actions"] if index < len(before) else []
        limits = [{"limit": action["limit"]} if "limit" in action else {} for action in old]
        limits += [{} for _ in step["actions"]]
        merged.append(
            {**step, "actions": [limit | action for limit, action in zip(limits, step["actions"], strict=False)]}
        )
    return merged
