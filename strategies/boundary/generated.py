"""Boundary cases as schemathesis makes them, and those of the page's document, which are kept with the package.

What is kept is the same whatever version of schemathesis is installed, and whatever else is imported: Hypothesis, which
draws the values, takes some of them from the sources of the project that it runs in.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
import zstandard

from rules_harness.openapi.contract import Contract
from rules_harness.openapi.document import at
from rules_harness.strategies.examples import inert
from rules_harness.strategies.shapes import complete_world

JSON: Final = "application/json"
RECORDED: Final = Path(__file__).with_name("recorded.json.zst")


class Generated(msgspec.Struct, frozen=True, omit_defaults=True):
    """One update that schemathesis would try; what it varies is the body of `example_of`, in one place.

    Attributes:
        scenario: What schemathesis calls it (``incorrect_type``).
        detail: What schemathesis says about it.
        location: Where in the schema of the body it is, a JSON Pointer.
        parameter: The parameter that it varies, if any.
        claims_violation: Schemathesis means it to be refused.
        headers: Content-Type among them.
        body: A JSON value; unset for a request without.
    """

    scenario: str
    detail: str
    location: str = ""
    parameter: str = ""
    claims_violation: bool = False
    headers: dict[str, str] = {}
    body: Any = msgspec.UNSET


class _Recording(msgspec.Struct, frozen=True):
    document: str
    """What `_digest` says of the document whose cases these are."""
    cases: tuple[Generated, ...]


@functools.lru_cache(maxsize=16)
def example_of(contract: Contract) -> dict[str, Any]:
    """What every case varies: the inert body in a world that lacks nothing."""
    return inert(contract, complete_world(contract)).value


def recorded(contract: Contract) -> tuple[Generated, ...] | None:
    """The cases that are kept for this document; none where it describes another update."""
    recording = msgspec.json.decode(zstandard.decompress(RECORDED.read_bytes()), type=_Recording)
    return recording.cases if recording.document == _digest(contract) else None


def record(contract: Contract, cases: Iterable[Generated], into: Path = RECORDED) -> None:
    """Keep these cases for this document."""
    recording = msgspec.json.encode(_Recording(_digest(contract), tuple(cases)))
    into.write_bytes(zstandard.compress(recording, 19))


def _digest(contract: Contract) -> str:
    """What generation reads of a document: the update, its parameters and credentials, its body, and the example."""
    document, place = contract.document, contract.update.place
    components = document.get("components", {})
    read = [
        place,
        at(document, place),
        at(document, place.rpartition("/")[0]).get("parameters"),
        [components.get(name) for name in ("parameters", "requestBodies", "securitySchemes")],
        contract.standalone(contract.body_schema),
        example_of(contract),
    ]
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()
