"""The API as an ASGI application: reads a request, decides in one order, writes one answer.

The order: authentication, path and method, permission and existence, media type and size, idempotency, body, execution.
"""

import asyncio
import itertools
import random
import sys
import traceback

from starlette.types import Receive, Scope, Send

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.auth import authenticate
from rules_harness.harness.reference.companions import get_rule, trigger_rule
from rules_harness.harness.reference.envelope import written
from rules_harness.harness.reference.headers import check_headers
from rules_harness.harness.reference.messages import Answer, Crashed, Incoming, Refused, Written
from rules_harness.harness.reference.putting import put_rule
from rules_harness.harness.reference.refusing import key_or_none, without_credentials
from rules_harness.harness.reference.request_ids import check_request_id, request_id_of
from rules_harness.harness.reference.routing import Target, checked_id, target_of
from rules_harness.harness.reference.seed import Key
from rules_harness.harness.reference.service import Service
from rules_harness.harness.reference.switches import SWITCHES, fault, variant
from rules_harness.harness.reference.syntax import LARGEST_BODY

_BUSY_EVERY = 397


class Api:
    """The endpoints of the contract over one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._requests = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        race = self._service.race
        race.in_flight += 1
        try:
            request = await _read(scope, receive)
            pause = SWITCHES.latency_ms / 1000 * random.uniform(0.25, 0.75)
            if pause:
                await asyncio.sleep(pause)
            answer = await self._written(request)
            if pause:
                await asyncio.sleep(pause)
        finally:
            race.in_flight -= 1
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _written(self, request: Incoming) -> Written:
        request_id = "req_unknown"
        try:
            request_id = request_id_of(request)
            answer = await self._endpoint(request, request_id)
        except Refused as refused:
            answer = refused.answer
        except Crashed:
            answer = _internal_error()
        except Exception:  # noqa: BLE001 - a mistake of this server is a 500 to the client, and shown on stderr
            traceback.print_exc(file=sys.stderr)
            answer = _internal_error()
        return written(answer, request_id, client_sent_id=request.first(b"x-request-id") is not None)

    async def _endpoint(self, request: Incoming, request_id: str) -> Answer:
        service = self._service
        self._check_load()
        check_headers(request)
        check_request_id(request)
        target = target_of(request)
        if fault("idempotency.before-authentication") and target is not None:
            stored = service.keys.answer_of_anyone(key_or_none(request), target.rule_id)
            if stored is not None:
                return stored
        try:
            caller = authenticate(request)
        except Refused as refused:
            await without_credentials(service, request, target, refused)
            raise
        if target is None:
            raise errors.path_not_found()
        return await self._on_rule(request, request_id, caller, target)

    async def _on_rule(self, request: Incoming, request_id: str, caller: Key, target: Target) -> Answer:
        service = self._service
        rule_id = checked_id(target.rule_id, service.store)
        if target.trigger:
            if request.method != "POST":
                raise errors.method_not_allowed("POST")
            return trigger_rule(service, caller, rule_id)
        if _updates(request.method):
            return await put_rule(service, request, caller, rule_id, request_id)
        if request.method == "GET":
            return get_rule(service, caller, rule_id)
        if request.method == "PATCH" and variant("patch.404"):
            raise errors.path_not_found()
        raise errors.method_not_allowed("PUT" if variant("read.405") or variant("read.404") else "GET, PUT")

    def _check_load(self) -> None:
        """Now and then a busy edge answers by itself, as proxies do."""
        if not (variant("edge.503") or variant("edge.429")) or next(self._requests) % _BUSY_EVERY:
            return
        status = 429 if variant("edge.429") else 503
        raise Refused(Answer(status=status, headers=(("Retry-After", "0"),), instead=("text/plain", b"busy\n")))


def _updates(method: str) -> bool:
    return (
        method == "PUT"
        or (method == "PATCH" and fault("http.patch-updates"))
        or (method == "POST" and fault("http.post-updates"))
    )


def _internal_error() -> Answer:
    return Answer(status=500, error={"code": "internal_error", "message": "Something went wrong."})


async def _read(scope: Scope, receive: Receive) -> Incoming:
    """The whole request; of a body that is too large, enough to see that it is."""
    body, size, more = [], 0, True
    while more:
        message = await receive()
        chunk = message.get("body", b"")
        if size <= LARGEST_BODY:
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
