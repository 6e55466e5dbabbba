"""Documents of OpenAPI 3.0 as 3.1 would say the same: schemas in JSON Schema 2020-12."""

from __future__ import annotations

from typing import Any, Final

from rules_harness.openapi.document import nodes

_BOUNDS: Final = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


def modern(document: dict[str, Any]) -> dict[str, Any]:
    """The document, changed in place where it is of OpenAPI 3.0; any other one is left as it is."""
    if str(document.get("openapi", "")).startswith("3.0"):
        for _, node in nodes(document):
            _modernise(node)
    return document


def _modernise(schema: dict[str, Any]) -> None:
    if schema.get("nullable") is True:
        _allow_null(schema)
    for exclusive, inclusive in _BOUNDS.items():
        flag = schema.get(exclusive)
        if flag is True and inclusive in schema:
            schema[exclusive] = schema.pop(inclusive)
        elif flag is False:
            del schema[exclusive]


def _allow_null(schema: dict[str, Any]) -> None:
    del schema["nullable"]
    kind = schema.get("type")
    if isinstance(kind, str):
        schema["type"] = [kind, "null"]
        if isinstance(values := schema.get("enum"), list) and None not in values:
            schema["enum"] = [*values, None]
    elif isinstance(inner := schema.pop("allOf", None), list):
        schema["anyOf"] = [{"allOf": inner}, {"type": "null"}]
