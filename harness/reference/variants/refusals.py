"""Variants: what a server may refuse of what the page leaves open: rare values, rare places, odd requests."""

import json
import re
from collections.abc import Callable

from rules_harness.harness.reference import endpoints, errors, idempotency, syntax, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.messages import Incoming, Json, Refused
from rules_harness.harness.reference.stand_ins import Variants, refuse_if, refuse_node
from rules_harness.harness.reference.validation import body, conditions, values
from rules_harness.harness.reference.validation.values import Node

variant = Variants()
_VALID = ("update.accepts-valid",)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_MARKUP = re.compile(r"[<>&]")
_KEY = re.compile(rb"[A-Za-z0-9._~:-]*")


def _is_text(node: Node, pattern: re.Pattern[str]) -> bool:
    return type(node.value) is str and pattern.search(node.value) is not None


variant("text.controls-refused", "update.accepts-valid", values.text, group="text.controls").short(
    "Text with control characters is refused.",
    refuse_node(lambda node: _is_text(node, _CONTROLS), "must not hold control characters."),
)
variant("text.markup-refused", "update.accepts-valid", values.text, group="text.markup").short(
    "Text that may be markup is refused.",
    refuse_node(lambda node: _is_text(node, _MARKUP), "must not hold <, > or &."),
)
variant("text.beyond-bmp-refused", "update.accepts-valid", values.text, group="text.bmp").short(
    "Characters beyond the basic plane are refused.",
    refuse_node(lambda node: type(node.value) is str and any(ord(each) > 0xFFFF for each in node.value), "is too odd."),
)
variant("text.over-255-refused", "update.accepts-valid", values.text, group="text.length").short(
    "Text beyond 255 characters is refused.",
    refuse_node(lambda node: type(node.value) is str and len(node.value) > 255, "must have at most 255 characters."),
)
variant("text.over-255-bytes-refused", "update.accepts-valid", values.text, group="text.length").short(
    "Text beyond 255 bytes is refused.",
    refuse_node(
        lambda node: type(node.value) is str and len(node.value.encode("utf-8", "replace")) > 255,
        "must have at most 255 bytes.",
    ),
)
variant("ach-description.ascii-only", "update.accepts-valid", values.text, group="ach.ascii").short(
    "An ach_description must be ASCII.",
    refuse_node(
        lambda node: node.name == "ach_description" and type(node.value) is str and not node.value.isascii(),
        "must be ASCII.",
    ),
)
variant("ach-description.ten-characters", "update.accepts-valid", values.text, group="ach.length").short(
    "An ach_description has at most ten characters, as bank statements have.",
    refuse_node(
        lambda node: node.name == "ach_description" and type(node.value) is str and len(node.value) > 10,
        "must have at most 10 characters.",
    ),
)


def _is_group(node: Node, beyond: int) -> bool:
    return node.name == "group_index" and type(node.value) is int and node.value > beyond


variant("group-index.up-to-100", "update.accepts-valid", values.integer, group="group-index").short(
    "Groups beyond 100 are refused.", refuse_node(lambda node: _is_group(node, 100), "must be at most 100.")
)
variant("group-index.up-to-32767", "update.accepts-valid", values.integer, group="group-index").short(
    "Groups beyond 32,767 are refused.", refuse_node(lambda node: _is_group(node, 32_767), "must be at most 32767.")
)
variant("start-date.whole-seconds", "update.accepts-valid", values.date_time, group="start-date.seconds").short(
    "Fractions of a second are refused.",
    refuse_node(lambda node: type(node.value) is str and "." in node.value, "must be in whole seconds."),
)
variant("start-date.utc-only", "update.accepts-valid", values.date_time, group="start-date.zone").short(
    "A start_date must end in Z.",
    refuse_node(lambda node: type(node.value) is str and not node.value.endswith("Z"), "must be in UTC."),
)
variant("steps.at-most-ten", "update.accepts-valid", body.steps, group="steps.count").short(
    "More than ten steps are refused.",
    refuse_node(lambda node: type(node.value) is list and len(node.value) > 10, "must have at most 10 members."),
)
variant("steps.different", "update.accepts-valid", body.steps, group="steps.different", warns=_VALID).short(
    "Equal steps are refused.", refuse_node(lambda node: _has_equals(node.value), "must not have equal members.")
)
variant("actions.at-most-ten", "update.accepts-valid", body.step_actions, group="actions.count").short(
    "More than ten actions of a step are refused.",
    refuse_node(lambda node: type(node.value) is list and len(node.value) > 10, "must have at most 10 members."),
)
variant("actions.different", "update.accepts-valid", body.step_actions, group="actions.different", warns=_VALID).short(
    "Equal actions of a step are refused.",
    refuse_node(lambda node: _has_equals(node.value), "must not have equal members."),
)
variant("conditions.different", "update.accepts-valid", conditions.members, group="conditions.different").short(
    "Equal conditions side by side are refused.",
    refuse_node(lambda branch: _has_equals(branch.value), "must not have equal members."),
)


def _has_equals(items: Json) -> bool:
    """Whether two members of a list are equal; those that are nested too deep to be compared are not."""
    try:
        written = [json.dumps(item, sort_keys=True) for item in items] if type(items) is list else []
    except RecursionError:
        return False
    return len(set(written)) < len(written)


variant("conditions.five-levels", "validation.size", conditions.condition_tree, group="conditions.depth").short(
    "Conditions beyond the fifth level are refused.",
    refuse_node(lambda node: len(re.findall(r"/(?:any|all)/", node.pointer)) > 5, "is nested too deeply."),
)


def _with_depth(depth: int) -> Callable[[Callable[[], syntax.Bounds]], syntax.Bounds]:
    return lambda usual: usual()._replace(depth=depth)


variant("depth.up-to-16", "validation.size", syntax.bounds, group="size").short(
    "Nesting beyond 16 levels is refused.", _with_depth(16)
)
variant("depth.up-to-900", "validation.size", syntax.bounds, group="size").short(
    "Nesting is stored up to 900 levels.", _with_depth(900)
)
variant("size.large-limits", "validation.size", syntax.bounds, group="size").short(
    "Bodies of 16 MiB are taken.", lambda usual: usual()._replace(size=16 * 1024 * 1024)
)


def _named_elsewhere(call: Call, organization_id: str) -> bool:
    try:
        sent = json.loads(call.request.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(sent, dict) and any(sent.get(name, call.rule_id) != call.rule_id for name in ("id", "rule_id"))


variant("named-twice.body-refused", "update.identity", update.update, group="named-twice.body").short(
    "A body that names another rule is refused.",
    refuse_if(_named_elsewhere, lambda call, organization_id: errors.invalid("id is not that of the path.")),
)
variant("named-twice.query-refused", "update.identity", endpoints.put_rule, group="named-twice.query").short(
    "A query is refused.",
    refuse_if(lambda call, caller: call.request.query, lambda call, caller: errors.invalid("No query is known.")),
)


def _too_long(limit: int) -> Callable[[Incoming], bool]:
    return lambda request: len(request.first(b"idempotency-key") or b"") > limit


def _bad_key(request: Incoming) -> Refused:
    return errors.invalid("Idempotency-Key is not acceptable.")


_KEYS = ("idempotency.odd-keys",)
variant("keys.over-64-refused", "idempotency.odd-keys", idempotency.key_of, group="keys.length", warns=_KEYS).short(
    "Keys beyond 64 characters are refused.", refuse_if(_too_long(64), _bad_key)
)
variant("keys.over-128-refused", "idempotency.odd-keys", idempotency.key_of, group="keys.length", warns=_KEYS).short(
    "Keys beyond 128 characters are refused.", refuse_if(_too_long(128), _bad_key)
)
variant("keys.punctuation-refused", "idempotency.odd-keys", idempotency.key_of, group="keys.form", warns=_KEYS).short(
    "Keys of other characters than letters, digits and `-_.~:` are refused.",
    refuse_if(lambda request: not _KEY.fullmatch(request.first(b"idempotency-key") or b""), _bad_key),
)


def _has_large_header(call: Call) -> bool:
    return any(len(value) > 8 * 1024 - 1 for _, value in call.request.headers)


variant("edge.431", "2. Requirements, edges", endpoints.handle, group="edge.431").short(
    "A proxy refuses headers of 8 KiB: 431.",
    refuse_if(_has_large_header, lambda call: errors.refusal(431, "headers_too_large", "A header is too large.")),
)
variant("edge.414", "2. Requirements, edges", endpoints.handle, group="edge.414").short(
    "A proxy refuses long paths: 414.",
    refuse_if(
        lambda call: len(call.request.path) > 2_000, lambda call: errors.refusal(414, "uri_too_long", "Too long.")
    ),
)
variant("methods.403", "http.methods", errors.method_not_allowed, group="patch").short(
    "Other methods are answered 403.", lambda usual, allowed: errors.forbidden()
)
variant("methods.501", "http.methods", errors.method_not_allowed, group="patch").short(
    "Other methods are answered 501 by a proxy.",
    lambda usual, allowed: errors.refusal(501, "not_implemented", "This method is not supported."),
)
variant("validation-status.by-kind", "reading.validation-status", errors.malformed, group="validation-status").short(
    "What is no JSON is answered 422, other refusals of a body 400.",
    lambda usual, message: errors.refusal(422, "unprocessable_body", message),
)
