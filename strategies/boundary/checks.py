"""Schemathesis' generic checks of an answer, on plain values."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from typing import Any, Final

import msgspec
from schemathesis.checks import CheckContext, CheckFunction
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rules_harness.openapi.contract import Contract, Operation
from rules_harness.strategies.boundary.source import operation_of

_CHECKS: Final[tuple[CheckFunction, ...]] = (
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


class GenericFinding(msgspec.Struct, frozen=True):
    """What one of the generic checks holds against an answer, in schemathesis' words."""

    check: str
    title: str
    message: str


def judge_generic(
    contract: Contract,
    operation: Operation,
    status: int,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    *,
    allowed_statuses: Collection[int] = (),
) -> tuple[GenericFinding, ...]:
    """What the checks hold against a recorded answer to `operation`, by the document alone.

    `allowed_statuses` are those that the contract allows beyond the ones that the document describes.  An answer takes
    less than a tenth of a millisecond to judge.
    """
    context, case = _judging(contract, operation)
    answer = _answer(status, headers, body)
    return tuple(
        GenericFinding(check.__name__, failure.title, failure.message)
        for check in _CHECKS
        if check is not status_code_conformance or status not in allowed_statuses
        for failure in _failures(check, context, answer, case)
    )


def _failures(check: CheckFunction, context: CheckContext, answer: Response, case: Any) -> tuple[Failure, ...]:
    try:
        check(context, answer, case)
    except Failure as failure:
        return (failure,)
    except FailureGroup as group:
        return tuple(group.exceptions)
    return ()


@functools.lru_cache(maxsize=8)
def _judging(contract: Contract, operation: Operation) -> tuple[CheckContext, Any]:
    """What the checks ask for beside the answer: of the request they only take which operation it was."""
    described = operation_of(contract, operation)
    context = CheckContext(
        override=None,
        auth=None,
        headers=None,
        config=described.schema.config.checks_config_for(operation=described),
        transport_kwargs=None,
        response_checks=None,
    )
    return context, described.Case()


def _answer(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Response:
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value)
    # No check looks at the request that was answered.
    request: Any = None
    return Response(
        status_code=status, headers=values, content=body, request=request, elapsed=0.0, verify=True, encoding="utf-8"
    )
