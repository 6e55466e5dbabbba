"""The operation, its companion, and the headers that it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from rules_harness.openapi.document import at, pointer
from rules_harness.openapi.draft.proposal import Proposal, role
from rules_harness.openapi.lint.questions import DURATION, KEY_NAME
from rules_harness.openapi.lint.subject import Piece, Subject
from rules_harness.openapi.operations import UPDATE

_REQUEST_ID: Final = re.compile(r"(?:request|correlation|trace|transaction)[-_]?id$", re.IGNORECASE)
_WORD_BEFORE_KEY: Final = re.compile(r"\b(\w+) [<{\[(]")
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_DAY: Final = 86_400
_REHEARSAL: Final = re.compile(r"sandbox|test|staging|stage|dev|localhost|127\.0\.0\.1|mock", re.IGNORECASE)


def request(subject: Subject) -> Iterator[Proposal]:
    """What is said of the operation as a whole, of who calls it, and of the headers."""
    operation = subject.operation
    name = operation.node.get("operationId")
    yield Proposal(operation.place, {"x-role": UPDATE}, f"it is the operation that was named, {name}")
    path = operation.place.rpartition("/")[0]
    if operation.method != "get" and "get" in at(subject.document, path):
        yield Proposal(path + "/get", {"x-companion": "read"}, "a GET on the same path reads what the update writes")
    yield from _hosts(subject)
    yield from _schemes(subject)
    yield from _headers(subject)


def _hosts(subject: Subject) -> Iterator[Proposal]:
    servers = subject.document.get("servers")
    urls = [str(server.get("url")) for server in servers if isinstance(server, dict)] if servers else []
    hosts = [host for url in urls if (host := urlsplit(url).hostname) and not _REHEARSAL.search(host)]
    reason = "servers whose names say nothing of tests: nothing is sent there without permissions.production"
    if not urls:
        yield Proposal("", {"servers": [{"url": "https://api.example"}]}, "the document names no server")
    yield Proposal("", {"x-production-hosts": hosts}, reason if hosts else "no server looks like production")


def _schemes(subject: Subject) -> Iterator[Proposal]:
    security = subject.operation.node.get("security", subject.document.get("security"))
    taken = [name for entry in security for name in entry] if isinstance(security, list) else []
    schemes = subject.under(Piece("/components", subject.document.get("components", {})), "securitySchemes")
    for name in taken or schemes.node:
        scheme = subject.under(schemes, name)
        kind, word = scheme.node.get("type"), str(scheme.node.get("scheme", "")).capitalize()
        if kind == "http" or (kind == "apiKey" and scheme.node.get("in") == "header"):
            said = _WORD_BEFORE_KEY.search(scheme.text())
            reason = f"the operation is called with {name}; the scheme is the word before the key"
            before = word or (said[1] if said else "Bearer")
            yield role(scheme.place, "authorization", reason, **{"x-auth-scheme": before})
            return


def _headers(subject: Subject) -> Iterator[Proposal]:
    for parameter in subject.parameters():
        name = str(parameter.node.get("name"))
        if parameter.node.get("in") != "header":
            continue
        if KEY_NAME.search(name):
            window, said = _window(f"{parameter.text()} {subject.part.text()}")
            reason = f"the header is called {name}; {said}"
            yield role(parameter.place, "idempotency-key", reason, **{"x-window-seconds": window})
        elif _REQUEST_ID.search(name):
            yield role(parameter.place, "request-id-header", f"the header is called {name}")


def _window(prose: str) -> tuple[int, str]:
    """For how many seconds a key holds, and where that is from."""
    match = DURATION.search(prose)
    if match is None:
        return _DAY, "nothing says for how long a key holds, and a day is what is usual"
    number = int(match[1]) if match[1].isdigit() else 1
    return number * _SECONDS[match[2].lower()], f"the prose says {match[0]!r}"


def place_of_field(subject: Subject, schema: Piece, name: str) -> str:
    """Where a property itself stands, not what it refers to, so that a role is given to it alone."""
    for part in subject.composed(schema):
        if isinstance(properties := part.node.get("properties"), dict) and name in properties:
            return part.place + pointer("properties", name)
    raise KeyError(name)
