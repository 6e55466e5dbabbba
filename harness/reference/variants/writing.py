"""Variants: how else the same answer may be written."""

import json

from rules_harness.harness.reference import endpoints, envelope, errors
from rules_harness.harness.reference.effects import altered
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.stand_ins import Variants, changed

variant = Variants()
_WRITTEN = "2. Requirements, equality"

variant("json.pretty", "envelope.well-formed", envelope.encoded, group="json").short(
    "Answers are written over several lines.",
    lambda usual, value: json.dumps(json.loads(usual(value)), indent=2).encode(),
)
variant("json.escaped", "envelope.well-formed", envelope.encoded, group="json").short(
    "Answers are written in ASCII, with escapes.", lambda usual, value: json.dumps(json.loads(usual(value))).encode()
)
variant("json.sorted", "envelope.well-formed", envelope.encoded, group="json").short(
    "Names of answers are sorted.",
    lambda usual, value: json.dumps(json.loads(usual(value)), sort_keys=True, ensure_ascii=False).encode(),
)
variant("json.slashes-escaped", "envelope.well-formed", envelope.encoded, group="json").short(
    "Slashes are escaped, as PHP does.", lambda usual, value: usual(value).replace(b"/", b"\\/")
)


variant("timestamps.nanoseconds", _WRITTEN, envelope.timestamp).short(
    "Moments have nine digits of a second.", lambda usual, moment: usual(moment).replace("Z", "000000Z")
)
variant("timestamps.other-zone", "reading.timestamp-form", envelope.timestamp, group="timestamp-form").short(
    "Moments end in -00:00.", lambda usual, moment: usual(moment).replace("Z", "-00:00")
)


def _whole(value: Json) -> Json:
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is dict:
        return {name: _whole(inner) for name, inner in value.items()}
    return [_whole(inner) for inner in value] if type(value) is list else value


variant("numbers.whole-as-integers", _WRITTEN, envelope.rule_data, group="integral-float").short(
    "Numbers without a fraction are answered as integers.", lambda usual, rule: dict(_whole(usual(rule)))
)


def _deep(value: Json) -> Json:
    """Conditions with each optional field that they have not."""
    if type(value) is list:
        return [_deep(inner) for inner in value]
    if type(value) is not dict:
        return value
    inner = {name: _deep(item) for name, item in value.items()}
    return {"value": None, "value_fact": None, "params": None, **inner} if "operator" in inner else inner


variant("conditions.filled-in", _WRITTEN, envelope.rule_data, group="conditions.filled-in").short(
    "Optional fields of conditions are answered as null.",
    lambda usual, rule: {**(data := usual(rule)), "steps": _deep(data["steps"])},
)
variant("trigger-account.filled-in", _WRITTEN, envelope.rule_data, group="trigger-account").short(
    "A trigger without an account is answered with null.",
    lambda usual, rule: {**(data := usual(rule)), "trigger": {"account_id": None, **data["trigger"]}},
)
variant("extra-fields.status-reason", _WRITTEN, envelope.rule_data, group="extra-fields.reason").short(
    "A rule says why it is disabled.",
    lambda usual, rule: {**usual(rule), "status_reason": "needs review" if rule.status == "disabled" else None},
)
variant("extra-fields.schedule", _WRITTEN, envelope.rule_data, group="extra-fields.schedule").short(
    "A trigger says when it is due.",
    lambda usual, rule: {**(data := usual(rule)), "trigger": {**data["trigger"], "next_run_at": None}},
)
variant("errors.other-words", "envelope.error", errors.invalid, group="errors.words").short(
    "Messages are in another language.",
    lambda usual, message: altered(usual(message), {"message": "Ungültige Anfrage. 請求無效。"}),
)
variant("errors.code-of-the-place", "envelope.code-stable", errors.invalid, group="errors.code").short(
    "The code of a refused body names what was wrong with it.",
    lambda usual, message: altered(
        usual(message), {"code": f"invalid_{''.join(filter(str.isalpha, message.partition(' ')[0])) or 'body'}"}
    ),
)
_CHALLENGES = (("WWW-Authenticate", 'ApiKey realm="rules"'), ("WWW-Authenticate", 'Bearer realm="rules"'))
variant("challenge.several", "auth.challenge", errors.unauthorized, group="challenge").short(
    "A 401 has a challenge for each scheme.", lambda usual, given: altered(usual(given), headers=_CHALLENGES)
)
_LIMITS = [(b"ratelimit-limit", b"100"), (b"ratelimit-remaining", b"99"), (b"server-timing", b"db;dur=3.1")]
variant("headers.limits", "envelope.content-type", envelope.headers, group="headers.limits").short(
    "Answers tell the limits of the rate.", lambda usual, call, reply, body: [*usual(call, reply, body), *_LIMITS]
)
variant("headers.order", "envelope.content-type", envelope.headers, group="headers.order").short(
    "Headers come in another order.", lambda usual, call, reply, body: usual(call, reply, body)[::-1]
)
variant("content-type.upper-case", "envelope.content-type", envelope.media_type, group="content-type").short(
    "The charset is written in upper case, without a space.",
    lambda usual, reply: usual(reply) if reply.instead else f"{usual(reply)};charset=UTF-8",
)
variant("read.with-etag", "1. Facts, companion", endpoints.get_rule, group="read.etag").short(
    "A read carries a version.",
    changed(lambda reply, call, caller: reply.having(headers=(*reply.headers, ("ETag", f'"{len(call.rule_id)}"')))),
)
