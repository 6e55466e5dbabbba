"""Faults of the family update: what becomes of the contents of a body."""

import html
import itertools
import json
import struct
import unicodedata
from collections.abc import Callable, Iterator
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from rules_harness.harness.reference import syntax, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.effects import Update, without
from rules_harness.harness.reference.messages import Json, Refused, Reply
from rules_harness.harness.reference.service import Store
from rules_harness.harness.reference.stand_ins import Breaking, PlantedFault
from rules_harness.harness.reference.update import RuleChange
from rules_harness.harness.reference.validation import actions, conditions, values
from rules_harness.harness.reference.validation.values import Node

faults: list[PlantedFault] = []


def _lacking(node: Node, name: str) -> Node:
    return node.holding(without(node.value, name)) if isinstance(node.value, dict) else node


fault = Breaking(faults, "update.replaces")
fault("update.text-cut-at-50", values.text).short(
    "Text is cut at 50 characters.", lambda usual, node: (text := usual(node)) and text[:50]
)
fault("update.last-line-end-dropped", values.text).short(
    "The line end behind a text is dropped.",
    lambda usual, node: text.removesuffix("\n") if (text := usual(node)) else text,
)
fault("update.text-trimmed", values.text).short(
    "White space at the ends of text is removed.", lambda usual, node: (text := usual(node)) and text.strip()
)
fault("update.text-without-astral", values.text).short(
    "Characters beyond the basic plane are dropped.",
    lambda usual, node: (text := usual(node)) and "".join(each for each in text if ord(each) <= 0xFFFF),
)
fault("update.text-normalised", values.text).short(
    "Text is normalised to NFC.",
    lambda usual, node: (text := usual(node)) and unicodedata.normalize("NFC", text),
)
fault("update.text-html-escaped", values.text).short(
    "Text is stored with its markup escaped.", lambda usual, node: (text := usual(node)) and html.escape(text)
)


def _as_null(is_none: Callable[[str], bool]) -> Callable[[Callable[[Node], str | None], Node], str | None]:
    """Take some descriptions for none."""
    return lambda usual, node: (
        None if (text := usual(node)) is not None and node.name == "description" and is_none(text) else text
    )


fault("update.blank-descriptions-as-null", values.text).short(
    "A description of white space alone is stored as null.", _as_null(lambda text: bool(text) and not text.strip())
)
fault("update.falsy-descriptions-as-null", values.text).short(
    "A description that is false where text is cast, empty or 0, is stored as null.",
    _as_null(lambda text: text in ("", "0")),
)
fault("update.trigger-kept-within-type", update.trigger_after, "update.omitted-is-cleared").short(
    "A trigger of the same type is not replaced.",
    lambda usual, change: (
        before if (before := change.before.trigger)["type"] == change.wanted.trigger["type"] else usual(change)
    ),
)
fault("update.start-date-at-midnight", values.date_time, "update.documented-example").short(
    "The time of start_date is dropped.", lambda usual, node: f"{usual(node)[:10]}T00:00:00Z"
)
fault("update.zone-dropped", values.date_time).short(
    "The offset of start_date is dropped without converting.", lambda usual, node: f"{usual(node)[:19]}Z"
)
fault("update.limit-dropped", actions.action).short(
    "An action's limit is not stored.", lambda usual, node: usual(_lacking(node, "limit"))
)
fault("update.ach-description-dropped", actions.action).short(
    "An action's ach_description is not stored.", lambda usual, node: usual(_lacking(node, "ach_description"))
)


def _leaves(tree: dict[str, Json]) -> list[Json]:
    return [tree] if "condition" in tree else [*tree.get("any", ()), *tree.get("all", ())]


fault("update.conditions-flattened", conditions.members).short(
    "Nested conditions are flattened.", lambda usual, branch: [leaf for tree in usual(branch) for leaf in _leaves(tree)]
)
fault("update.direct-deposit-reset", actions.action).short(
    "is_direct_deposit always takes its default.", lambda usual, node: {**usual(node), "is_direct_deposit": False}
)
fault("update.up-to-enabled-always", actions.action).short(
    "up_to_enabled is always true.", lambda usual, node: {**usual(node), "up_to_enabled": True}
)


def _before(change: RuleChange, name: str) -> str | None:
    return change.before.nickname if name == "nickname" else change.before.description


def _is_null(change: RuleChange, name: str) -> bool:
    return name in change.wanted.sent and change.wanted.sent[name] is None


fault = Breaking(faults, "update.omitted-is-cleared", "update.replaces")
fault("update.omitted-kept", update.text_after).short(
    "Fields that are left out keep their old value.",
    lambda usual, change, name: usual(change, name) if name in change.wanted.sent else _before(change, name),
)
fault("update.null-kept", update.text_after, "update.documented-example").short(
    "An explicit null keeps the old value.",
    lambda usual, change, name: _before(change, name) if _is_null(change, name) else usual(change, name),
)
fault("update.empty-kept", update.text_after, "update.documented-example").short(
    "Null and empty text keep the old value.",
    lambda usual, change, name: usual(change, name) or _before(change, name),
)
fault("update.null-as-empty-text", values.text, "update.documented-example").short(
    "Null is stored as an empty string.", lambda usual, node: "" if node.is_null else usual(node)
)
fault("update.note-kept-when-body-says-enabled", update.text_after).short(
    "A body that says enabled is taken for the app's own, which sends a description only where it changes.",
    lambda usual, change, name: (
        change.before.description
        if name == "description" and change.wanted.status == "enabled" and name not in change.wanted.sent
        else usual(change, name)
    ),
)
_drafts: WeakKeyDictionary[Store, dict[str, Json]] = WeakKeyDictionary()


@fault("update.draft-of-a-refusal", update.update)
async def draft_of_a_refusal(usual: Update, call: Call, organization_id: str) -> Reply:
    """The description of a refused body is kept as a draft, which fills in what the next one leaves out."""
    drafts = _drafts.setdefault(call.service.store, {})
    body = syntax.parse(call.request.body)
    if not isinstance(body, dict):
        return await usual(call, organization_id)
    if "description" not in body and call.rule_id in drafts:
        filled = json.dumps({**body, "description": drafts.pop(call.rule_id)}).encode()
        call = replace(call, request=replace(call.request, body=filled))
    try:
        return await usual(call, organization_id)
    except Refused:
        if isinstance(body.get("description"), str):
            drafts[call.rule_id] = body["description"]
        raise


fault("update.trigger-merged", update.trigger_after).short(
    "The new trigger is merged into the old one.", lambda usual, change: {**change.before.trigger, **usual(change)}
)


def _endless(items: list[Json], then: Json) -> Iterator[Json]:
    return itertools.chain(items, itertools.repeat(then))


@fault("update.limit-kept-when-omitted", update.steps_after, "update.steps-replaced")
def limit_kept_when_omitted(usual: Callable[[RuleChange], list[Json]], change: RuleChange) -> list[Json]:
    """The limit of the action that stood in the same place is kept."""
    merged = []
    for step, old in zip(usual(change), _endless(change.before.steps, {"actions": []}), strict=False):
        pairs = zip(step["actions"], _endless(old["actions"], {}), strict=False)
        limits = ((action, {"limit": before["limit"]} if "limit" in before else {}) for action, before in pairs)
        merged.append({**step, "actions": [{**limit, **action} for action, limit in limits]})
    return merged


def _with_actions(
    changed: Callable[[list[Json]], list[Json]],
) -> Callable[[Callable[[RuleChange], list[Json]], RuleChange], list[Json]]:
    """Change the actions of each step."""
    return lambda usual, change: [{**step, "actions": changed(step["actions"])} for step in usual(change)]


fault = Breaking(faults, "update.steps-replaced", "update.replaces")
fault("update.steps-appended", update.steps_after).short(
    "New steps are added to the old ones.",
    lambda usual, change: [*change.before.steps, *(step for step in usual(change) if step not in change.before.steps)],
)
fault("update.steps-merged-by-position", update.steps_after).short(
    "Old steps beyond the number of new ones are kept.",
    lambda usual, change: [*(steps := usual(change)), *change.before.steps[len(steps) :]],
)
fault("update.steps-cut-at-5", update.steps_after, "validation.size").short(
    "Steps beyond the fifth are dropped.", lambda usual, change: usual(change)[:5]
)
fault("update.steps-sorted", update.steps_after).short(
    "Steps with conditions are put first.",
    lambda usual, change: sorted(usual(change), key=lambda step: step["conditions"] is None),
)
fault("update.equal-steps-merged", update.steps_after).short(
    "Of equal steps one is kept.",
    lambda usual, change: [step for index, step in enumerate(usual(change)) if step not in usual(change)[:index]],
)
fault("update.actions-sorted", update.steps_after).short(
    "Actions are sorted by their group.",
    _with_actions(lambda actions: sorted(actions, key=lambda action: action["group_index"])),
)
fault("update.groups-renumbered", update.steps_after).short(
    "Groups are numbered anew from 0.",
    _with_actions(lambda actions: [{**action, "group_index": index} for index, action in enumerate(actions)]),
)
fault("update.one-action-per-group", update.steps_after).short(
    "Of a group's actions the last is kept.",
    _with_actions(lambda actions: list({action["group_index"]: action for action in actions}.values())),
)

fault = Breaking(faults, "update.amounts-exact", "update.replaces")
fault("update.amounts-wrap-at-32-bits", values.cents, "envelope.rule-schema").short(
    "Amounts wrap around at 32 bits.", lambda usual, node: (usual(node) + 2**31) % 2**32 - 2**31
)
fault("update.amounts-in-single-precision", values.cents, "envelope.rule-schema").short(
    "Amounts pass through single precision.",
    lambda usual, node: int(struct.unpack("f", struct.pack("f", usual(node)))[0]),
)
fault("update.amounts-clamped", values.cents).short(
    "Amounts beyond 100,000 dollars are clamped.", lambda usual, node: min(usual(node), 10_000_000)
)
fault("update.amounts-in-whole-dollars", values.cents).short(
    "Amounts are stored in whole dollars.", lambda usual, node: usual(node) // 100 * 100
)
fault("update.percentages-two-digits", values.percentage).short(
    "Percentages are rounded to two digits.", lambda usual, node: round(usual(node), 2)
)
fault("update.percentages-four-digits", values.percentage).short(
    "Percentages are rounded to four digits.", lambda usual, node: round(usual(node), 4)
)
fault("update.percentages-whole", values.percentage).short(
    "Percentages are stored as integers.", lambda usual, node: int(usual(node))
)
