"""Schemathesis' boundary cases ("coverage") for the update, as what is to be sent."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.boundary.generated import JSON, Generated, example_of, recorded
from rules_harness.strategies.boundary.pins import Pins, largest_number, place_at
from rules_harness.strategies.examples import body_of
from rules_harness.strategies.mutations.edits import Level
from rules_harness.strategies.places import Place, Standing
from rules_harness.strategies.validity import is_valid_body
from rules_harness.strategies.world import World

_CONTENT_TYPE: Final = "Content-Type"
_REQUIREMENTS: Final = {
    "incorrect_type": "validation.type",
    "invalid_enum_value": "validation.enum",
    "object_missing_required_property": "validation.required",
}
_BOUNDS: Final = "validation.bounds"


class BoundaryCase(msgspec.Struct, frozen=True, omit_defaults=True):
    """One update that schemathesis would try, but for what the sender pins: rule, credentials and the optional headers.

    Attributes:
        name: Unique, and stable for one version of schemathesis and one document.
        scenario: What schemathesis calls it (``incorrect_type``).
        detail: What schemathesis says about it.
        claims_violation: Schemathesis means it to be refused.
        valid: The body is JSON's by its Content-Type and satisfies the contract's schema, decided from its bytes.
        plausible: A back end can be expected to take it: it is the inert example but for its free texts.
        within_cap: No number in the body exceeds the world's cap in cents.
        dormant: The body says the disabled state, and its trigger is the inert one.
        requirement: The requirement that it exercises; None for an update that is valid in every part.
        level: How firmly the contract says, for a documented place, that it is refused.
        place: The deepest place of the body that the generator was at.
        standing: Whether the page shows that place.
        headers: Content-Type and headers that nobody knows.
        body: The bytes of the body; None for a request without.
    """

    name: str
    scenario: str
    detail: str
    claims_violation: bool
    valid: bool
    plausible: bool
    within_cap: bool
    dormant: bool
    requirement: str | None
    level: Level
    place: str
    standing: Standing
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


@functools.lru_cache(maxsize=4)
def boundary_cases(contract: Contract, world: World) -> tuple[BoundaryCase, ...]:
    """Every boundary case that is an update, each request once, in schemathesis' order.

    Left out are other methods, and what varies the rule's id, the credentials, the Idempotency-Key or the X-Request-ID
    alone.  Bodies say the disabled state unless the state was broken, and name accounts of the world for unknown ones.
    """
    generated: Iterable[Generated] | None = recorded(contract)
    if generated is None:
        # Slow to import, and slow to generate: not for the document whose cases are recorded.
        from rules_harness.strategies.boundary.source import generate  # noqa: PLC0415

        generated = generate(contract)
    maker = _Maker(contract, world)
    records = map(maker.record, generated)
    return tuple(record for record in records if record is not None)


class _Maker:
    """Turns cases into records, each request once."""

    def __init__(self, contract: Contract, world: World) -> None:
        self._contract = contract
        self._world = world
        self._pins = Pins(contract, world)
        self._sent: set[tuple[Any, ...]] = set()
        self._names: Counter[str] = Counter()
        names = contract.names
        self._pinned = {names.authorization.lower(), names.idempotency_key.lower(), names.request_id_header.lower()}
        self._example = example_of(contract)

    def record(self, case: Generated) -> BoundaryCase | None:
        """The record; None for a case that is left out, or whose request is there already."""
        is_missing = case.body is msgspec.UNSET
        value = None if is_missing else self._pins.body(case.body, self._example)
        body = None if is_missing else json.dumps(value, separators=(",", ":")).encode()
        headers = self._headers(case)
        is_pinned = case.parameter.lower() in self._pinned
        if is_pinned or (headers, body) in self._sent:
            return None
        self._sent.add((headers, body))
        place = place_at(self._contract, case.location)
        valid = body is not None and (_CONTENT_TYPE, JSON) in headers and is_valid_body(self._contract, body)
        requirement = self._requirement(case.scenario, headers, body, valid=valid)
        return BoundaryCase(
            name=self._name(place, case.scenario),
            scenario=case.scenario,
            detail=case.detail,
            claims_violation=case.claims_violation,
            valid=valid,
            plausible=valid and value is not None and body_of(self._contract, self._world, value).acceptance == "must",
            within_cap=largest_number(value) <= self._world.max_amount_in_cents,
            dormant=self._pins.is_dormant(value),
            requirement=requirement,
            level=_level(requirement, place),
            place=place.name,
            standing=place.standing,
            headers=headers,
            body=body,
        )

    def _headers(self, case: Generated) -> tuple[tuple[str, str], ...]:
        """Content-Type and what nobody knows."""
        given = {name: value for name, value in case.headers.items() if name.lower() not in self._pinned}
        return tuple(sorted(given.items()))

    def _requirement(
        self, scenario: str, headers: tuple[tuple[str, str], ...], body: bytes | None, *, valid: bool
    ) -> str | None:
        if valid:
            return "http.headers" if len(headers) > 1 else None
        if body is None or not body.startswith(b"{"):
            return "validation.syntax"
        if (_CONTENT_TYPE, JSON) not in headers:
            return "validation.media-type"
        return _REQUIREMENTS.get(scenario, _BOUNDS)

    def _name(self, place: Place, scenario: str) -> str:
        name = f"{place.name or '/'} {scenario.replace('_', '-')}"
        self._names[name] += 1
        return f"{name} {self._names[name]}"


def _level(requirement: str | None, place: Place) -> Level:
    """As for mutations; but where a field may be left out it is not told apart from null, which many take for that."""
    if requirement == "validation.required":
        return "should" if place.path else "must"
    if requirement == "validation.type":
        return "must" if place.required else "should"
    return "must" if requirement in ("validation.enum", "validation.syntax", None) else "should"
