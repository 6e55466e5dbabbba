"""A small server of mandates.yaml, with faults and variants that are switched on by name."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FAULTS: Final = {
    "keeps-active": "status.enabled-becomes-disabled",
    "says-paused-stores-active": "status.stored",
    "amounts-shortened": "update.replaces",
    "ids-ignored": "idempotency.no-reexecution",
    "other-body-executed": "idempotency.reuse-not-executed",
    "correlation-on-success-only": "request-id.on-errors",
    "correlation-rewritten": "request-id.echo-header",
    "error-flat": "envelope.error",
    "codes-lower-case": "envelope.error-code",
    "anonymous-is-first": "auth.missing",
    "other-people-update": "authz.organization",
    "refused-in-part": "validation.atomic",
    "left-out-is-cleared": "update.omitted-stays",
}
"""Each fault with the requirement that it breaks."""
VARIANTS: Final = (
    "whole-seconds",
    "other-people-403",
    "reuse-is-original",
    "errors-have-more",
    "scheme-in-lower-case",
    "unknown-refused",
    "nulls-left-out",
)
KEYS: Final = {
    "MANDATES_FULL": "full-5f0c2a91e7",
    "MANDATES_LIMITED": "limited-93bd41c2aa",
    "MANDATES_READER": "reader-7c1e00d9b4",
    "MANDATES_OTHERS": "others-e2a7715c0f",
}
"""By environment variable."""
FIRST, SECOND, THIRD, FOREIGN = (str(uuid.UUID(int=number << 64 | 0x4000 << 64 | 8 << 60)) for number in range(1, 5))
PERSON: Final = "person-1"
PROFILE: Final = """
[target]
name = "mandates"
base_url = "{url}/people/person-1"
[credentials.full]
key_env = "MANDATES_FULL"
[credentials.limited]
key_env = "MANDATES_LIMITED"
[credentials.read_only]
key_env = "MANDATES_READER"
[credentials.other_org]
key_env = "MANDATES_OTHERS"
[rules]
writable = ["{first}", "{second}"]
limited = "{third}"
other_org = "{foreign}"
[hooks]
enable_rule = {{ method = "POST", url = "{url}/operator/{{rule_id}}/activate" }}
[limits]
requests_per_second = 2000
"""
_PLAIN: Final = re.compile(r"[!-~]{1,64}")
_MONEY: Final = re.compile(r"(0|[1-9][0-9]{0,9})[.][0-9]{2}")
_CODES: Final = {401: "UNAUTHENTICATED", 403: "NOT_ALLOWED", 404: "NO_SUCH_MANDATE", 409: "ID_REUSED"}
_FIELDS: Final = ("label", "purpose", "state", "limitAmount", "currency")


class Refused(Exception):
    def __init__(self, status: int, title: str) -> None:
        super().__init__(title)
        self.status = status


class Mandates:
    """What the server knows; one request at a time."""

    def __init__(self, switched_on: Iterable[str]) -> None:
        self.on = frozenset(switched_on)
        assert self.on <= {*FAULTS, *VARIANTS}
        self.lock = threading.Lock()
        self.answers: dict[tuple[str, str, str], tuple[bytes, int, bytes]] = {}
        self.stored = {id: self._new(id) for id in (FIRST, SECOND, THIRD, FOREIGN)}
        self.shown: dict[str, str] = {}

    def _new(self, id: str) -> dict[str, Any]:
        now = self._now()
        fields = {"label": "Rent", "purpose": None, "state": "PAUSED", "limitAmount": "900.00", "currency": "GBP"}
        return {"mandateId": id, **fields, "createdAt": now, "updatedAt": now}

    def _now(self) -> str:
        precision = "seconds" if "whole-seconds" in self.on else "milliseconds"
        return datetime.now(UTC).isoformat(timespec=precision).replace("+00:00", "Z")

    async def answer(self, request: Request) -> Response:
        sent = request.headers.get("x-correlation-id", "")
        correlation = sent if _PLAIN.fullmatch(sent) and "correlation-rewritten" not in self.on else str(uuid.uuid4())
        body = await request.body()
        with self.lock:
            try:
                status, content = self._answered(request, body)
            except Refused as refusal:
                status, content = refusal.status, self._problem(refusal)
        headers = {"X-Correlation-Id": correlation, "Content-Type": "application/json"}
        if status >= 400 and "correlation-on-success-only" in self.on:
            del headers["X-Correlation-Id"]
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if status == 405:
            headers["Allow"] = "GET, PATCH"
        return Response(content, status, headers)

    def _problem(self, refusal: Refused) -> bytes:
        code = _CODES.get(refusal.status, "INVALID")
        entry = {"title": str(refusal), "code": code.lower() if "codes-lower-case" in self.on else code}
        more = {"help": "https://api.payments.example/help"} if "errors-have-more" in self.on else {}
        return _encoded(entry if "error-flat" in self.on else {"errors": [entry | more]} | more)

    def _answered(self, request: Request, body: bytes) -> tuple[int, bytes]:
        caller = self._caller(request.headers.getlist("authorization"))
        id = self._permitted(caller, request)
        if request.method == "GET":
            return 200, _encoded({"mandate": self._view(id)})
        if request.method != "PATCH":
            raise Refused(405, "GET and PATCH are answered here.")
        key = request.headers.get("idempotency-id")
        if key is None or "ids-ignored" in self.on:
            return 200, self._change(id, request, body)
        known = self.answers.get((caller, id, key))
        if known is not None and "other-body-executed" in self.on and known[0] != body:
            known = None
        if known is not None:
            if known[0] != body and "reuse-is-original" not in self.on:
                raise Refused(409, "This id came with another body before.")
            return known[1], known[2]
        content = self._change(id, request, body)
        self.answers[caller, id, key] = (body, 200, content)
        return 200, content

    def _caller(self, values: list[str]) -> str:
        if not values and "anonymous-is-first" in self.on:
            return "MANDATES_FULL"
        scheme, _, key = values[0].partition(" ") if len(values) == 1 else ("", "", "")
        fits = scheme == "Bearer" or ("scheme-in-lower-case" in self.on and scheme.lower() == "bearer")
        names = [name for name, known in KEYS.items() if known == key]
        if not fits or not names:
            raise Refused(401, "A valid token is needed.")
        return names[0]

    def _permitted(self, caller: str, request: Request) -> str:
        parts = request.scope["path"].split("/")
        id = parts[-1] if parts[:-1] == ["", "people", PERSON, "mandates"] else ""
        own = {FOREIGN} if caller == "MANDATES_OTHERS" else {FIRST, SECOND, THIRD}
        is_others = id in self.stored and id not in own
        if is_others and "other-people-403" in self.on:
            raise Refused(403, "It is somebody else's.")
        if id not in self.stored or (is_others and "other-people-update" not in self.on):
            raise Refused(404, f"There is no mandate {id[:80]}.")
        writes = request.method not in ("GET", "HEAD")
        if writes and (caller == "MANDATES_READER" or (caller == "MANDATES_LIMITED" and id != THIRD)):
            raise Refused(403, "This token may not change it.")
        return id

    def _view(self, id: str) -> dict[str, Any]:
        return self._shown(self.stored[id])

    def _shown(self, mandate: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in mandate.items() if value is not None or "nulls-left-out" not in self.on}

    def _change(self, id: str, request: Request, body: bytes) -> bytes:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refused(415, "Send application/json.")
        before = self.stored[id]
        change = self._read(body)
        try:
            self._validate(change)
        except Refused:
            if "refused-in-part" in self.on and isinstance(change.get("label"), str):
                self.stored[id] = {**before, "label": change["label"][:140]}
            raise
        change = {name: value for name, value in change.items() if name in _FIELDS}
        if "amounts-shortened" in self.on and "limitAmount" in change:
            change["limitAmount"] = change["limitAmount"].removesuffix("0")
        if "left-out-is-cleared" in self.on:
            change = {"label": None, "purpose": None, **change}
        is_kept = before["state"] == "ACTIVE" and "keeps-active" in self.on
        after = {**before, **change, "state": "ACTIVE" if is_kept else "PAUSED", "updatedAt": self._now()}
        self.stored[id] = after
        shown = self._shown(after)
        if "says-paused-stores-active" in self.on and before["state"] == "ACTIVE":
            self.stored[id] = {**after, "state": "ACTIVE"}
        return _encoded({"mandate": shown})

    def _read(self, body: bytes) -> dict[str, Any]:
        try:
            value = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError):
            raise self._invalid("The body is not JSON.") from None
        if not isinstance(value, dict):
            raise self._invalid("The body is not an object.")
        return value

    def _validate(self, change: Mapping[str, Any]) -> None:
        if "unknown-refused" in self.on and set(change) - set(_FIELDS):
            raise self._invalid("There is a field that nobody knows.")
        for name, longest in (("label", 140), ("purpose", 500)):
            value = change.get(name)
            if value is not None and not (isinstance(value, str) and len(value) <= longest):
                raise self._invalid(f"{name} is a text of at most {longest} characters.")
        for name, allowed in (("state", ("ACTIVE", "PAUSED")), ("currency", ("EUR", "GBP"))):
            if name in change and change[name] not in allowed:
                raise self._invalid(f"{name} is one of {', '.join(allowed)}.")
        amount = change.get("limitAmount", "0.00")
        if not (isinstance(amount, str) and _MONEY.fullmatch(amount)):
            raise self._invalid("limitAmount is a decimal with two places.")

    def _invalid(self, title: str) -> Refused:
        return Refused(422, title)

    async def activate(self, request: Request) -> Response:
        with self.lock:
            id = request.path_params["id"]
            self.stored[id] = {**self.stored[id], "state": "ACTIVE"}
        return Response(status_code=204)


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


@contextmanager
def serving(*switched_on: str) -> Iterator[str]:
    """The URL of a server inside the `with` block."""
    mandates = Mandates(switched_on)
    methods = ["GET", "HEAD", "PATCH", "POST", "PUT"]
    routes = [
        Route("/operator/{id}/activate", mandates.activate, methods=["POST"]),
        Route("/{path:path}", mandates.answer, methods=methods),
    ]
    config = uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=0, log_level="critical", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def profile_of(url: str) -> str:
    """The profile of a server at a URL."""
    return PROFILE.format(url=url, first=FIRST, second=SECOND, third=THIRD, foreign=FOREIGN)
