"""Rules to JSON, and replies to bytes: the page's envelope, the headers around it."""

from datetime import datetime

import msgspec

from rules_harness.harness.reference.calls import Call
from rules_harness.harness.reference.messages import Json, Reply, Written
from rules_harness.harness.reference.rules import Rule
from rules_harness.harness.reference.steps import step

Headers = list[tuple[bytes, bytes]]


@step
def rule_data(rule: Rule) -> dict[str, Json]:
    """The 'data' of an answer about a rule, with the fields of the page's example in its order."""
    return {
        "id": rule.id,
        "nickname": rule.nickname,
        "description": rule.description,
        "status": rule.status,
        "trigger": rule.trigger,
        "steps": rule.steps,
        "created_at": timestamp(rule.created_at),
        "updated_at": timestamp(rule.updated_at),
        **rule.extras,
    }


@step
def timestamp(moment: datetime) -> Json:
    """A server-made moment in RFC 3339, as in '"created_at": "2024-03-01T10:00:00Z"'."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@step
def written_out(call: Call, reply: Reply) -> Written:
    """The reply as it goes over the wire."""
    if reply.instead is not None:
        body = reply.instead[1]
    elif reply.error is not None:
        body = encoded(error_envelope(call, reply, reply.error))
    else:
        body = encoded(success_envelope(call, reply))
    return Written(reply.status, tuple(headers(call, reply, body)), body)


@step
def success_envelope(call: Call, reply: Reply) -> dict[str, Json]:
    """'request_id' and 'data'; 'X-Request-ID' is 'echoed back in the response `X-Request-ID` header and `request_id`
    body field'."""
    return {"request_id": reply.request_id or call.request_id, "data": reply.data}


@step
def error_envelope(call: Call, reply: Reply, error: Json) -> dict[str, Json]:
    """'error' with 'code' and 'message'."""
    return {"error": error}


@step
def encoded(envelope: Json) -> bytes:
    """The envelope as JSON in UTF-8."""
    return msgspec.json.encode(envelope)


@step
def headers(call: Call, reply: Reply, body: bytes) -> Headers:
    """Every header of an answer."""
    own = [(name.encode(), value.encode()) for name, value in reply.headers]
    content = [(b"content-type", media_type(reply).encode()), (b"content-length", str(len(body)).encode())]
    return [*content, *request_id_headers(call, reply), *own]


@step
def media_type(reply: Reply) -> str:
    """'Response Body', 'application/json'."""
    return "application/json" if reply.instead is None else reply.instead[0]


@step
def request_id_headers(call: Call, reply: Reply) -> Headers:
    """'echoed back in the response `X-Request-ID` header', on refusals too."""
    return [(b"x-request-id", call.request_id.encode())]
