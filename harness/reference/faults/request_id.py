"""Faults of the family request-id."""

import re
import time
from collections.abc import Callable

from msgspec.structs import replace

from rules_harness.harness.reference import calls, envelope, syntax
from rules_harness.harness.reference.calls import LONGEST, VISIBLE, Call, is_fit, sent
from rules_harness.harness.reference.envelope import Headers
from rules_harness.harness.reference.messages import Incoming, Json, Refused, Reply, Written
from rules_harness.harness.reference.stand_ins import Breaking, PlantedFault, crash_if

faults: list[PlantedFault] = []
_UUID = re.compile(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _if_sent(call: Call, request_id: str) -> dict[str, Json]:
    return {"request_id": request_id} if sent(call.request) else {}


def _is_json(content: bytes) -> bool:
    try:
        syntax.parse(content)
    except Refused:
        return False
    return True


def _has_key(call: Call) -> bool:
    return call.request.first(b"idempotency-key") is not None


def _with_new_id() -> Headers:
    return [(b"x-request-id", calls.generated().encode())]


fault = Breaking(faults, "request-id.echo-header")
fault("request-id.header-new", envelope.request_id_headers).short(
    "The header carries an id of the gateway's own, only the body echoes.",
    lambda usual, call, reply: _with_new_id() if sent(call.request) and reply.error is None else usual(call, reply),
)
_echoed_nowhere = ("request-id.on-errors", "request-id.generated")
fault("request-id.header-lower-cased", envelope.request_id_headers, *_echoed_nowhere).short(
    "The gateway writes the id in lower case into the header.",
    lambda usual, call, reply: [(name, value.lower()) for name, value in usual(call, reply)],
)
fault("request-id.cut-at-36", calls.request_id_of, "request-id.echo-body", "request-id.on-errors").short(
    "Ids are stored in a column of 36 characters.", lambda usual, request: usual(request)[:36]
)
fault("request-id.uuid-only", calls.request_id_of, "request-id.echo-body", "request-id.on-errors").short(
    "Ids that are not UUIDs are replaced.",
    lambda usual, request: usual(request) if all(map(_UUID.fullmatch, sent(request))) else calls.generated(),
)
fault("request-id.uuids-in-lower-case", calls.request_id_of, "request-id.echo-body", "request-id.on-errors").short(
    "An id that is a UUID is written in lower case.",
    lambda usual, request: id.lower() if _UUID.fullmatch((id := usual(request)).encode()) else id,
)
fault("request-id.zero-is-none", calls.request_id_of, "request-id.echo-body", "request-id.on-errors").short(
    "The id `0` is taken for none.",
    lambda usual, request: calls.generated() if (id := usual(request)) == "0" else id,
)
fault("request-id.body-only", envelope.request_id_headers, "request-id.generated").short(
    "A success has no X-Request-ID header.",
    lambda usual, call, reply: [] if reply.error is None else usual(call, reply),
)

fault("request-id.header-twice", envelope.request_id_headers, "request-id.on-errors", "request-id.generated").short(
    "Gateway and application each send the header, the gateway with an id of its own.",
    lambda usual, call, reply: [*usual(call, reply), (b"x-request-id", calls.generated().encode())],
)
fault("request-id.header-twice-on-replies-with-key", envelope.request_id_headers, "request-id.on-errors").short(
    "The idempotent path adds a second header with the key.",
    lambda usual, call, reply: [
        *usual(call, reply),
        *([(b"x-request-id", key)] if (key := call.request.first(b"idempotency-key")) and key.isascii() else []),
    ],
)

fault = Breaking(faults, "request-id.echo-body")
fault("request-id.body-new", envelope.success_envelope).short(
    "The body carries an id of the application's own, only the header echoes.",
    lambda usual, call, reply: {**usual(call, reply), **_if_sent(call, calls.generated())},
)
fault("request-id.body-prefixed", envelope.success_envelope).short(
    "The body's id gets the prefix `req_`.",
    lambda usual, call, reply: {**usual(call, reply), **_if_sent(call, f"req_{usual(call, reply)['request_id']}")},
)

fault = Breaking(faults, "request-id.generated")


@fault("request-id.none-made", envelope.written_out, "envelope.success", "request-id.unique", "request-id.on-errors")
def none_made(usual: Callable[[Call, Reply], Written], call: Call, reply: Reply) -> Written:
    """Without a client's id there is none."""
    if sent(call.request):
        return usual(call, reply)
    answer = usual(replace(call, request_id=""), reply)
    return replace(answer, headers=tuple(pair for pair in answer.headers if pair[0] != b"x-request-id"))


fault("request-id.two-made", envelope.request_id_headers).short(
    "Gateway and application each make an id of their own.",
    lambda usual, call, reply: usual(call, reply) if sent(call.request) else _with_new_id(),
)

fault = Breaking(faults, "request-id.unique")
fault("request-id.constant", calls.generated).short(
    "The generated id is the one of the documentation's example.", lambda usual: "req_01HXYZ4444"
)
fault("request-id.from-the-second", calls.generated).short(
    "The generated id is the second of the clock.", lambda usual: f"req_{int(time.time())}"
)

fault = Breaking(faults, "request-id.on-errors")
fault("request-id.on-success-only", envelope.request_id_headers).short(
    "Only successes carry the header.", lambda usual, call, reply: usual(call, reply) if reply.error is None else []
)
fault("request-id.lost-with-key", envelope.request_id_headers).short(
    "The middleware of keys answers what is no JSON itself, without the id.",
    lambda usual, call, reply: [] if _has_key(call) and not _is_json(call.request.body) else usual(call, reply),
)
fault("request-id.new-on-404-with-key", envelope.request_id_headers).short(
    "The middleware of keys looks the rule up itself, under an id of its own.",
    lambda usual, call, reply: _with_new_id() if _has_key(call) and reply.status == 404 else usual(call, reply),
)
fault("request-id.new-on-errors", envelope.request_id_headers).short(
    "Refusals carry a new id instead of the client's.",
    lambda usual, call, reply: usual(call, reply) if reply.error is None else _with_new_id(),
)
fault("request-id.not-on-401", envelope.request_id_headers).short(
    "The header is added after authentication.",
    lambda usual, call, reply: [] if reply.status == 401 else usual(call, reply),
)
fault("request-id.not-on-refusals-of-bodies", envelope.request_id_headers).short(
    "The body parser answers before the header is added.",
    lambda usual, call, reply: [] if reply.status in (400, 422) else usual(call, reply),
)

fault = Breaking(faults, "request-id.hostile")
fault("request-id.non-ascii-crash", calls.request_id_of, "envelope.no-server-error").short(
    "A non-ASCII id fails in the ASCII codec.",
    crash_if(lambda request: not all(value.isascii() for value in sent(request)[:1])),
)
fault("request-id.odd-cut", calls.request_id_of).short(
    "An id that is too long is cut.",
    lambda usual, request: (
        value[:LONGEST].decode()
        if len(value := b"".join(sent(request)[:1])) > LONGEST and value.isascii()
        else usual(request)
    ),
)


@fault("request-id.odd-characters-dropped", calls.request_id_of)
def odd_characters_dropped(usual: Callable[[Incoming], str], request: Incoming) -> str:
    """Odd characters are dropped from the id."""
    values = sent(request)
    if not values or is_fit(values):
        return usual(request)
    return bytes(byte for byte in values[0] if byte in VISIBLE).decode("ascii") or calls.generated()
