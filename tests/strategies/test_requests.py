from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings

from rules_harness.openapi.contract import load
from rules_harness.strategies.keys import KeyReference
from rules_harness.strategies.requests import (
    OddRequest,
    encoding_bodies,
    is_safe,
    media_types,
    odd_credentials,
    odd_header_sets,
    odd_ids,
    odd_keys,
    odd_request_ids,
    odd_requests,
    size_bodies,
    syntax_bodies,
)
from rules_harness.strategies.validity import is_valid_body
from rules_harness.strategies.world import Account, World

CONTRACT = load()
NAMES = CONTRACT.names
WORLD = World(
    accounts=(Account("acc_income", "income_source"), Account("acc_pod", "pod")), now=datetime(2026, 1, 31, tzinfo=UTC)
)
UNIQUE = "0123456789abcdef0123456789abcdef"
RULES = ("rule_a", "Rule-B", "7")

SYNTAX = syntax_bodies(CONTRACT, WORLD)
ENCODINGS = encoding_bodies(CONTRACT, WORLD)
MEDIA_TYPES = media_types(CONTRACT, WORLD)
SIZES = size_bodies(CONTRACT, WORLD)
MAY_SUCCEED = {"accepted", "success-or-4xx", "refused-or-unaltered"}
IDS = odd_ids(RULES)
CREDENTIALS = odd_credentials(CONTRACT)
KEYS = odd_keys(CONTRACT, UNIQUE)
REQUEST_IDS = odd_request_ids(CONTRACT)
HEADER_SETS = odd_header_sets()
ALL = (*SYNTAX, *ENCODINGS, *MEDIA_TYPES, *SIZES, *IDS, *CREDENTIALS, *KEYS, *REQUEST_IDS, *HEADER_SETS)


def named(name: str) -> OddRequest:
    return next(request for request in ALL if request.name == name)


def body(request: OddRequest) -> bytes:
    assert request.body is not None
    return request.body


def strict(content: bytes) -> Any:
    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    return json.loads(content.decode("utf-8"), parse_constant=refuse)


def test_names_are_unique_and_requirements_the_contracts() -> None:
    assert [name for name, count in Counter(request.name for request in ALL).items() if count > 1] == []
    assert {request.requirement for request in ALL} <= CONTRACT.requirements.keys()


def test_what_goes_out_fits_a_header_a_path_and_the_sender() -> None:
    for request in ALL:
        for _name, value in request.headers:
            assert value.encode("latin-1") is not None
            plain = value.isascii() and value.replace("\t", "").isprintable() and value == value.strip()
            assert request.raw or plain, request.name
        if request.segment is not None:
            assert request.segment.encode("latin-1") is not None
            assert "/" not in request.segment
            assert "?" not in request.segment
            assert request.raw or request.segment.isascii()


def test_syntax_bodies_are_no_json_object() -> None:
    for request in SYNTAX:
        try:
            value = strict(body(request))
        except ValueError:
            continue
        assert not isinstance(value, dict), request.name
    kinds = {request.name.removeprefix("syntax:") for request in SYNTAX}
    tokens = ("name", "string", "number", "literal", "colon", "comma", "open-brace", "close-brace", "open-bracket")
    assert kinds >= {f"cut-after-{token}" for token in tokens}
    assert kinds >= {f"without-{token}" for token in tokens}
    assert kinds >= {"blank-empty", "number-nan", "number-leading-zero", "comma-last-in-object", "no-object-array"}
    assert all(request.expect == "refused" for request in SYNTAX)


def test_encodings_say_a_valid_body_in_another_way() -> None:
    value = json.loads(body(named("encoding:utf-16-le")))
    assert is_valid_body(CONTRACT, json.dumps(value).encode())
    assert body(named("encoding:utf-8-bom")).startswith(b"\xef\xbb\xbf{")
    with pytest.raises(UnicodeDecodeError):
        body(named("encoding:utf-8-overlong-slash")).decode()
    assert json.loads(body(named("encoding:escape-high")))[NAMES.marker] == "a\ud83db"
    assert all(request.expect == "refused-or-unaltered" for request in ENCODINGS)


def test_media_types_carry_a_body_that_json_would_accept() -> None:
    for request in MEDIA_TYPES:
        if ":json-as-" in request.name:
            assert is_valid_body(CONTRACT, body(request)), request.name
    refused = {value for request in MEDIA_TYPES if request.expect == "refused" for _, value in request.headers}
    assert {"text/plain", "application/xml", "application/x-www-form-urlencoded"} <= refused
    assert not any("json" in value.lower().replace("ndjson", "") for value in refused)
    assert named("media-type:json-as-missing").without == ("Content-Type",)


def test_sizes_are_what_they_say() -> None:
    steps = json.loads(body(named("size:steps-1000")))["steps"]
    assert len(steps) == 1_000
    assert len(json.loads(body(named("size:nickname-1-mib")))[NAMES.marker]) == 1024 * 1024
    assert body(named("size:all/0-depth-10000")).count(b'{"all":[') >= 10_000
    assert is_valid_body(CONTRACT, body(named("size:all/0-depth-100")))
    assert is_valid_body(CONTRACT, body(named("size:any/0-members-1000")))
    assert all(request.expect in MAY_SUCCEED for request in SIZES if request.name != "size:unclosed")


def test_sizes_say_the_disabled_state() -> None:
    for request in SIZES:
        if request.name != "size:unclosed":
            assert f'"{NAMES.status}":"{NAMES.disabled}"'.encode() in body(request), request.name


@pytest.mark.parametrize(
    "segment",
    [
        "",
        ".",
        "..",
        "%2e%2e",
        "%252e%252e",
        "x%2F..",
        "x%2F..%2F..%2Faccounts",
        "%2F",
        "%20",
        "%00",
        "%00rule",
        ";v=1",
        "%3Fx",
        "rule_a",
        "RULE_A",
        "rule%5Fa",
        "rule%255Fa",
        "%72ule_a",
        "rule_a%20",
        "rule_a%00x",
        "rule_a%2F",
        "rule_a%2Fx",
        "rule_a;x",
        "rule_a%3Fx",
        "rule_a.",
        "x%2F..%2Frule_a",
        "x%5C..%5Crule_a",
        "%EF%BD%92ule_a",
        "7%27",
        "rule-b",
    ],
)
def test_segments_that_a_lenient_router_takes_for_a_rule_are_not_safe(segment: str) -> None:
    assert not is_safe(segment, RULES)


def test_odd_ids_stay_among_the_rules_and_meet_none() -> None:
    assert len(IDS) > 60
    assert all(is_safe(request.segment or "", RULES) for request in IDS)
    assert "id:null" not in {request.name for request in odd_ids(["NULL"])}
    assert len(odd_ids([*RULES, "no-such-one"])) < len(IDS)
    for request in IDS:
        decoded = unquote_to_bytes(unquote_to_bytes(request.segment or "")).decode("latin-1")
        assert not decoded.replace("\\", "/").startswith(("/", "../", "./"))


def test_odd_ids_hold_no_sql_that_could_reach_other_rules() -> None:
    for request in IDS:
        decoded = unquote_to_bytes(request.segment or "").decode("latin-1").lower()
        assert " or " not in decoded
        assert not any(word in decoded for word in ("drop ", "delete ", "update ", "trigger", "enable"))


def test_credentials_name_keys_by_reference_and_say_where_they_are_exposed() -> None:
    by_requirement = Counter(request.requirement for request in CREDENTIALS)
    assert by_requirement.keys() == {"auth.malformed", "auth.unknown-key", "auth.header-only"}
    for request in CREDENTIALS:
        assert request.expect == "unauthenticated"
        elsewhere = request.requirement == "auth.header-only"
        assert request.exposes_key == elsewhere
        assert (NAMES.authorization in request.without) == elsewhere
        assert not elsewhere or (request.key is not None and request.key.place != "header")
    assert named("credential:basic").key == KeyReference("full", NAMES.authorization, "Basic ", "basic")
    assert named("credential:swapcase").key == KeyReference(
        "full", NAMES.authorization, f"{NAMES.auth_scheme} ", "swapcase"
    )
    assert named("credential:query-token").key == KeyReference("full", "token", place="query")
    assert named("credential:null").headers == ((NAMES.authorization, f"{NAMES.auth_scheme} null"),)


def test_keys_are_the_runs_own_and_accepted_up_to_255_visible_characters() -> None:
    for request in KEYS:
        values = [value for name, value in request.headers if name == NAMES.idempotency_key]
        assert len(values) == len(request.headers)
        own = request.name in ("key:empty", "key:length-1", "key:digits") or all(UNIQUE in value for value in values)
        assert own, request.name
        visible = all(value and all("!" <= character <= "~" for character in value) for value in values)
        if request.expect == "accepted":
            assert len(values) == 1
            assert visible
            assert len(values[0]) <= 255
    assert named("key:length-255").expect == "accepted"
    assert named("key:length-256").expect == "success-or-4xx"
    with pytest.raises(ValueError, match="16 to 40"):
        odd_keys(CONTRACT, "short")


def _taken_off(value: str) -> str:
    """What is left of a key where what is odd is taken off: the first run of letters and digits, not too long."""
    return next(iter(re.findall("[0-9a-z]{16,}", value)), value)[:128]


def test_odd_keys_are_told_apart_where_what_is_odd_is_taken_off() -> None:
    """Else the answer to one would be the original of another: an honest target may trim its keys."""
    left = [_taken_off(request.headers[0][1]) for request in KEYS]
    assert sorted(left) == sorted(set(left))


def test_request_ids_must_be_echoed_up_to_64_visible_characters() -> None:
    for request in REQUEST_IDS:
        values = [value for _, value in request.headers]
        plain = len(values) == 1 and 1 <= len(values[0]) <= 64 and all("!" <= letter <= "~" for letter in values[0])
        assert (request.requirement == "request-id.echo-header") == plain, request.name
        assert (request.expect == "accepted") == plain
    covered = {letter for request in REQUEST_IDS if request.expect == "accepted" for letter in request.headers[0][1]}
    assert covered == {chr(code) for code in range(0x21, 0x7F)}


def test_header_sets_ask_for_nothing() -> None:
    asking = ("method", "override", "if-", "expect", "upgrade", "forwarded", "transfer-encoding", "content-encoding")
    for request in HEADER_SETS:
        assert request.expect in MAY_SUCCEED
        assert not any(word in name.lower() for name, _ in request.headers for word in asking)
    assert len(named("headers:large-64-kib").headers[0][1]) == 64 * 1024
    assert len(named("headers:unknown-100").headers) == 100


@settings(max_examples=300, deadline=None)
@given(odd_requests(CONTRACT, WORLD, RULES))
def test_drawn_odd_requests_are_safe(request: OddRequest) -> None:
    assert not request.exposes_key
    assert request.segment is None or is_safe(request.segment, RULES)
    assert request.requirement in CONTRACT.requirements
    for name, value in request.headers:
        assert f"{name}: {value}".encode("latin-1")


@settings(max_examples=200, deadline=None)
@given(odd_requests(CONTRACT, WORLD, RULES, expose_key=True))
def test_drawn_odd_requests_may_expose_the_key_only_when_told(request: OddRequest) -> None:
    assert not request.exposes_key or request.requirement == "auth.header-only"
