"""The control plane: what a human operator would do, and the switches. It needs no key and listens on loopback only."""

from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from rules_harness.harness.reference.service import Service
from rules_harness.harness.reference.tables import ON, UnknownSwitch, switch

Handler = Callable[[Request], Awaitable[JSONResponse]]


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST clock."""

    advance_seconds: float


class Configure(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST configure; what is left out is switched off."""

    faults: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    latency_ms: int = 0


def routes(service: Service) -> list[Route]:
    """The control plane's endpoints, relative to `/__control__`."""

    async def enable(request: Request) -> JSONResponse:
        rule_id = request.path_params["rule_id"]
        rule = service.store.get(rule_id)
        if rule is None:
            return JSONResponse({"error": f"there is no rule {rule_id}"}, 404)
        enabled = service.enable(rule)
        return JSONResponse({"rule": msgspec.to_builtins(enabled)})

    async def clock(request: Request) -> JSONResponse:
        service.clock.advance(msgspec.json.decode(await request.body(), type=Advance).advance_seconds)
        return JSONResponse({"now": service.clock.now().isoformat()})

    async def reset(request: Request) -> JSONResponse:
        service.reset()
        return JSONResponse({"reset": True})

    async def configure(request: Request) -> JSONResponse:
        wanted = msgspec.json.decode(await request.body(), type=Configure)
        switch(wanted.faults, wanted.variants)
        service.latency_ms = wanted.latency_ms
        service.reset()
        return JSONResponse(msgspec.to_builtins(wanted))

    async def state(request: Request) -> JSONResponse:
        rules = {rule.id: msgspec.to_builtins(rule) for rule in service.store.all()}
        return JSONResponse(
            {
                "now": service.clock.now().isoformat(),
                **ON,
                "latency_ms": service.latency_ms,
                "rules": rules,
                "executions": service.store.executions,
                "idempotency_keys": len(service.keys),
            }
        )

    async def health(request: Request) -> JSONResponse:
        return JSONResponse({"healthy": True})

    return [
        Route("/rules/{rule_id}/enable", _answering(enable), methods=["POST"]),
        Route("/clock", _answering(clock), methods=["POST"]),
        Route("/reset", _answering(reset), methods=["POST"]),
        Route("/configure", _answering(configure), methods=["POST"]),
        Route("/state", state, methods=["GET"]),
        Route("/health", health, methods=["GET"]),
    ]


def _answering(handler: Handler) -> Handler:
    async def guarded(request: Request) -> JSONResponse:
        try:
            return await handler(request)
        except (msgspec.DecodeError, UnknownSwitch, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return guarded
