"""Answers to bytes: the page's envelope, the headers around it."""

from collections.abc import Callable

import msgspec

from rules_harness.harness.reference.messages import Answer, Json, Written
from rules_harness.harness.reference.request_ids import generated
from rules_harness.harness.reference.switches import fault, variant


def written(answer: Answer, request_id: str, *, client_sent_id: bool) -> Written:
    """The answer as it goes over the wire, under that request id."""
    if fault("request-id.none-made") and not client_sent_id:
        request_id = ""
    media_type, body = answer.instead or ("application/json", _encoded(_envelope(answer, request_id, client_sent_id)))
    headers = [*_content_headers(answer, media_type, body), *_request_id_headers(answer, request_id, client_sent_id)]
    headers += ((name.encode(), value.encode()) for name, value in answer.headers)
    if variant("headers.more"):
        headers += ((b"cache-control", b"no-store"), (b"etag", b'W/"7f3a"'), (b"x-content-type-options", b"nosniff"))
        headers += ((b"vary", b"Authorization"), (b"set-cookie", b"lb=node-2; Path=/; HttpOnly"))
    if fault("envelope.length-in-characters"):
        body = body[: len(body.decode())]
        headers = [(name, str(len(body)).encode() if name == b"content-length" else value) for name, value in headers]
    return Written(answer.status, tuple(headers), body)


def _content_headers(answer: Answer, media_type: str, body: bytes) -> list[tuple[bytes, bytes]]:
    if variant("content-type.charset") and media_type == "application/json":
        media_type = "application/json; charset=utf-8"
    if fault("envelope.text-plain"):
        media_type = "text/plain; charset=utf-8"
    if fault("envelope.errors-as-html") and answer.error is not None:
        media_type = "text/html; charset=utf-8"
    headers = [(b"content-type", media_type.encode())]
    if fault("envelope.no-content-type"):
        headers = []
    if not variant("headers.chunked"):
        headers.append((b"content-length", str(len(body)).encode()))
    return headers


def _request_id_headers(answer: Answer, request_id: str, client_sent_id: bool) -> list[tuple[bytes, bytes]]:
    if not request_id or _without_request_id_header(answer):
        return []
    value = request_id
    if variant("replayed-request-id.original-everywhere"):
        value = answer.request_id or request_id
    if fault("request-id.header-new") and client_sent_id and answer.error is None:
        value = generated()
    if fault("request-id.header-lower-cased"):
        value = request_id.lower()
    if fault("request-id.new-on-errors") and answer.error is not None:
        value = generated()
    if fault("request-id.two-made") and not client_sent_id:
        value = generated()
    return [(b"x-request-id", value.encode())]


def _without_request_id_header(answer: Answer) -> bool:
    return (
        (fault("request-id.body-only") and answer.error is None)
        or (fault("request-id.on-success-only") and answer.error is not None)
        or (fault("request-id.not-on-401") and answer.status == 401)
        or (fault("request-id.not-on-refusals-of-bodies") and answer.status in (400, 422))
    )


def _envelope(answer: Answer, request_id: str, client_sent_id: bool) -> Json:
    if answer.error is not None:
        return _error_envelope(answer.status, dict(answer.error), request_id)
    envelope: dict[str, Json] = {"request_id": answer.request_id or request_id, "data": answer.data}
    for change in _SUCCESS_FAULTS:
        change(envelope, client_sent_id)
    if variant("extra-fields.envelope"):
        envelope["meta"] = {"api_version": "v1"}
    return answer.data if fault("envelope.bare-rule") else envelope


def _faulty_request_id(envelope: dict[str, Json], client_sent_id: bool) -> None:
    if fault("request-id.body-new") and client_sent_id:
        envelope["request_id"] = generated()
    if fault("request-id.body-prefixed") and client_sent_id:
        envelope["request_id"] = f"req_{envelope['request_id']}"
    if fault("envelope.request-id-empty"):
        envelope["request_id"] = ""
    if fault("envelope.request-id-left-out"):
        del envelope["request_id"]


def _faulty_data(envelope: dict[str, Json], client_sent_id: bool) -> None:
    if fault("envelope.data-in-list"):
        envelope["data"] = [envelope["data"]]
    if fault("envelope.error-beside-data"):
        envelope["error"] = {"code": "ok", "message": "Success."}


_SUCCESS_FAULTS: tuple[Callable[[dict[str, Json], bool], None], ...] = (_faulty_request_id, _faulty_data)


def _error_envelope(status: int, error: dict[str, Json], request_id: str) -> dict[str, Json]:
    if fault("envelope.code-is-status"):
        error["code"] = str(status)
    if fault("envelope.code-upper-case"):
        error["code"] = error["code"].upper()
    if variant("extra-fields.error"):
        error |= {"details": [], "documentation": "https://docs.example.com/errors"}
    envelope: dict[str, Json] = {"error": error}
    if variant("error-request-id.present"):
        envelope["request_id"] = request_id
    if fault("envelope.data-beside-error"):
        envelope["data"] = {}
    if fault("envelope.error-flat"):
        return error
    if fault("envelope.error-as-text"):
        return {"error": error["message"]}
    return envelope


def _encoded(envelope: Json) -> bytes:
    body = msgspec.json.encode(envelope)
    if fault("envelope.name-twice"):
        body = body[:-1] + b',"request_id":"req_again","request_id":"req_again"}'
    if fault("envelope.nan"):
        body = body[:-1] + b',"elapsed":NaN}'
    if fault("envelope.latin-1"):
        body = body.decode().encode("latin-1", "replace")
    return body
