"""The contract's document as schemathesis reads it."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from rules_harness.openapi.contract import Contract, Operation
from rules_harness.openapi.document import at, follow

if TYPE_CHECKING:
    from schemathesis.specs.openapi.schemas import OpenApiOperation, OpenApiSchema

JSON = "application/json"


def operation_of(contract: Contract, operation: Operation) -> OpenApiOperation:
    """An operation of the document as it is."""
    return cast("OpenApiOperation", _at(_schema(contract), operation))


def update_with_example(contract: Contract, example: Mapping[str, Any]) -> OpenApiOperation:
    """The update, whose body has `example` instead of the document's: every boundary case varies it in one place."""
    document = copy.deepcopy(dict(contract.document))
    update = at(document, contract.update.place)
    media = follow(document, update["requestBody"])["content"][JSON]
    media.pop("example", None)
    media["examples"] = {"inert": {"value": dict(example)}}
    return cast("OpenApiOperation", _at(_load(document), contract.update))


def _at(schema: OpenApiSchema, operation: Operation) -> Any:
    path = operation.place.split("/")[2].replace("~1", "/").replace("~0", "~")
    return schema[path][operation.method]


@functools.lru_cache(maxsize=4)
def _schema(contract: Contract) -> OpenApiSchema:
    return _load(copy.deepcopy(dict(contract.document)))


def _load(document: dict[str, Any]) -> OpenApiSchema:
    # Slow to import, and not every run needs it.
    import schemathesis  # noqa: PLC0415

    # An explicit configuration: otherwise one is looked for in the working directory and above it.
    return schemathesis.openapi.from_dict(document, config=schemathesis.Config())
