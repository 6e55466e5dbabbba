"""Faults of the family update: what becomes of contents that stand in a later place, or of a value that is rare."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from rules_harness.harness.reference import update
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.stand_ins import Breaking, PlantedFault
from rules_harness.harness.reference.update import RuleChange
from rules_harness.harness.reference.validation import actions, body, conditions, values
from rules_harness.harness.reference.validation.values import Node

faults: list[PlantedFault] = []
_LATER_STEP = re.compile(r"/steps/[1-9]")
_LATER_ACTION = re.compile(r"/actions/[1-9]")
_BRANCH = re.compile(r"/(?:any|all)")
_FRACTION = re.compile(r"\.\d+")
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)$")


def later_step(node: Node) -> bool:
    """Whether a place lies in a step after the first."""
    return _LATER_STEP.search(node.pointer) is not None


def later_action(node: Node) -> bool:
    """Whether a place lies in an action after the first of its step."""
    return _LATER_ACTION.search(node.pointer) is not None


def level_of(branch: Node) -> int:
    """How many levels of conditions are around a place, its own included."""
    return len(_BRANCH.findall(branch.pointer))


def _cut(text: str, size: int) -> str:
    return text.encode("utf-8", "surrogatepass")[:size].decode("utf-8", "ignore")


def _unique(items: list[Json]) -> list[Json]:
    return [item for index, item in enumerate(items) if item not in items[:index]]


fault = Breaking(faults, "update.replaces")
fault("update.later-flags-always-true", values.flag).short(
    "In actions after the first, flags that are false become true.",
    lambda usual, node: usual(node) or later_action(node),
)
fault("update.first-step-flags-alone", values.flag).short(
    "In steps after the first, flags that are true become false.",
    lambda usual, node: usual(node) and not later_step(node),
)
fault("update.last-limits-dropped", actions.action).short(
    "In later actions of later steps the limit is not stored.",
    lambda usual, node: {**usual(node), "limit": None} if later_step(node) and later_action(node) else usual(node),
)
fault("update.non-ascii-cut-at-255-bytes", values.text).short(
    "Text that is not ASCII is cut at 255 bytes.",
    lambda usual, node: (text := usual(node)) and (text if text.isascii() else _cut(text, 255)),
)
fault("update.deep-conditions-emptied", conditions.members).short(
    "Conditions below the second level are not stored.",
    lambda usual, branch: usual(branch) if level_of(branch) < 3 else [],
)
fault("update.equal-conditions-merged", conditions.members).short(
    "Of equal conditions one is kept.", lambda usual, branch: _unique(usual(branch))
)
fault("update.conditions-sorted", conditions.members, "update.amounts-exact", "update.omitted-is-cleared").short(
    "Conditions are sorted by what they look at.",
    lambda usual, branch: sorted(usual(branch), key=lambda tree: json.dumps(tree, sort_keys=True)),
)
fault("update.deep-any-becomes-all", conditions.condition_tree).short(
    "Below the first level, `any` is stored as `all`.",
    lambda usual, node: (
        {"all": tree["any"]} if "any" in (tree := usual(node)) and _BRANCH.search(node.pointer) else tree
    ),
)
fault("update.fractions-of-seconds-dropped", values.date_time).short(
    "start_date is kept to the second.", lambda usual, node: _FRACTION.sub("", usual(node))
)
fault("update.fractions-as-milliseconds", values.date_time).short(
    "The fraction of a second is read as a number of milliseconds.",
    lambda usual, node: re.sub(r"\.(\d{1,2})(?!\d)", lambda found: f".{found[1].zfill(3)}", usual(node)),
)
fault("update.leap-days-moved", values.date_time).short(
    "29 February is stored as 1 March.", lambda usual, node: usual(node).replace("-02-29T", "-03-01T")
)
fault("update.milliseconds-as-hundredths", values.date_time).short(
    "start_date is kept to a tenth of a second.", lambda usual, node: re.sub(r"(\.\d)\d+", r"\1", usual(node))
)
fault("update.offsets-in-whole-hours", values.date_time).short(
    "The minutes of an offset are dropped.", lambda usual, node: _OFFSET.sub(r"\1\2:00", usual(node))
)
fault("update.offsets-always-east", values.date_time).short(
    "The sign of an offset is lost.", lambda usual, node: _OFFSET.sub(r"+\2:\3", usual(node))
)


def _text_at(name: str, change: Callable[[str], str]) -> Callable[[Callable[[Node], str | None], Node], str | None]:
    """Change the texts of one field."""

    def stand_in(usual: Callable[[Node], str | None], node: Node) -> str | None:
        text = usual(node)
        return change(text) if text and node.name == name else text

    return stand_in


fault("update.lines-of-descriptions-joined", values.text).short(
    "CRLF in a description becomes LF.", _text_at("description", lambda text: text.replace("\r\n", "\n"))
)
fault("update.ach-description-in-ascii", values.text).short(
    "An ach_description loses what is not ASCII.",
    _text_at("ach_description", lambda text: text.encode("ascii", "ignore").decode()),
)
fault("update.ach-description-lines-joined", values.text).short(
    "Line breaks in an ach_description become spaces.",
    _text_at("ach_description", lambda text: " ".join(text.splitlines()) or text),
)
fault("update.ach-description-cut-at-80", values.text).short(
    "An ach_description is cut at 80 characters.", _text_at("ach_description", lambda text: text[:80])
)


def _limit(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Callable[[Node], Json], Node], Json]:
    """Change the limits of actions."""

    def stand_in(usual: Callable[[Node], Json], node: Node) -> Json:
        built = usual(node)
        return {**built, "limit": change(built["limit"])} if built.get("limit") else built

    return stand_in


fault("update.yearly-limits-as-monthly", actions.action).short(
    "PER_YEAR is stored as PER_MONTH.",
    _limit(lambda limit: {**limit, "period": limit["period"].replace("YEAR", "MONTH")}),
)
fault("update.weekly-limits-dropped", actions.action).short(
    "A limit PER_WEEK is not stored.",
    lambda usual, node: (
        {**built, "limit": None} if ((built := usual(node)).get("limit") or {}).get("period") == "PER_WEEK" else built
    ),
)

fault = Breaking(faults, "update.amounts-exact", "update.replaces")
fault("update.one-side-of-conditions", conditions.condition_tree).short(
    "Of a value and a value_fact the one is not stored.",
    lambda usual, node: (
        {"condition": {**tree["condition"], "value": None}}
        if "condition" in (tree := usual(node)) and None not in map(tree["condition"].get, ("value", "value_fact"))
        else tree
    ),
)
fault("update.zero-in-conditions-dropped", values.number).short(
    "A condition's value of 0 is taken for none.", lambda usual, node: usual(node) or None
)
fault("update.limits-in-whole-dollars", actions.action).short(
    "The amounts of limits are stored in whole dollars.",
    _limit(lambda limit: {**limit, "amount_in_cents": limit["amount_in_cents"] // 100 * 100}),
)
fault("update.cents-through-dollars", values.cents).short(
    "Amounts pass through dollars, and lose a cent here and there.",
    lambda usual, node: int(usual(node) / 100 * 100) if usual(node) < 2**50 else usual(node),
)
fault("update.later-amounts-in-single-precision", values.cents).short(
    "In steps after the first, amounts are kept to seven digits.",
    lambda usual, node: int(float(f"{usual(node):.7g}")) if later_step(node) else usual(node),
)


def _bits(count: int) -> Callable[[Callable[[Node], int], Node], int]:
    """Keep so many bits of a group's number."""
    return lambda usual, node: (
        usual(node) & (2**count - 1) if node.name == "group_index" and type(node.value) is int else usual(node)
    )


fault = Breaking(faults, "update.steps-replaced", "update.replaces")
fault("update.groups-in-seven-bits", values.integer).short("Groups are kept in seven bits.", _bits(7))
fault("update.groups-in-fifteen-bits", values.integer).short("Groups are kept in fifteen bits.", _bits(15))
fault("update.actions-cut-at-12", body.step_actions, "validation.size").short(
    "Actions beyond the twelfth are dropped.", lambda usual, node: usual(node)[:12]
)
fault("update.actions-cut-at-500", body.step_actions).short(
    "Actions are written 500 at a time, and what is left over is lost.", lambda usual, node: usual(node)[:500]
)
fault("update.equal-actions-merged", body.step_actions).short(
    "Of equal actions one is kept.", lambda usual, node: _unique(usual(node))
)


def _members(steps: list[Json]) -> list[str]:
    return sorted(json.dumps(action, sort_keys=True) for step in steps for action in step["actions"])


fault("update.reordering-is-no-change", update.steps_after, "update.amounts-exact", "update.omitted-is-cleared").short(
    "Where the actions are the same in another order, the old order stays.",
    lambda usual, change: (
        change.before.steps if _members(usual(change)) == _members(change.before.steps) else usual(change)
    ),
)
fault("update.step-added-at-the-end-alone", update.steps_after).short(
    "A step that was there stays where it was.",
    lambda usual, change: (
        steps
        if len(steps := usual(change)) != len(change.before.steps)
        else sorted(steps, key=lambda step: _place_of(step, change.before.steps))
    ),
)


def _place_of(step: Json, steps: list[Json]) -> int:
    return steps.index(step) if step in steps else len(steps)


fault = Breaking(faults, "update.omitted-is-cleared", "update.replaces", "update.steps-replaced")


def _paired(change: RuleChange, steps: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Each step with the one that stood in its place, empty where there was none."""
    for index, step in enumerate(steps):
        yield step, change.before.steps[index] if index < len(change.before.steps) else {"actions": []}


def _kept(name: str) -> Callable[[Callable[[RuleChange], list[Json]], RuleChange], list[Json]]:
    """Keep an optional field of the action that stood in the same place, where the new one leaves it out."""

    def stand_in(usual: Callable[[RuleChange], list[Json]], change: RuleChange) -> list[Json]:
        steps = []
        for step, old in _paired(change, usual(change)):
            members = []
            for index, action in enumerate(step["actions"]):
                before = old["actions"][index] if index < len(old["actions"]) else {}
                members.append({**{key: before[key] for key in (name,) if key in before}, **action})
            steps.append({**step, "actions": members})
        return steps

    return stand_in


fault("update.ach-description-kept-when-omitted", update.steps_after).short(
    "The ach_description of the action that stood in the same place is kept.", _kept("ach_description")
)
fault("update.conditions-kept-when-null", update.steps_after).short(
    "The conditions of the step that stood in the same place are kept.",
    lambda usual, change: [
        {**step, "conditions": old.get("conditions")} if step["conditions"] is None else step
        for step, old in _paired(change, usual(change))
    ],
)
fault("update.trigger-account-kept-when-omitted", update.trigger_after).short(
    "The account of the trigger is kept where it is left out.",
    lambda usual, change: {"account_id": change.before.trigger.get("account_id"), **usual(change)},
)
fault("update.other-case-taken", update.validated).short(
    "Names of the body are compared without regard to case, as some binders do.",
    lambda usual, call, body: usual(
        call,
        body.holding({name.lower(): inner for name, inner in body.value.items()})
        if isinstance(body.value, dict) and "nickname" not in body.value
        else body,
    ),
)
