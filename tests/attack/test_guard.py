"""What no scenario asks for, and somebody else's record may: it is refused by the bytes that would go out."""

from __future__ import annotations

import json

import pytest

from rules_harness.harness.exchange import Payload, Request
from rules_harness.harness.intent import Intent
from rules_harness.harness.target.profile import Profile, Rules, Target
from rules_harness.harness.target.safety import Guard, SafetyError
from rules_harness.openapi.contract import load
from rules_harness.strategies.keys import KeyReference

CONTRACT = load()
OWN = Profile(Target("t", "http://staging.test/api/v1"), {}, Rules(writable=("rule_a", "rule_b")))
PATH = "/rules/rule_a"
KEY = KeyReference("full", "Authorization", "ApiKey ")
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
REFUSED = {
    "another method": Request("DELETE", PATH),
    "a tunnel": Request("CONNECT", PATH),
    "another operation": Request("PUT", "/accounts/rule_a"),
    "a longer path": Request("PUT", "/rules/rule_a/executions"),
    "a read of a longer path": Request("GET", "/rules/rule_a/delete"),
    "an absolute target": Request("PUT", "http://elsewhere.test/rules/rule_a"),
    "a request in the target": Request("PUT", f"{PATH} HTTP/1.1\r\n\r\nDELETE {PATH}", raw=True),
    "a trigger": Request("POST", f"{PATH}/trigger"),
    "a line break in a value": Request("PUT", PATH, (("X-A", "b\r\nX-C: d"),)),
    "a bare line feed": Request("PUT", PATH, (("X-A", "b\nX-C: d"),), raw=True),
    "a bare carriage return": Request("PUT", PATH, (("X-A", "b\rX-C: d"),), raw=True),
    "NUL in a value": Request("PUT", PATH, (("X-A", "b\0"),), raw=True),
    "a line break in a name": Request("PUT", PATH, (("X-A: b\r\nX-C", "d"),), raw=True),
    "a line break before a key": Request("PUT", PATH, key=KeyReference("full", "Authorization", "a\r\nX-C: ")),
    "a line break in a key's name": Request("PUT", PATH, key=KeyReference("full", "A: b\r\nX-C", "")),
    "a key in the query": Request("PUT", PATH, key=KeyReference("full", "token", place="query")),
    "a key in a cookie": Request("PUT", PATH, key=KeyReference("full", "token", place="cookie")),
    "another host": Request("PUT", PATH, (("Host", "elsewhere.test"),)),
    "a length that is not the body's": Request("PUT", PATH, (("Content-Length", "0"),), Payload("DELETE / HTTP/1.1")),
    "chunks": Request("PUT", PATH, (("Transfer-Encoding", "chunked"),), Payload("0\r\n\r\nDELETE / HTTP/1.1")),
    "another method in a header": Request("POST", PATH, (("X-HTTP-Method-Override", "DELETE"),)),
    "two methods in headers": Request(
        "POST", PATH, (("X-HTTP-Method-Override", "PUT"), ("x-http-method-override", "DELETE"))
    ),
    "another path in a header": Request("POST", PATH, (("X-Original-URL", PATH),)),
    "another method in the query": Request("POST", f"{PATH}?_method=DELETE"),
    "another method in a form": Request("POST", PATH, FORM, Payload("a=b&_method=DELETE")),
    "a rule that is not listed": Request("PUT", "/rules/rule_c", key=KEY),
    "a rule that is not listed, spelled otherwise": Request("PUT", "/rules/%72ule_c", key=KEY),
    "a rule that was not recorded": Request("PUT", "/rules/rule_b", key=KEY),
    "what leaves the rules": Request("PUT", "/rules/..%2Faccounts", key=KEY),
    "a live body that says enabled": Request(
        "PUT", PATH, body=Payload.of(json.dumps({**CONTRACT.example_body(), "status": "enabled"}).encode())
    ),
    "a live body that says enabled before it does not": Request(
        "PUT",
        PATH,
        body=Payload.of(
            json.dumps({**CONTRACT.example_body(), "status": "disabled"})[:-1].encode() + b',"x":"enabled"}'
        ),
    ),
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
def test_the_guard_refuses_by_what_goes_over_the_wire(request_: Request) -> None:
    guard = Guard(CONTRACT, OWN)
    guard.writable.add("rule_a")
    guard.distrust()
    guard.check(Request("PUT", PATH, key=KEY), Intent(rule="rule_a"))
    guard.check(Request("POST", PATH, (("X-HTTP-Method-Override", "PUT"),), key=KEY), Intent(rule="rule_a"))
    for existence in ("own", "unknown", "odd"):
        with pytest.raises(SafetyError):
            guard.check(request_, Intent(rule="rule_a", existence=existence, operation="read", body="broken"))


def test_the_hook_enables_no_rule_that_is_not_listed() -> None:
    guard = Guard(CONTRACT, OWN)
    guard.writable.add("rule_a")
    guard.check_enabling("rule_a")
    for rule in ("rule_b", "rule_c"):
        with pytest.raises(SafetyError):
            guard.check_enabling(rule)
