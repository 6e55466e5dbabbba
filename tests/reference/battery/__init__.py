"""Requests by family that, between them, show every fault and every variant."""

from __future__ import annotations

from collections.abc import Callable

from tests.reference.api import Api
from tests.reference.battery import answers, contents, histories, keys, pairs, races
from tests.reference.battery.lines import Lines

FAMILIES: dict[str, tuple[Callable[[Api], Lines], ...]] = {
    "envelope": (answers.envelope, pairs.envelope),
    "request-id": (answers.request_id, pairs.request_id),
    "auth": (answers.auth, pairs.auth),
    "authz": (answers.authz, pairs.authz),
    "not-found": (answers.not_found, pairs.not_found),
    "http": (answers.http,),
    "update": (contents.update, pairs.update, pairs.rare_values),
    "validation": (contents.validation,),
    "status": (histories.status, pairs.status),
    "concurrency": (races.concurrency, pairs.concurrency),
    "idempotency": (keys.idempotency, pairs.idempotency),
}


def came_of(api: Api, family: str) -> Lines:
    """What came of a family's requests, one after the other."""
    api.stamps.clear()
    for requests in FAMILIES[family]:
        yield from requests(api)
