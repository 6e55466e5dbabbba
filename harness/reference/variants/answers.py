"""Variants: other forms of answers that the contract allows."""

from collections.abc import Callable

from rules_harness.harness.reference import calls, endpoints, envelope, errors, idempotency, update
from rules_harness.harness.reference.calls import LONGEST, VISIBLE, sent
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.seed import account
from rules_harness.harness.reference.stand_ins import Variants, changed, refuse_if
from rules_harness.harness.reference.validation import accounts, body
from rules_harness.harness.reference.validation.values import instant

variant = Variants()

variant("timestamp-form.offset", "reading.timestamp-form", envelope.timestamp).short(
    "Moments end in +00:00.", lambda usual, moment: usual(moment).replace("Z", "+00:00")
)
variant("timestamps.microseconds", "2. Requirements, equality", envelope.timestamp).short(
    "Moments have microseconds.", lambda usual, moment: moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
)
variant("timestamps.seconds", "update.updated-at", envelope.timestamp).short(
    "Moments have seconds.", lambda usual, moment: moment.isoformat(timespec="seconds").replace("+00:00", "Z")
)


def _in_utc(trigger: dict[str, Json]) -> dict[str, Json]:
    moment = instant(trigger.get("start_date", ""))
    if moment is None:
        return trigger
    return {**trigger, "start_date": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


variant("start-date.normalised", "2. Requirements, equality", envelope.rule_data).short(
    "start_date is answered in UTC, with milliseconds.",
    lambda usual, rule: {**(data := usual(rule)), "trigger": _in_utc(data["trigger"])},
)
variant("updated-at.kept-without-change", "update.updated-at", update.updated_at_after).short(
    "An update that changes nothing leaves updated_at.",
    lambda usual, change: (
        change.before.updated_at if update.changes_nothing(change.before, change.wanted) else usual(change)
    ),
)


def _without_nulls(value: Json) -> Json:
    if type(value) is dict:
        kept = body.demanded_of_steps()
        return {name: _without_nulls(item) for name, item in value.items() if item is not None or name in kept}
    return [_without_nulls(item) for item in value] if type(value) is list else value


variant("nulls.left-out", "2. Requirements, equality", envelope.rule_data).short(
    "Fields that are null are left out of answers.", lambda usual, rule: dict(_without_nulls(usual(rule)))
)


def _with_nulls(step: dict[str, Json]) -> dict[str, Json]:
    absent = {"limit": None, "ach_description": None}
    return {**step, "actions": [{**absent, **action} for action in step["actions"]]}


variant("nulls.filled-in", "2. Requirements, equality", envelope.rule_data).short(
    "Optional fields of actions are answered as null.",
    lambda usual, rule: {**(data := usual(rule)), "steps": [_with_nulls(step) for step in data["steps"]]},
)


def _with_floats(value: Json, name: str = "") -> Json:
    if type(value) is dict:
        return {name: _with_floats(item, name) for name, item in value.items()}
    if type(value) is list:
        return [_with_floats(item) for item in value]
    return float(value) if name in ("amount_in_cents", "percentage_value") and value is not None else value


variant("numbers.as-floats", "2. Requirements, equality", envelope.rule_data, group="integral-float").short(
    "Amounts are answered as 100000.0.",
    lambda usual, rule: {**(data := usual(rule)), "steps": _with_floats(data["steps"])},
)
variant("account-name.resolved", "1. Facts, AccountRef", accounts.account_ref).short(
    "The server fills in the names of accounts.",
    lambda usual, node: {**(ref := usual(node)), "name": account(ref["id"]).name},
)
variant("extra-fields.top", "2. Requirements, equality", envelope.rule_data, group="extra-fields.top").short(
    "A rule has further fields.",
    lambda usual, rule: (
        usual(rule) | {"organization_id": rule.organization_id, "version": 3, "links": {"self": f"/rules/{rule.id}"}}
    ),
)


@variant("extra-fields.nested", "2. Requirements, equality", envelope.rule_data, group="extra-fields.nested")
def extra_fields_nested(usual: Callable[[Rule], dict[str, Json]], rule: Rule) -> dict[str, Json]:
    """Triggers and steps have further fields."""
    data = usual(rule)
    steps = [{"id": f"step_{index}", **step} for index, step in enumerate(data["steps"])]
    return {**data, "steps": steps, "trigger": {**data["trigger"], "time_zone": "UTC"}}


variant("extra-fields.envelope", "envelope.success", envelope.success_envelope, group="extra-fields.envelope").short(
    "The envelope has a further field.",
    lambda usual, call, reply: {**usual(call, reply), "meta": {"api_version": "v1"}},
)
_MORE_ABOUT_ERRORS = {"details": [], "documentation": "https://docs.example.com/errors"}
variant("extra-fields.error", "envelope.error", envelope.error_envelope, group="extra-fields.error").short(
    "Errors have further fields.",
    lambda usual, call, reply, error: usual(call, reply, {**error, **_MORE_ABOUT_ERRORS}),
)
_MORE_HEADERS = [(b"cache-control", b"no-store"), (b"etag", b'W/"7f3a"'), (b"x-content-type-options", b"nosniff")]
_MORE_HEADERS += [(b"vary", b"Authorization"), (b"set-cookie", b"lb=node-2; Path=/; HttpOnly")]
variant("headers.more", "envelope.content-type", envelope.headers, group="headers.more").short(
    "Answers carry further headers, a cookie among them.",
    lambda usual, call, reply, body: [*usual(call, reply, body), *_MORE_HEADERS],
)
_MARK = ("Idempotent-Replayed", "true")
variant("headers.replay-marked", "idempotency.replay", idempotency.replayed, group="headers.replay-marked").short(
    "Replays are marked by a header.",
    changed(lambda reply, call, known, original: reply.having(headers=(*reply.headers, _MARK))),
)
variant("headers.chunked", "envelope.well-formed", envelope.headers, group="headers.chunked").short(
    "Answers are sent in chunks, without Content-Length.",
    lambda usual, call, reply, body: [pair for pair in usual(call, reply, body) if pair[0] != b"content-length"],
)
variant("content-type.charset", "envelope.content-type", envelope.media_type).short(
    "Content-Type names its charset.",
    lambda usual, reply: usual(reply) if reply.instead else f"{usual(reply)}; charset=utf-8",
)


def _is_odd(value: bytes) -> bool:
    return len(value) > LONGEST or not VISIBLE.issuperset(value)


def _is_printable(values: list[bytes]) -> bool:
    return len(values) == 1 and len(values[0]) > 0 and (VISIBLE | {0x20, 0x09}).issuperset(values[0])


variant("odd-request-id.echoed", "request-id.hostile", calls.request_id_of).short(
    "Long and odd request ids are echoed.",
    lambda usual, request: sent(request)[0].decode() if _is_printable(sent(request)) else usual(request),
)
variant("odd-request-id.refused", "request-id.hostile", endpoints.handle).short(
    "Long and odd request ids are refused.",
    refuse_if(
        lambda call: any(_is_odd(value) for value in sent(call.request)),
        lambda call: errors.refusal(400, "invalid_request_id", "X-Request-ID is not acceptable."),
    ),
)
