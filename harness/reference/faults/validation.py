"""Faults of the family validation."""

import asyncio
import json
import math
import re
from collections.abc import Awaitable, Callable, Set
from contextlib import suppress

import msgspec

from rules_harness.harness.reference import endpoints, envelope, errors, rules, syntax, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.effects import Update, altered, overwrite, touch
from rules_harness.harness.reference.messages import Json, Reply
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.seed import Key
from rules_harness.harness.reference.stand_ins import Breaking, PlantedFault, crash_if, on_refusal
from rules_harness.harness.reference.validation import actions, body, triggers, values
from rules_harness.harness.reference.validation.conditions import VALUE_FACTS
from rules_harness.harness.reference.validation.values import Node

faults: list[PlantedFault] = []
_LONGER_THAN_ANYBODY_WAITS = 120.0
_DECIMAL = re.compile(r"\s*-?\d{1,15}(\.\d{1,15})?\s*", re.ASCII)
_DIGITS = re.compile(r"\s*-?\d{1,15}\s*", re.ASCII)
_WITHOUT_ZONE = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?", re.ASCII)
_TRAILING_COMMA = re.compile(r",(\s*[\]}])")


def _given(node: Node, name: str, default: Json) -> Node:
    return node.holding(default) if node.value is msgspec.UNSET and node.name == name else node


def _filled(node: Node, defaults: dict[str, Json]) -> Node:
    return node.holding({**defaults, **node.value}) if isinstance(node.value, dict) else node


def _stored(rule: Rule) -> dict[str, Json]:
    return {"status": "disabled", "trigger": rule.trigger, "steps": rule.steps}


def _matches(node: Node, pattern: re.Pattern[str]) -> bool:
    return type(node.value) is str and pattern.fullmatch(node.value) is not None


fault = Breaking(faults, "validation.required")
fault("validation.missing-kept", update.validated).short(
    "Required fields that are missing keep their stored value.",
    lambda usual, call, body: usual(call, _filled(body, _stored(call.service.store.existing(call.rule_id)))),
)
fault("validation.status-defaulted", values.required).short(
    "A missing status is read as disabled.", lambda usual, node: usual(_given(node, "status", "disabled"))
)
fault("validation.steps-defaulted", values.required).short(
    "Missing steps are read as none.", lambda usual, node: usual(_given(node, "steps", []))
)
fault("validation.amount-defaulted", values.required).short(
    "A missing amount is read as 0.", lambda usual, node: usual(_given(node, "amount_in_cents", 0))
)
fault("validation.group-index-defaulted", values.required).short(
    "A missing group_index is read as 0.", lambda usual, node: usual(_given(node, "group_index", 0))
)
fault("validation.later-steps-filled-in", body.rule_step).short(
    "What a step after the first lacks is filled in.",
    lambda usual, node: usual(node if node.name == "0" else _filled(node, {"actions": []})),
)
_unchecked = ("enum", "type", "bounds")
fault(
    "validation.later-actions-unchecked",
    actions.action,
    *(f"validation.{name}" for name in _unchecked),
    "update.replaces",
    "update.amounts-exact",
).short(
    "Objects after the first action of a step are stored as they are.",
    lambda usual, node: node.value if isinstance(node.value, dict) and node.name != "0" else usual(node),
)

fault = Breaking(faults, "validation.type")
fault("validation.numeric-text-accepted", values.integer).short(
    "Integers are read from text.",
    lambda usual, node: int(node.value) if _matches(node, _DIGITS) else usual(node),
)
fault("validation.percentages-from-text", values.percentage).short(
    "Percentages are read from text.",
    lambda usual, node: usual(node.holding(float(node.value)) if _matches(node, _DECIMAL) else node),
)
fault("validation.booleans-as-numbers", values.integer).short(
    "Booleans are taken for 0 and 1.", lambda usual, node: int(node.value) if type(node.value) is bool else usual(node)
)
fault("validation.numbers-as-text", values.text).short(
    "Numbers are taken for text.",
    lambda usual, node: usual(node.holding(str(node.value)) if type(node.value) in (int, float, bool) else node),
)
fault("validation.null-as-zero", values.integer).short(
    "Null is taken for 0.", lambda usual, node: 0 if node.value is None else usual(node)
)
fault("validation.flags-by-truth", values.flag).short(
    "Any value is taken for a boolean, by its truth.", lambda usual, node: bool(values.required(node).value)
)
fault("validation.flags-from-text", values.flag).short(
    "Booleans are read from text.",
    lambda usual, node: bool(node.value == "true") if node.value in ("true", "false") else usual(node),
)
fault("validation.objects-taken-for-lists", values.an_array).short(
    "An object is taken for the list of its values, as PHP does.",
    lambda usual, node: usual(node.holding(list(node.value.values())) if type(node.value) is dict else node),
)
fault("validation.first-of-array-taken", values.an_object, "validation.syntax").short(
    "The first of a list is taken for an object.",
    lambda usual, node: usual(node.holding(node.value[0]) if type(node.value) is list and node.value else node),
)


def _is_unknown(node: Node, name: str, choices: Set[str]) -> bool:
    return node.name == name and type(node.value) is str and node.value not in choices


def _is_of_unknown_type(node: Node, types: Set[str]) -> bool:
    return type(node.value) is dict and _is_unknown(node.member("type"), "type", types)


fault = Breaking(faults, "validation.enum")
fault("validation.enum-case-ignored", values.choice).short(
    "Enumerated values are compared without regard to case.",
    lambda usual, node, choices: (
        next((known for known in choices if known.lower() == str(node.value).lower()), None) or usual(node, choices)
    ),
)
fault("validation.facts-of-values", values.choice).short(
    "A fact may be whatever a value may be.",
    lambda usual, node, choices: usual(node, VALUE_FACTS if node.name == "fact" else choices),
)
fault("validation.enum-trimmed", values.choice).short(
    "White space around enumerated values is removed.",
    lambda usual, node, choices: usual(node.holding(node.value.strip()) if type(node.value) is str else node, choices),
)
fault("validation.unknown-status-as-disabled", values.choice).short(
    "An unknown status is read as disabled.",
    lambda usual, node, choices: "disabled" if _is_unknown(node, "status", choices) else usual(node, choices),
)
fault("validation.unknown-trigger-stored", triggers.trigger).short(
    "A trigger of an unknown type is stored as it is.",
    lambda usual, node: dict(node.value) if _is_of_unknown_type(node, rules.kinds().triggers) else usual(node),
)
fault("validation.unknown-action-stored", actions.action).short(
    "An action of an unknown type is stored as it is.",
    lambda usual, node: dict(node.value) if _is_of_unknown_type(node, rules.kinds().actions) else usual(node),
)
fault("validation.schedule-type-unchecked", values.choice).short(
    "schedule_type is not checked.",
    lambda usual, node, choices: node.value if _is_unknown(node, "schedule_type", choices) else usual(node, choices),
)
fault("validation.operator-unchecked", values.choice).short(
    "The operators of conditions are not checked.",
    lambda usual, node, choices: node.value if _is_unknown(node, "operator", choices) else usual(node, choices),
)


def _is_finite(node: Node, *types: type) -> bool:
    return type(node.value) in types and math.isfinite(node.value)


fault = Breaking(faults, "validation.bounds")
fault("validation.negative-accepted", values.in_range).short(
    "Negative integers are accepted.", lambda usual, value, pointer: value if value < 0 else usual(value, pointer)
)
fault("validation.fractions-cut", values.integer, "update.amounts-exact").short(
    "Fractions of integers are cut off.",
    lambda usual, node: int(node.value) if _is_finite(node, float) else usual(node),
)
fault("validation.big-amounts-as-floats", values.in_range, "update.amounts-exact").short(
    "Integers beyond 2^53 pass through double precision.",
    lambda usual, value, pointer: (
        min(int(float(value)), 2**63 - 1) if values.LARGEST_INTEGER < value < 2**63 else usual(value, pointer)
    ),
)
fault("validation.percentages-unbounded", values.percentage).short(
    "Percentages may be any number.", lambda usual, node: node.value if _is_finite(node, int, float) else usual(node)
)
fault("validation.dates-unchecked", values.date_time).short(
    "start_date may be any text.", lambda usual, node: node.value if type(node.value) is str else usual(node)
)
fault("validation.dates-without-zone-accepted", values.date_time).short(
    "start_date needs no zone.",
    lambda usual, node: node.value if _matches(node, _WITHOUT_ZONE) else usual(node),
)
fault("validation.impossible-dates-accepted", values.date_time).short(
    "start_date may be a day that does not exist.",
    lambda usual, node: node.value if _matches(node, values.DATE_TIME) else usual(node),
)

fault = Breaking(faults, "validation.syntax")
fault("validation.rest-ignored", syntax.value_of).short(
    "What follows the first JSON value is ignored.", lambda usual, text: json.JSONDecoder().raw_decode(text.lstrip())[0]
)
fault("validation.trailing-commas-allowed", syntax.value_of).short(
    "Trailing commas are allowed.", lambda usual, text: usual(_TRAILING_COMMA.sub(r"\1", text))
)


@fault("validation.empty-body-as-no-change", update.update)
async def empty_body_as_no_change(usual: Update, call: Call, organization_id: str) -> Reply:
    """An empty body changes nothing and succeeds."""
    if call.request.body:
        return await usual(call, organization_id)
    return Reply(status=200, data=envelope.rule_data(call.service.store.existing(call.rule_id)))


fault("validation.nan-as-zero", syntax.value_of).short(
    "NaN and Infinity are read as 0.", lambda usual, text: json.loads(text, parse_constant=lambda name: 0)
)


fault = Breaking(faults, "validation.encoding")
fault("validation.invalid-utf-8-ignored", syntax.text_of).short(
    "Bytes that are not UTF-8 are dropped.", lambda usual, body: body.decode("utf-8", "ignore")
)
fault("validation.invalid-utf-8-as-latin-1", syntax.text_of).short(
    "A body that is not UTF-8 is read as Latin-1.",
    lambda usual, body: body.decode("utf-8" if body.decode("utf-8", "replace").encode() == body else "latin-1"),
)
fault("validation.surrogates-replaced", syntax.without_lone_surrogates).short(
    "Lone surrogates are replaced by question marks.",
    lambda usual, value: json.loads(syntax.LONE_SURROGATE.sub("?", json.dumps(value, ensure_ascii=False))),
)

fault = Breaking(faults, "validation.media-type")
fault("validation.media-type-ignored", syntax.check_media_type).short(
    "The Content-Type is not looked at.", lambda usual, request: None
)
fault("validation.text-taken-for-json", syntax.check_media_type).short(
    "text/plain is taken for JSON, for old clients.",
    lambda usual, request: None if syntax.media_type_of(request).startswith(b"text/") else usual(request),
)

fault = Breaking(faults, "validation.size", "envelope.no-server-error", "validation.status")
fault("validation.deep-crash", errors.too_deep).short(
    "Deep nesting overflows the parser's stack.", crash_if(lambda: True)
)
fault("validation.large-crash", syntax.check_size).short(
    "A body beyond half a megabyte does not fit its column.",
    crash_if(lambda body: len(body) > syntax.bounds().size // 2),
)
fault("validation.many-steps-crash", body.steps).short(
    "Beyond 500 steps the insertion has too many parameters.",
    crash_if(lambda node: type(node.value) is list and len(node.value) > 500),
)


@fault("validation.many-steps-hang", endpoints.put_rule)
async def many_steps_hang(usual: Callable[[Call, Key], Awaitable[Reply]], call: Call, caller: Key) -> Reply:
    """Beyond 500 steps the validation, which compares each with each other, does not end while anybody waits."""
    if call.request.body.count(b'"actions"') > 500:
        with suppress(asyncio.CancelledError):  # the server ends
            await asyncio.sleep(_LONGER_THAN_ANYBODY_WAITS)
    return await usual(call, caller)


def _overwritten(call: Call, body: Node, types: dict[str, type]) -> None:
    """Write these fields of a refused body, where all of them have their type."""
    fields = {name: body.value.get(name) for name in types} if isinstance(body.value, dict) else {}
    if fields and all(isinstance(fields[name], types[name]) for name in types):
        overwrite(call, **fields)


fault = Breaking(faults, "validation.atomic")
fault("validation.texts-written-first", update.validated).short(
    "The nickname is written before trigger and steps are validated.",
    on_refusal(lambda refused, call, body: _overwritten(call, body, {"nickname": str})),
)
fault("validation.judged-after-writing", update.validated, "authz.foreign-account").short(
    "Trigger and steps are written before they are validated.",
    on_refusal(lambda refused, call, body: _overwritten(call, body, {"trigger": dict, "steps": list})),
)
fault("validation.refusal-touches", update.validated).short(
    "The record is saved before its new values are validated, which moves updated_at.",
    on_refusal(lambda refused, call, body: touch(call)),
)

fault = Breaking(faults, "validation.status")
fault("validation.refused-409", errors.invalid).short(
    "A refused body is answered 409.", lambda usual, message: altered(usual(message), status=409)
)
fault("validation.refused-406", errors.invalid, "envelope.documented-status").short(
    "A refused body is answered 406.", lambda usual, message: altered(usual(message), status=406)
)
_accepted = ("required", "type", "enum", "bounds", "syntax", "encoding", "media-type", "size")
_not_refused = ("envelope.success", "envelope.error", *(f"validation.{name}" for name in _accepted))
fault("validation.refused-200", errors.invalid, *_not_refused, "authz.foreign-account").short(
    "A refused body is answered 200, with the error inside.",
    lambda usual, message: altered(usual(message), status=200),
)
