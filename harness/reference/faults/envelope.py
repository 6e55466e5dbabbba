"""Faults of the family envelope."""

import itertools
import json
import traceback
from collections.abc import Awaitable, Callable

from rules_harness.harness.reference import endpoints, envelope, errors, idempotency, syntax, update
from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.effects import altered, without
from rules_harness.harness.reference.messages import Crashed, Json, Refused, Reply, Written
from rules_harness.harness.reference.stand_ins import Breaking, Later, PlantedFault, crash_if, refuse_if
from rules_harness.harness.reference.validation import body, triggers, values
from rules_harness.harness.reference.validation.values import Node

faults: list[PlantedFault] = []

fault = Breaking(faults, "envelope.success")
_no_data = ("update.replaces", "update.read-back", "update.identity")
_no_id = ("request-id.echo-body", "request-id.generated")
_no_envelope = ("envelope.rule-schema", *_no_id, *_no_data, "update.documented-example")
fault("envelope.bare-rule", envelope.success_envelope, *_no_envelope).short(
    "The answer is the rule itself, without an envelope.", lambda usual, call, reply: dict(reply.data)
)
fault("envelope.data-in-list", envelope.success_envelope, "envelope.rule-schema", *_no_data).short(
    "`data` is a list of one, as the listing's serializer makes it.",
    lambda usual, call, reply: {**usual(call, reply), "data": [reply.data]},
)
fault("envelope.error-beside-data", envelope.success_envelope).short(
    "A success carries an `error` object that says OK.",
    lambda usual, call, reply: {**usual(call, reply), "error": {"code": "ok", "message": "Success."}},
)
fault("envelope.request-id-empty", envelope.success_envelope, *_no_id, "request-id.unique").short(
    "`request_id` is always an empty string.", lambda usual, call, reply: {**usual(call, reply), "request_id": ""}
)
fault("envelope.request-id-left-out", envelope.success_envelope, *_no_id, "request-id.unique").short(
    "`request_id` is left out of the body.", lambda usual, call, reply: without(usual(call, reply), "request_id")
)

fault = Breaking(faults, "envelope.rule-schema", "update.created-at-kept", "update.updated-at")
fault("envelope.timestamps-left-out", envelope.rule_data).short(
    "The serializer of the update leaves created_at and updated_at out.",
    lambda usual, rule: without(usual(rule), "created_at", "updated_at"),
)
fault("envelope.timestamps-in-epoch", envelope.timestamp).short(
    "Moments are written as milliseconds since 1970.", lambda usual, moment: int(moment.timestamp() * 1000)
)
fault("envelope.timestamps-without-zone", envelope.timestamp).short(
    "Moments are written without their zone.", lambda usual, moment: usual(moment).removesuffix("Z")
)

fault = Breaking(faults, "envelope.success-status", "envelope.documented-status")
fault("envelope.created-201", update.answered).short(
    "An update answers 201, as the creation does.", lambda usual, wanted, rule: usual(wanted, rule).having(status=201)
)
fault("envelope.accepted-202", update.answered).short(
    "An update answers 202, because it is queued.", lambda usual, wanted, rule: usual(wanted, rule).having(status=202)
)

fault = Breaking(faults, "envelope.error")
_no_error = ("envelope.error-code", "envelope.not-found-names-id", "validation.status", "not-found.unknown-id")
fault("envelope.error-flat", envelope.error_envelope, *_no_error).short(
    "Code and message stand at the top level of the body.", lambda usual, call, reply, error: dict(error)
)
fault("envelope.error-as-text", envelope.error_envelope, *_no_error).short(
    "`error` is the message itself.", lambda usual, call, reply, error: {"error": error["message"]}
)
fault("envelope.data-beside-error", envelope.error_envelope, "validation.status").short(
    "A refusal carries an empty `data` object.",
    lambda usual, call, reply, error: {**usual(call, reply, error), "data": {}},
)
fault("envelope.empty-message", errors.unauthorized).short(
    "The 401 has an empty message.", lambda usual, given: altered(usual(given), {"message": ""})
)


@fault("envelope.framework-refusal", errors.invalid, "validation.status")
def framework_refusal(usual: Callable[[str], Refused], message: str) -> Refused:
    """Refused bodies are answered in the web framework's own form."""
    detail = json.dumps({"detail": [{"loc": ["body"], "msg": message}]}).encode()
    return Refused(Reply(status=usual(message).reply.status, instead=("application/json", detail)))


fault("envelope.malformed-json-in-plain-text", errors.malformed, "validation.status").short(
    "Malformed JSON is answered by the body parser, in plain text.",
    lambda usual, message: Refused(Reply(status=400, instead=("text/plain; charset=utf-8", b"Bad Request"))),
)


def _for(accepts: bytes, media_type: str, content: bytes) -> Later[Call, Reply]:
    """Answer refusals by a page of the framework's own where the client takes one."""

    async def stand_in(usual: Callable[[Call], Awaitable[Reply]], call: Call) -> Reply:
        try:
            return await usual(call)
        except Refused as refused:
            if accepts not in (call.request.first(b"accept") or b""):
                raise
            raise Refused(refused.reply.having(instead=(media_type, content))) from refused

    return stand_in


fault("envelope.html-for-browsers", endpoints.handle, "validation.status", "envelope.code-stable").short(
    "Who takes HTML gets the framework's error page.",
    _for(b"text/html", "text/html; charset=utf-8", b"<h1>Bad Request</h1>"),
)
fault("envelope.xml-where-taken", endpoints.handle, "validation.status", "envelope.code-stable").short(
    "Who takes XML gets errors in it.", _for(b"application/xml", "application/xml", b"<error/>")
)

fault = Breaking(faults, "envelope.error-code")
fault("envelope.forbidden-as-unauthorized", errors.forbidden).short(
    "A 403 carries the code of a 401.", lambda usual: altered(usual(), {"code": "unauthorized"})
)
fault("envelope.code-not-found", errors.rule_not_found).short(
    "A 404 carries `not_found`.", lambda usual, rule_id: altered(usual(rule_id), {"code": "not_found"})
)
fault("envelope.code-is-status", envelope.error_envelope).short(
    "The code is the status as text.",
    lambda usual, call, reply, error: usual(call, reply, {**error, "code": str(reply.status)}),
)
fault("envelope.code-upper-case", envelope.error_envelope).short(
    "Codes are written in upper case.",
    lambda usual, call, reply, error: usual(call, reply, {**error, "code": error["code"].upper()}),
)

fault = Breaking(faults, "envelope.not-found-names-id")
fault("envelope.not-found-generic", errors.rule_not_found).short(
    "The 404 speaks of a resource without naming it.",
    lambda usual, rule_id: altered(usual(rule_id), {"message": "The requested resource was not found."}),
)
fault("envelope.not-found-names-another", errors.rule_not_found).short(
    "The 404 names the id of the documentation's example.", lambda usual, rule_id: usual("rule_123")
)

fault = Breaking(faults, "envelope.content-type")
fault("envelope.text-plain", envelope.media_type).short(
    "Every answer is declared as text/plain.", lambda usual, reply: "text/plain; charset=utf-8"
)
fault("envelope.errors-as-html", envelope.media_type).short(
    "Refusals are declared as text/html.",
    lambda usual, reply: usual(reply) if reply.error is None else "text/html; charset=utf-8",
)
fault("envelope.no-content-type", envelope.headers).short(
    "Answers have no Content-Type.",
    lambda usual, call, reply, body: [pair for pair in usual(call, reply, body) if pair[0] != b"content-type"],
)

fault = Breaking(faults, "envelope.no-server-error")
fault("envelope.null-nickname-crash", values.text, "update.accepts-valid", "update.omitted-is-cleared").short(
    "The nickname is trimmed without asking whether it is null.",
    crash_if(lambda node: node.pointer == "/nickname" and node.value is None),
)
fault("envelope.nul-text-crash", values.text, "update.accepts-valid").short(
    "The database driver fails on NUL in text.", crash_if(lambda node: type(node.value) is str and "\0" in node.value)
)
fault("envelope.own-property-crash", triggers.trigger).short(
    "The trigger is asked for its own properties by a method that it may have been sent with another value.",
    crash_if(lambda node: isinstance(node.value, dict) and "hasOwnProperty" in node.value),
)
fault("envelope.empty-steps-crash", body.steps, "update.accepts-valid").short(
    "The first step is looked at without asking whether there is one.", crash_if(lambda node: node.value == [])
)
fault("envelope.null-among-steps-crash", body.steps, "validation.type", "validation.status").short(
    "A step after the first is looked into without asking whether it is null.",
    crash_if(lambda node: isinstance(node.value, list) and None in node.value[1:]),
)
_unbounded = ("validation.bounds", "validation.status", "update.amounts-exact")
fault("envelope.big-number-crash", values.in_range, *_unbounded).short(
    "An integer that does not fit the 64-bit column fails in the driver.",
    crash_if(lambda value, pointer: value >= 2**63),
)


@fault("envelope.surrogate-crash", syntax.without_lone_surrogates, "validation.encoding", "validation.status")
def surrogate_crash(usual: Callable[[Json], Json], value: Json) -> Json:
    """A lone surrogate fails when the text is encoded."""
    try:
        return usual(value)
    except Refused:
        raise Crashed from None


fault = Breaking(faults, "envelope.well-formed", "envelope.success")
fault("envelope.name-twice", envelope.encoded, "request-id.echo-body", "request-id.generated").short(
    "The logging middleware writes `request_id` a second time.",
    lambda usual, envelope: usual(envelope)[:-1] + b',"request_id":"req_again","request_id":"req_again"}',
)
fault("envelope.nan", envelope.encoded, "envelope.error").short(
    "The time taken is written as NaN.", lambda usual, envelope: usual(envelope)[:-1] + b',"elapsed":NaN}'
)


@fault("envelope.length-in-characters", envelope.written_out, "update.accepts-valid")
def length_in_characters(usual: Callable[[Call, Reply], Written], call: Call, reply: Reply) -> Written:
    """Content-Length counts characters, so that non-ASCII answers are cut off."""
    answer = usual(call, reply)
    length = len(answer.body.decode())
    headers = [(name, str(length).encode() if name == b"content-length" else value) for name, value in answer.headers]
    return Written(answer.status, tuple(headers), answer.body[:length])


fault("envelope.latin-1", envelope.encoded, "update.accepts-valid", "update.replaces").short(
    "Answers are encoded in Latin-1.", lambda usual, envelope: usual(envelope).decode().encode("latin-1", "replace")
)

fault = Breaking(faults, "envelope.no-leak")
fault("envelope.key-in-401", errors.unauthorized).short(
    "The 401 repeats the Authorization header that it refuses.",
    lambda usual, given: altered(usual(given), {"message": f"Invalid API key '{given}'."}) if given else usual(given),
)
_QUERY = " SELECT * FROM rules WHERE id = '{}' AND deleted_at IS NULL"
fault("envelope.sql-in-404", errors.rule_not_found).short(
    "The 404 shows the query that found nothing.",
    lambda usual, rule_id: altered(usual(rule_id), {"message": (errors.NOT_FOUND + _QUERY).format(rule_id, rule_id)}),
)
fault("envelope.stack-trace", errors.invalid).short(
    "Refusals of a body end with a stack trace.",
    lambda usual, message: usual(
        f"{message}\nTraceback (most recent call last):\n{''.join(traceback.format_stack(limit=3))}"
    ),
)
fault("envelope.file-path", errors.invalid).short(
    "Refusals of a body name the source file that refuses.",
    lambda usual, message: usual(f"{message} (/srv/rules-api/app/validators/rule.py, line 118)"),
)

fault = Breaking(faults, "envelope.documented-status")
fault("envelope.not-acceptable-406", errors.unsupported_media_type, "validation.media-type", "validation.status").short(
    "Another Content-Type is answered 406, which is about Accept.",
    lambda usual: errors.refusal(406, "not_acceptable", "The body must be sent as application/json."),
)
fault("envelope.precondition-required-428", idempotency.key_of).short(
    "An empty Idempotency-Key is answered 428.",
    refuse_if(
        lambda request: request.first(b"idempotency-key") == b"",
        lambda request: errors.refusal(428, "precondition_required", "Idempotency-Key must not be empty."),
    ),
)
_refused = itertools.count(1)


def _is_other_replica() -> bool:
    """Whether the other of two replicas answers; in no pattern that a client's own rhythm could match."""
    return next(_refused).bit_count() % 2 == 0


fault = Breaking(faults, "envelope.code-stable")
fault("envelope.code-varies", errors.invalid).short(
    "Two replicas of different versions write different codes for an invalid body.",
    lambda usual, message: altered(usual(message), {"code": "bad_request"} if _is_other_replica() else {}),
)
fault("envelope.status-varies", errors.invalid, "validation.status").short(
    "Two replicas of different versions answer 400 and 422 to an invalid body.",
    lambda usual, message: altered(usual(message), status=422) if _is_other_replica() else usual(message),
)

fault = Breaking(faults, "envelope.no-server-error")


def _is_cut_within(node: Node) -> bool:
    content = node.value.encode("utf-8", "surrogatepass") if isinstance(node.value, str) else b""
    return len(content) > _COLUMN and content[_COLUMN] & 0xC0 == 0x80


_COLUMN = 64
fault("envelope.slice-within-a-character-crash", values.text).short(
    "A nickname is cut for the log at 64 bytes, which may be within a character.",
    crash_if(lambda node: node.name == "nickname" and _is_cut_within(node)),
)
