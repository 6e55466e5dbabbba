"""Faults of the family update that only values, dates, trees and lists show which few bodies have."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

from rules_harness.harness.reference import endpoints, update
from rules_harness.harness.reference.faults.update_places import level_of
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.stand_ins import Breaking, PlantedFault, changed
from rules_harness.harness.reference.update import RuleChange
from rules_harness.harness.reference.validation import actions, conditions, triggers, values
from rules_harness.harness.reference.validation.values import Node

faults: list[PlantedFault] = []
_DEEPEST = 4


def _changing(name: str, change: Callable[[str], str]) -> Callable[[Callable[[Node], str | None], Node], str | None]:
    """Make something else of one field's text."""
    return lambda usual, node: change(text) if (text := usual(node)) is not None and node.name == name else text


def _number(text: str) -> str:
    return f"{float(text):g}" if re.fullmatch(r"\d+(e\d+)?(\.\d+)?", text) else text


fault = Breaking(faults, "update.replaces")
fault("update.nicknames-in-a-numeric-column", values.text).short(
    "A nickname that looks like a number is stored as one.", _changing("nickname", _number)
)
fault("update.dollars-as-patterns", values.text).short(
    "A description is put in by a replacement, in which two dollars are one.",
    _changing("description", lambda text: text.replace("$$", "$")),
)
fault("update.quotes-made-plain", values.text).short(
    "Typographic quotes become plain ones.",
    _changing("description", lambda text: re.sub("[‘’]", "'", re.sub("[“”«»]", '"', text))),
)


def _as_utc(text: str) -> str:
    moment = values.instant(text)
    return text if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


fault("update.texts-like-dates-in-utc", values.text).short(
    "Whatever text looks like a date is written in UTC.", _changing("description", _as_utc)
)
fault("update.fractions-without-zeros", values.date_time).short(
    "Milliseconds are written as a number, without their leading zeros.",
    lambda usual, node: re.sub(r"\.0+(?=[1-9])", ".", usual(node)),
)


def _utc_time_of_local_day(usual: Callable[[Node], str], node: Node) -> str:
    text = usual(node)
    moment = values.instant(text)
    return text if moment is None else f"{text[:10]}T{moment:%H:%M:%S}Z"


fault("update.time-without-its-day", values.date_time).short(
    "The time of start_date is converted to UTC, its day is not.", _utc_time_of_local_day
)


def _in_31_bits(usual: Callable[[Node], str], node: Node) -> str:
    text = usual(node)
    seconds = int(moment.timestamp()) if (moment := values.instant(text)) is not None else 0
    return text if seconds < 2**31 else datetime.fromtimestamp(seconds - 2**31, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


fault("update.seconds-in-31-bits", values.date_time).short("start_date is stored in seconds of 31 bits.", _in_31_bits)


def _in_seconds_if_once(usual: Callable[[Node], dict[str, Json]], node: Node) -> dict[str, Json]:
    built = usual(node)
    if built.get("schedule_type") == "ONE_TIME":
        built["start_date"] = re.sub(r"\.\d+", "", built["start_date"])
    return built


fault("update.once-in-whole-seconds", triggers.trigger).short(
    "The start_date of what runs once loses its fraction.", _in_seconds_if_once
)
fault("update.three-branches-sorted", conditions.members).short(
    "More than two branches become a sorted set.",
    lambda usual, branch: sorted(trees, key=json.dumps) if len(trees := usual(branch)) > 2 else trees,
)


fault("update.deep-branches-lost", conditions.members).short(
    "Branches below the fourth level are not stored.",
    lambda usual, branch: usual(branch) if level_of(branch) <= _DEEPEST else [],
)


fault("update.ninth-branches-lost", conditions.members).short(
    "Of more than eight branches those beyond are not stored.", lambda usual, branch: usual(branch)[:8]
)


def _direct_from_outside(usual: Callable[[Node], dict[str, Json]], node: Node) -> dict[str, Json]:
    built = usual(node)
    is_left_out = "is_direct_deposit" not in node.value
    return {**built, "is_direct_deposit": True} if is_left_out and _is_outside(built["source"]) else built


def _is_outside(account: dict[str, Json]) -> bool:
    return bool(account["type"] == "external_account")


fault("update.direct-from-outside", actions.action).short(
    "Left out, is_direct_deposit is true where money comes from an external account.", _direct_from_outside
)


def _without_empty_limit(usual: Callable[[Node], dict[str, Json]], node: Node) -> dict[str, Json]:
    built = usual(node)
    limit = built.get("limit")
    return {**built, "limit": None} if limit and not limit["amount_in_cents"] else built


fault("update.limits-of-zero-dropped", actions.action).short("A limit of zero is none.", _without_empty_limit)


def _any_sorted(usual: Callable[[Node], list[Json]], branch: Node) -> list[Json]:
    trees = usual(branch)
    conditions = [tree["condition"] for tree in trees if "condition" in tree]
    is_list = branch.name == "any" and len(trees) == len(conditions) > 2
    if not is_list or len({condition["fact"] for condition in conditions}) > 1:
        return trees
    return sorted(trees, key=lambda tree: tree["condition"].get("value") or 0)


fault("update.values-sorted", conditions.members, "update.amounts-exact").short(
    "Where any of three conditions or more on one fact is enough, they are sorted by their values.", _any_sorted
)

fault = Breaking(faults, "update.amounts-exact", "update.replaces")


def _made_whole(steps: list[Json]) -> list[Json]:
    return [{**step, "actions": _shared_out(step["actions"])} for step in steps]


def _shared_out(members: list[Json]) -> list[Json]:
    shares = [member for member in members if member["type"] == "percentage"]
    rest = round(100 - sum(member["percentage_value"] for member in shares), 2)
    if len(shares) < 2 or not 0 < rest < 1:
        return members
    last = {**shares[-1], "percentage_value": round(shares[-1]["percentage_value"] + rest, 2)}
    return [last if member is shares[-1] else member for member in members]


fault("update.shares-made-whole", update.steps_after).short(
    "Shares that leave less than a percent are rounded up to all.",
    lambda usual, change: _made_whole(usual(change)),
)
fault("update.no-percentage-is-all", actions.action).short(
    "A share of 0 percent is taken for none, which is all.",
    lambda usual, node: (
        {**built, "percentage_value": 100}
        if (built := usual(node))["type"] == "percentage" and not built["percentage_value"]
        else built
    ),
)

fault = Breaking(faults, "update.omitted-is-cleared")


def _conditions_kept(usual: Callable[[RuleChange], list[Json]], change: RuleChange) -> list[Json]:
    before = dict(enumerate(change.before.steps))
    sent = change.wanted.sent["steps"]
    return [
        {**step, "conditions": before[index]["conditions"]} if index in before and "conditions" not in given else step
        for index, (step, given) in enumerate(zip(usual(change), sent, strict=True))
    ]


fault("update.left-out-conditions-kept", update.steps_after).short(
    "A step without conditions keeps those of the step in its place.", _conditions_kept
)

fault = Breaking(faults, "update.steps-replaced")
fault("update.tail-of-steps-kept", update.steps_after).short(
    "Old steps stay behind the one after the last new one.",
    lambda usual, change: [*(steps := usual(change)), *change.before.steps[len(steps) + 1 :]],
)

fault = Breaking(faults, "update.read-back")
fault("update.read-in-pages", endpoints.get_rule).short(
    "A read has the first twenty steps.",
    changed(lambda reply, _call, _caller: reply.having(data={**reply.data, "steps": reply.data["steps"][:20]})),
)
