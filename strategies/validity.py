"""Whether a body is valid, decided from the bytes that go over the wire."""

from __future__ import annotations

import functools
import json
from typing import Any

import jsonschema_rs

from rules_harness.openapi.contract import Contract


def is_valid_body(contract: Contract, content: bytes) -> bool:
    """Whether bytes are JSON that satisfies the contract's schema of an update, formats included.

    Numbers beyond a double are read as the infinity that most readers make of them, names that stand twice as the last
    of the two: what a schema can judge is a value, not its spelling.
    """
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return bool(_validator(contract).is_valid(value))


@functools.lru_cache(maxsize=16)
def _validator(contract: Contract) -> Any:
    return jsonschema_rs.Draft202012Validator(contract.standalone(contract.body_schema), validate_formats=True)
