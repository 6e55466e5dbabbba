from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rules_harness.openapi.contract import load
from rules_harness.strategies.bodies import inert
from rules_harness.strategies.boundary import BoundaryCase, boundary_cases
from rules_harness.strategies.boundary.checks import judge_generic
from rules_harness.strategies.boundary.generated import Generated, recorded
from rules_harness.strategies.boundary.source import generate
from rules_harness.strategies.world import Account, World

CONTRACT = load()
NAMES = CONTRACT.names
WORLD = World(
    accounts=(
        Account("acc_income", "income_source"),
        Account("acc_pod", "pod"),
        Account("acc_card", "pod", liability=True),
    ),
    now=datetime(2026, 1, 31, tzinfo=UTC),
    max_amount_in_cents=5_000,
)
CASES = boundary_cases(CONTRACT, WORLD)
JUDGE = jsonschema.Draft202012Validator(
    CONTRACT.standalone(CONTRACT.body_schema), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
JSON = ("Content-Type", "application/json")


def value_of(case: BoundaryCase) -> Any:
    return None if case.body is None else json.loads(case.body)


def test_there_are_hundreds_each_once() -> None:
    assert 500 < len(CASES) < 2_000
    assert len({case.name for case in CASES}) == len(CASES)
    assert len({(case.headers, case.body) for case in CASES}) == len(CASES)


def test_they_are_the_same_every_time() -> None:
    uncached = boundary_cases.__wrapped__
    assert uncached(CONTRACT, WORLD) == CASES


@pytest.mark.slow
def test_what_is_kept_with_the_package_is_what_schemathesis_makes_now() -> None:
    """If this fails: `python -m rules_harness.strategies.boundary`. Values may differ: Hypothesis has reasons of its
    own."""
    kept = recorded(CONTRACT)
    assert kept is not None
    assert _tried(kept) == _tried(generate(CONTRACT))


def _tried(cases: Iterable[Generated]) -> Counter[tuple[str, str, bool]]:
    return Counter((case.scenario, case.location, case.claims_violation) for case in cases)


@pytest.mark.slow
def test_another_document_has_cases_of_its_own(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(
        "overlay: 1.0.0\ninfo: {title: Longer names, version: '1'}\nactions:\n"
        "  - target: $.components.schemas.RuleUpdate.properties.nickname\n    update: {maxLength: 77}\n"
    )
    other = load(overlays=(overlay,))
    assert recorded(other) is None
    assert 78 in _lengths(boundary_cases(other, WORLD))
    assert 78 not in _lengths(CASES)


def test_a_document_with_headers_of_its_own_has_no_others_sent(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(
        "overlay: 1.0.0\ninfo: {title: Another header, version: '1'}\nactions:\n"
        "  - target: $.components.parameters.RequestId\n    update: {name: X-Correlation-ID}\n"
    )
    sent = {name.lower() for case in boundary_cases(load(overlays=(overlay,)), WORLD) for name, _ in case.headers}
    assert not sent & {"x-request-id", "x-correlation-id"}


def _lengths(cases: Iterable[BoundaryCase]) -> set[int]:
    bodies = [value for value in map(value_of, cases) if isinstance(value, dict)]
    return {len(body["nickname"]) for body in bodies if isinstance(body.get("nickname"), str)}


@pytest.mark.slow
def test_validity_is_decided_from_the_bytes() -> None:
    for case in CASES:
        valid = case.body is not None and JSON in case.headers and JUDGE.is_valid(value_of(case))
        assert case.valid == valid, case.name
        assert case.valid or case.requirement is not None
        assert case.requirement is None or case.requirement in CONTRACT.requirements
    assert any(case.valid for case in CASES)
    assert sum(case.valid == case.claims_violation for case in CASES) < len(CASES) / 50


def test_what_the_sender_pins_is_not_in_them() -> None:
    pinned = {NAMES.authorization.lower(), NAMES.idempotency_key.lower(), NAMES.request_id_header.lower()}
    for case in CASES:
        assert not {name.lower() for name, _ in case.headers} & pinned


def test_no_body_says_enabled() -> None:
    for case in CASES:
        value = value_of(case)
        if isinstance(value, dict):
            assert value.get(NAMES.status) != NAMES.enabled, case.name


def test_accounts_are_the_worlds() -> None:
    known = {account.id for account in WORLD.accounts}

    def ids(value: Any) -> set[Any]:
        if isinstance(value, dict):
            own = {value["id"]} if isinstance(value.get("id"), str) and value["id"] else set()
            return own.union(*map(ids, value.values()))
        return set().union(*map(ids, value)) if isinstance(value, list) else set()

    for case in CASES:
        if case.valid:
            assert ids(value_of(case)) <= known, case.name


def test_amounts_beyond_the_cap_and_other_triggers_are_marked() -> None:
    trigger = inert(CONTRACT, WORLD).value["trigger"]
    assert any(not case.within_cap for case in CASES)
    for case in CASES:
        value = value_of(case)
        if case.within_cap and isinstance(value, dict):
            assert str(2**53 - 1) not in (case.body or b"").decode()
        assert not case.dormant or value["trigger"] == trigger
    assert all(case.valid and case.within_cap and case.dormant for case in CASES if case.plausible)
    assert any(case.plausible for case in CASES)


def test_places_are_the_contracts() -> None:
    named = {case.scenario: case for case in CASES if case.place.endswith("/schedule_type")}
    assert named["invalid_enum_value"].place == "/trigger:SCHEDULED/schedule_type"
    assert named["invalid_enum_value"].requirement == "validation.enum"
    nested = {case.place for case in CASES if case.claims_violation}
    assert "/steps/*/actions/*:percentage/percentage_value" in nested
    assert "/steps/*/conditions:any/any" in nested
    assert {case.standing for case in CASES if case.place.startswith("/steps/*/conditions")} == {"inferred"}


RULE = {
    "id": "rule_a",
    "status": "disabled",
    "trigger": {"type": "MANUAL", "account_id": "acc_income"},
    "steps": [],
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
}
ECHO = ("X-Request-ID", "harness")


def judged(status: int, body: Any, *headers: tuple[str, str], **options: Any) -> set[str]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    findings = judge_generic(CONTRACT, CONTRACT.update, status, headers, content, **options)
    assert all(finding.title for finding in findings)
    return {finding.check for finding in findings}


@pytest.mark.parametrize(
    ("status", "body", "headers", "checks"),
    [
        (200, {"request_id": "harness", "data": RULE}, (JSON, ECHO), set()),
        (404, {"error": {"code": "resource_not_found", "message": "no"}}, (JSON, ECHO), set()),
        (200, {"request_id": "harness", "data": RULE | {"id": ""}}, (JSON, ECHO), {"response_schema_conformance"}),
        (200, b'{"request_id": "har', (JSON, ECHO), {"response_schema_conformance"}),
        (200, b"<html>", (("Content-Type", "text/html"), ECHO), {"content_type_conformance"}),
        (500, {"error": {}}, (JSON, ECHO), {"status_code_conformance"}),
        (418, {}, (JSON, ECHO), {"status_code_conformance"}),
        (
            404,
            {"error": {"code": "resource_not_found", "message": "no"}},
            (JSON, ("X-Request-ID", "")),
            {"response_headers_conformance"},
        ),
    ],
)
def test_generic_checks_judge_plain_values(
    status: int, body: Any, headers: tuple[tuple[str, str], ...], checks: set[str]
) -> None:
    assert judged(status, body, *headers) == checks


def test_a_status_that_the_contract_allows_beyond_the_document_is_no_finding() -> None:
    assert judged(422, {}, JSON, ECHO, allowed_statuses={422}) == set()
    assert judged(422, {}, JSON, ECHO) == {"status_code_conformance"}


def test_the_companion_is_judged_by_its_own_description() -> None:
    assert CONTRACT.read is not None
    body = json.dumps({"request_id": "harness", "data": RULE}).encode()
    assert judge_generic(CONTRACT, CONTRACT.read, 200, (JSON, ECHO), body) == ()
