"""The API as an ASGI application: reads a request, has it handled, writes one answer."""

import asyncio
import random
import sys
import traceback

import msgspec
from starlette.types import Receive, Scope, Send

from rules_harness.harness.reference import calls, endpoints, envelope, syntax
from rules_harness.harness.reference.calls import call_of
from rules_harness.harness.reference.messages import Crashed, Incoming, Refused, Reply, Written
from rules_harness.harness.reference.service import Service

_INTERNAL_ERROR = Reply(status=500, error={"code": "internal_error", "message": "Something went wrong."})


class Api:
    """The endpoints of the contract over one service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = self._service
        service.in_flight += 1
        try:
            request = await _read(scope, receive)
            pause = service.latency_ms / 1000 * random.uniform(0.25, 0.75)
            if pause:
                await asyncio.sleep(pause)
            answer = await self._answer(request)
            if pause:
                await asyncio.sleep(pause)
        finally:
            service.in_flight -= 1
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, request: Incoming) -> Written:
        call = call_of(self._service, request)
        try:
            call = msgspec.structs.replace(call, request_id=calls.request_id_of(request))
            reply = await endpoints.handle(call)
        except Refused as refused:
            reply = refused.reply
        except Crashed:
            reply = _INTERNAL_ERROR
        except Exception:  # noqa: BLE001 - a mistake of this server is a 500 to the client, and shown on stderr
            traceback.print_exc(file=sys.stderr)
            reply = _INTERNAL_ERROR
        return envelope.written_out(call, reply)


async def _read(scope: Scope, receive: Receive) -> Incoming:
    """The whole request; of a body that is too large, enough to see that it is."""
    body, size, more = [], 0, True
    while more:
        message = await receive()
        chunk = message.get("body", b"")
        if size <= syntax.bounds().size:
            body.append(chunk)
        size += len(chunk)
        more = message.get("more_body", False)
    return Incoming(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=tuple(scope["headers"]),
        body=b"".join(body),
    )
