"""Faults of the family validation: values that look like nothing or like another, later places, rare spellings."""

import json
import math
import re
from collections.abc import Callable, Set

import msgspec

from rules_harness.harness.reference import syntax, update
from rules_harness.harness.reference.faults.update_places import later_action, later_step, level_of
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.stand_ins import Breaking, PlantedFault, crash_if
from rules_harness.harness.reference.validation import actions, body, conditions, values
from rules_harness.harness.reference.validation.values import Node

faults: list[PlantedFault] = []
_DIGITS = re.compile(r"-?\d{1,15}", re.ASCII)
_LATER = re.compile(r"/(?:steps|actions)/[1-9]")
_NAMES_OF_OBJECTS = frozenset({"constructor", "__proto__", "toString"})


def _is_later(node: Node) -> bool:
    return later_step(node) or later_action(node)


def _falsy(node: Node) -> bool:
    """Whether a place holds something that programs take for nothing, and that is not null."""
    return node.value is not None and node.value is not msgspec.UNSET and not node.value


def _given(node: Node, name: str, default: Json) -> Node:
    return node.holding(default) if node.value is msgspec.UNSET and node.name == name else node


fault = Breaking(faults, "validation.required")
fault("validation.later-groups-defaulted", values.required).short(
    "In actions after the first, a missing group_index is read as 0.",
    lambda usual, node: usual(_given(node, "group_index", 0) if later_action(node) else node),
)
fault("validation.later-flags-defaulted", values.required).short(
    "In steps after the first, a missing up_to_enabled is read as false.",
    lambda usual, node: usual(_given(node, "up_to_enabled", False) if later_step(node) else node),
)


def _lower(value: Json) -> Json:
    if isinstance(value, list):
        return [_lower(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return {name.lower(): _lower(inner) for name, inner in value.items()}


fault("validation.top-names-in-any-case", update.validated).short(
    "`STATUS` is taken for `status`.",
    lambda usual, call, body: usual(
        call,
        body.holding({name.lower(): inner for name, inner in body.value.items()})
        if isinstance(body.value, dict)
        else body,
    ),
)
fault("validation.inner-names-in-any-case", update.validated).short(
    "Within steps, names are compared without regard to case.",
    lambda usual, call, body: usual(
        call,
        body.holding({**body.value, "steps": _lower(body.value["steps"])})
        if isinstance(body.value, dict) and "steps" in body.value
        else body,
    ),
)

fault = Breaking(faults, "validation.type")
fault("validation.later-numbers-as-text", values.integer).short(
    "In places after the first, integers are read from text.",
    lambda usual, node: (
        int(node.value)
        if _is_later(node) and type(node.value) is str and _DIGITS.fullmatch(node.value)
        else usual(node)
    ),
)
fault("validation.later-texts-unchecked", values.text).short(
    "In actions after the first, texts may be numbers.",
    lambda usual, node: usual(
        node.holding(str(node.value)) if later_action(node) and type(node.value) in (int, bool) else node
    ),
)
fault("validation.falsy-texts-as-null", values.text).short(
    "A text that is false, 0 or an empty list is taken for none.",
    lambda usual, node: None if _falsy(node) and node.value != "" else usual(node),
)
fault("validation.falsy-limits-dropped", actions.action).short(
    "A limit that is false, 0 or empty is taken for none.",
    lambda usual, node: usual(
        node.holding({**node.value, "limit": None})
        if isinstance(node.value, dict) and _falsy(node.member("limit"))
        else node
    ),
)
fault("validation.falsy-conditions-dropped", body.rule_step, "validation.required").short(
    "Conditions that are false, 0 or empty are taken for none.",
    lambda usual, node: usual(
        node.holding({**node.value, "conditions": None})
        if isinstance(node.value, dict) and _falsy(node.member("conditions"))
        else node
    ),
)
fault("validation.deep-conditions-unchecked", conditions.members, "validation.enum", "validation.required").short(
    "Conditions below the first level are stored as they are.",
    lambda usual, branch: list(branch.value) if level_of(branch) > 1 and type(branch.value) is list else usual(branch),
)
fault("validation.below-all-unchecked", conditions.members, "validation.enum", "validation.required").short(
    "Conditions in an `all` that stands in other conditions are stored as they are.",
    lambda usual, branch: (
        list(branch.value)
        if branch.name == "all" and level_of(branch) > 1 and type(branch.value) is list
        else usual(branch)
    ),
)
fault("validation.null-conditions-skipped", conditions.members).short(
    "Null among conditions is skipped.",
    lambda usual, branch: usual(
        branch.holding([value for value in branch.value if value is not None])
        if isinstance(branch.value, list)
        else branch
    ),
)
fault("validation.inner-conditions-of-two-kinds", conditions.condition_tree).short(
    "Below the first level, of conditions that are of two kinds one is taken.",
    lambda usual, node: usual(
        node.holding({(kind := next(iter(node.value))): node.value[kind]})
        if node.pointer[-1].isdigit() and isinstance(node.value, dict) and node.value
        else node
    ),
)

fault = Breaking(faults, "validation.enum")
_Choice = Callable[[Callable[[Node, Set[str]], str], Node, Set[str]], str]


def _or(accepted: Callable[[Node], object], instead: Callable[[Node, Set[str]], str]) -> _Choice:
    """Take what is accepted for something else."""
    return lambda usual, node, choices: instead(node, choices) if accepted(node) else usual(node, choices)


fault("validation.inherited-names-listed", values.choice).short(
    "Listed values are looked up in an object, which has more names than its own.",
    _or(
        lambda node: node.name != "type" and type(node.value) is str and node.value in _NAMES_OF_OBJECTS,
        lambda node, _: node.value,
    ),
)
fault("validation.ordinals-as-text", values.choice).short(
    "The number of a listed value, as text, is taken for it.",
    _or(lambda node: node.value == "1", lambda _, choices: sorted(choices)[1 % len(choices)]),
)
fault("validation.line-ends-behind-choices", values.choice).short(
    "The end of a line behind a listed value is not seen.",
    lambda usual, node, choices: usual(
        node.holding(node.value.removesuffix("\n")) if isinstance(node.value, str) else node, choices
    ),
)
fault("validation.empty-choice-is-the-first", values.choice).short(
    "An empty text is taken for the first of the listed values.",
    _or(lambda node: node.value == "", lambda _, choices: min(choices)),
)
fault("validation.choices-below-the-second-level-unchecked", values.choice).short(
    "In conditions below the second level, listed values are not checked.",
    _or(lambda node: level_of(node) > 2 and type(node.value) is str, lambda node, _: node.value),
)
fault("validation.later-choices-unchecked", values.choice).short(
    "In actions after the first, listed values are not checked.",
    _or(
        lambda node: later_action(node) and node.name != "type" and type(node.value) is str, lambda node, _: node.value
    ),
)

fault = Breaking(faults, "validation.bounds")
fault("validation.later-negatives-accepted", values.in_range).short(
    "In places after the first, negative integers are accepted.",
    lambda usual, value, pointer: value if value < 0 and _LATER.search(pointer) else usual(value, pointer),
)
fault("validation.later-percentages-unbounded", values.percentage, "update.amounts-exact").short(
    "In steps after the first, percentages may be any number.",
    lambda usual, node: node.value if later_step(node) and type(node.value) in (int, float) else usual(node),
)
fault("validation.later-fractions-cut", values.integer, "update.amounts-exact").short(
    "In actions after the first, fractions of integers are cut off.",
    lambda usual, node: (
        int(node.value)
        if later_action(node) and isinstance(node.value, float) and math.isfinite(node.value)
        else usual(node)
    ),
)
fault("validation.dates-line-by-line", values.date_time).short(
    "A date is looked for in any line of a text, and the text is kept.",
    lambda usual, node: (
        node.value if isinstance(node.value, str) and any(map(values.instant, node.value.split("\n"))) else usual(node)
    ),
)
fault("validation.line-ends-behind-dates", values.date_time).short(
    "The end of a line behind a date is not seen.",
    lambda usual, node: (
        node.value if isinstance(node.value, str) and values.instant(node.value.removesuffix("\n")) else usual(node)
    ),
)

fault = Breaking(faults, "validation.syntax")
fault("validation.nan-as-null", syntax.value_of).short(
    "NaN and Infinity are read as null.", lambda usual, text: json.loads(text, parse_constant=lambda name: None)
)
fault("validation.single-quotes-taken", syntax.value_of).short(
    "A text may stand in single quotes.",
    lambda usual, text: usual(re.sub(r":'([^'\"]*)'", r':"\1"', text)),
)

fault = Breaking(faults, "validation.encoding")
fault("validation.surrogates-in-descriptions-dropped", syntax.without_lone_surrogates).short(
    "Lone surrogates in a description are dropped.",
    lambda usual, value: usual(
        {**value, "description": syntax.LONE_SURROGATE.sub("", value["description"])}
        if isinstance(value, dict) and type(value.get("description")) is str
        else value
    ),
)


def _depth(content: bytes) -> int:
    """How deep a text of brackets nests; what stands in texts counts too."""
    deepest = level = 0
    for byte in content:
        level += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, level)
    return deepest


fault = Breaking(faults, "validation.size", "envelope.no-server-error", "validation.status")
fault("validation.crash-beyond-512-levels", syntax.parse).short(
    "What is decoded to 2,048 levels is encoded to 512.", crash_if(lambda content: 512 < _depth(content) <= 2048)
)
fault("validation.crash-beyond-64-levels", syntax.parse).short(
    "A recursive copy fails beyond 64 levels.", crash_if(lambda content: 64 < _depth(content) <= 600)
)
fault("validation.endless-numbers-crash", syntax.value_of).short(
    "A number beyond a double, in a property that nobody knows, cannot be written to the log.",
    crash_if(lambda text: re.search(r"\de\d{4,}", text)),
)
