"""The contract's document as schemathesis reads it, and the boundary cases that it makes of it."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import schemathesis
from msgspec import UNSET
from schemathesis import GenerationMode
from schemathesis.core import NotSet
from schemathesis.core.parameters import ParameterLocation

from rules_harness.openapi.contract import Contract, Operation
from rules_harness.openapi.document import at, follow
from rules_harness.strategies.boundary.generated import JSON, Generated, example_of

if TYPE_CHECKING:
    from schemathesis.specs.openapi.schemas import OpenApiOperation, OpenApiSchema


def operation_of(contract: Contract, operation: Operation) -> OpenApiOperation:
    """An operation of the document as it is."""
    return cast("OpenApiOperation", _at(_schema(contract), operation))


def generate(contract: Contract) -> Iterator[Generated]:
    """Every boundary case of the update, but for those that vary the rule's id. Takes seconds."""
    operation = _update_with_example(contract)
    cases = operation.schema.iter_coverage_cases(
        operation,
        generation_modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE],
        generation_config=operation.schema.config.generation_for(operation=operation),
    )
    for case in cases:
        meta = case.meta
        if meta is None or case.method != contract.update.method:
            continue
        data: Any = meta.phase.data
        if data.parameter_location == ParameterLocation.PATH:
            continue
        headers = {} if case.media_type is None else {"Content-Type": case.media_type}
        yield Generated(
            scenario=data.scenario.value,
            detail=data.description,
            location=data.location or "",
            parameter=data.parameter or "",
            claims_violation=meta.generation.mode.is_negative,
            headers=headers | {str(name): str(value) for name, value in case.headers.items()},
            body=UNSET if isinstance(case.body, NotSet) else case.body,
        )


def _update_with_example(contract: Contract) -> OpenApiOperation:
    """The update, whose body has an inert example instead of the document's: every case varies it in one place."""
    document = copy.deepcopy(dict(contract.document))
    update = at(document, contract.update.place)
    media = follow(document, update["requestBody"])["content"][JSON]
    media.pop("example", None)
    media["examples"] = {"inert": {"value": example_of(contract)}}
    return cast("OpenApiOperation", _at(_load(document), contract.update))


def _at(schema: OpenApiSchema, operation: Operation) -> Any:
    path = operation.place.split("/")[2].replace("~1", "/").replace("~0", "~")
    return schema[path][operation.method]


@functools.lru_cache(maxsize=4)
def _schema(contract: Contract) -> OpenApiSchema:
    return _load(copy.deepcopy(dict(contract.document)))


def _load(document: dict[str, Any]) -> OpenApiSchema:
    # An explicit configuration: otherwise one is looked for in the working directory and above it.
    return schemathesis.openapi.from_dict(document, config=schemathesis.Config())
